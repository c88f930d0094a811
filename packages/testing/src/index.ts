export { type ClusterOptions, startCluster, type TestCluster } from "./cluster.js";
