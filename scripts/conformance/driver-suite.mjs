/** The suite of one client library: every behaviour, through its driver. */
import { BEHAVIOURS } from "./behaviours.mjs";

/** `open({ bootstrap, workspace })` gives a driver; `version(workspace)` names what is tried. */
export function driverSuite({ name, version, open }) {
  return {
    name,
    open,
    async prepare({ workspace, say }) {
      const cases = BEHAVIOURS.map(({ test, run }) => ({
        test,
        run: async ({ target }) => {
          const driver = await open({ bootstrap: target.bootstrap, workspace });
          try {
            await run(driver, { target });
          } finally {
            await driver.close();
          }
        },
      }));
      return { version: await version(workspace, say), cases };
    },
  };
}
