/** AlterConfigs: what is named takes the place of everything that was set before. */
import { BrokerError } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import { changeConfigs } from "./config-changes.js";
import type { KafkaHandler } from "./handler.js";

export function alterConfigsHandler(
  parts: Pick<AdminHandlerParts, "admin" | "nodeId">,
): KafkaHandler<"AlterConfigs"> {
  return async (request) => ({
    responses: await changeConfigs(parts, request, ({ configs }) => ({
      set: Object.fromEntries(configs.map(({ name, value }) => [name, requireValue(name, value)])),
      isReplacing: true,
    })),
  });
}

/** Throws INVALID_REQUEST where there is none. */
export function requireValue(name: string, value: string | null): string {
  if (value === null) throw new BrokerError("INVALID_REQUEST", `${name} needs a value`);
  return value;
}
