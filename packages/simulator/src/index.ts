export * from "./finding.js";
export * from "./incarnation.js";
export * from "./machine.js";
export * from "./node-ports.js";
export * from "./observation.js";
export * from "./random.js";
export * from "./sim-logger.js";
export * from "./world.js";
