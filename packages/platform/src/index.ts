export * from "./ports/checksum.js";
export * from "./ports/clock.js";
export * from "./ports/compression.js";
export * from "./ports/file-system.js";
export * from "./ports/key-value-store.js";
export * from "./ports/logger.js";
export * from "./ports/random.js";
export * from "./ports/transport.js";
