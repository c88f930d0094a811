export { BrokerSettings } from "@strandline/metadata";
export type { HealthCheck } from "./health-endpoint.js";
export {
  formatHostPort,
  type HostPort,
  type KafkaListenerConfig,
  kafkaListeners,
  type NamedHostPort,
  type NodeConfig,
  nodeConfigProblems,
  parseHostPort,
  parseListeners,
  parseVoters,
  type Voter,
} from "./node-config.js";
export { type NodeCallbacks, StartError, StrandlineNode } from "./strandline-node.js";
