import { defineConfig } from "vitest/config";

// Tests run on the sources: the "source" condition of each package's exports names them.
export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: { include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts"] },
});
