/** IncrementalAlterConfigs: sets, removes, and changes lists member by member. */
import { BrokerError } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import { requireValue } from "./alter-configs.js";
import { type ConfigChanges, changeConfigs } from "./config-changes.js";
import type { KafkaHandler } from "./handler.js";

const SET = 0;
const REMOVE = 1;
const APPEND = 2;
const SUBTRACT = 3;

interface Operation {
  readonly name: string;
  readonly configOperation: number;
  readonly value: string | null;
}

export function incrementalAlterConfigsHandler(
  parts: Pick<AdminHandlerParts, "admin" | "nodeId">,
): KafkaHandler<"IncrementalAlterConfigs"> {
  return async (request) => ({
    responses: await changeConfigs(parts, request, ({ configs }) => changesOf(configs)),
  });
}

function changesOf(operations: readonly Operation[]): ConfigChanges {
  const unknown = operations.find(({ configOperation }) => ![0, 1, 2, 3].includes(configOperation));
  if (unknown !== undefined) {
    throw new BrokerError("INVALID_REQUEST", `there is no operation ${unknown.configOperation}`);
  }
  const valuesOf = (operation: number): Record<string, string> =>
    Object.fromEntries(
      operations
        .filter(({ configOperation }) => configOperation === operation)
        .map(({ name, value }) => [name, requireValue(name, value)]),
    );
  return {
    set: valuesOf(SET),
    remove: operations.filter((each) => each.configOperation === REMOVE).map(({ name }) => name),
    append: valuesOf(APPEND),
    subtract: valuesOf(SUBTRACT),
  };
}
