export * from "./assert.js";
export * from "./crc32c.js";
export * from "./errors.js";
export * from "./ids.js";
export * from "./internal-topics.js";
export * from "./limits.js";
