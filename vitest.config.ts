import { defineConfig } from "vitest/config";

// Tests run on the sources: the "source" condition of each package's exports names them.
export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  // The timeouts end what hangs; how fast the machine is must not decide a test.
  test: {
    include: ["packages/*/src/**/*.test.ts", "scripts/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // By default one core is left out, which on two is half of them.
    maxWorkers: "100%",
  },
});
