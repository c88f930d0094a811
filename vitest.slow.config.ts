import { defineConfig } from "vitest/config";

// Long runs that have commands of their own.
export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: { include: ["packages/*/src/**/*.slow.ts"] },
});
