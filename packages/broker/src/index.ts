export { Broker, type BrokerCallbacks } from "./broker.js";
export { BROKER_DEFAULTS, type BrokerConfig } from "./broker-config.js";
export { Partition } from "./partition/partition.js";
export type { BrokerPorts, BrokerProbe } from "./ports.js";
export { decodeJsonBytes, encodeJsonBytes } from "./services/json-bytes.js";
