/** All scenarios, by name, in the order in which they run. */
import { admin } from "./scenarios/admin.mjs";
import { connections } from "./scenarios/connections.mjs";
import { fetching } from "./scenarios/fetch.mjs";
import { groups } from "./scenarios/groups.mjs";
import { produce } from "./scenarios/produce.mjs";
import { runTimeConfigs } from "./scenarios/run-time-configs.mjs";
import { topics } from "./scenarios/topics.mjs";

export const SCENARIOS = Object.entries({
  ...connections,
  ...topics,
  ...produce,
  ...fetching,
  ...groups,
  ...admin,
  ...runTimeConfigs,
});
