/** Consumer groups: decisions alone, without clock, disk or network. */
export type { GroupConfig } from "./group-config.js";
