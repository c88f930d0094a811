export type { HealthCheck } from "./health-endpoint.js";
export {
  formatHostPort,
  type HostPort,
  type NodeConfig,
  nodeConfigProblems,
  parseHostPort,
  parseVoters,
  type Voter,
} from "./node-config.js";
export { type NodeCallbacks, StartError, StrandlineNode } from "./strandline-node.js";
