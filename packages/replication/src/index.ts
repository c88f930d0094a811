export * from "./commit-waiters.js";
export * from "./follower.js";
export * from "./isr.js";
export * from "./leader.js";
export * from "./leader-epochs.js";
export * from "./producer-states.js";
export * from "./replica-progress.js";
