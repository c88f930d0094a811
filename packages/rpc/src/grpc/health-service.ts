/** Serves grpc.health.v1, which load balancers and orchestrators ask. */
import type { Server } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { HealthStatus } from "./health-status.js";

export function addHealthService(server: Server, health: HealthStatus): void {
  const implementation = new HealthImplementation();
  health.follow((state) => implementation.setStatus("", state));
  implementation.addToServer(server);
}
