/**
 * DescribeConfigs: every setting with its value, and where that comes from.
 *
 * There are no loggers to set and no metrics taken from clients: these have an empty list, as things
 * of these kinds that nobody configured.
 */
import type { OutgoingResponseOf, RequestOf, ServedApis } from "@strandline/kafka-protocol";
import {
  brokerConfigEntries,
  type ConfigEntry,
  clusterConfigEntries,
  groupConfigEntries,
  topicConfigEntries,
} from "@strandline/metadata";
import { BrokerError, topicNameProblem } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import { configSourceNumber } from "./config-entries.js";
import { requireName, requireOwn, resourceTypeOf } from "./config-resources.js";
import type { KafkaHandler } from "./handler.js";
import { refusalFields } from "./refused.js";

type Request = RequestOf<ServedApis["DescribeConfigs"]>;
type Question = Request["resources"][number];
type Answer = OutgoingResponseOf<ServedApis["DescribeConfigs"]>["results"][number];
type Config = Answer["configs"][number];
type Parts = Pick<AdminHandlerParts, "nodeId" | "directory" | "written">;

const TYPE_NUMBERS: Readonly<Record<ConfigEntry["type"], number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
};

export function describeConfigsHandler(parts: Parts): KafkaHandler<"DescribeConfigs"> {
  return async (request) => ({
    results: request.resources.map((question): Answer => {
      const { resourceType, resourceName, configurationKeys } = question;
      try {
        const wanted =
          configurationKeys === null || configurationKeys.length === 0
            ? undefined
            : new Set(configurationKeys);
        const configs = entriesOf(parts, question)
          .filter((entry) => wanted?.has(entry.name) ?? true)
          .map((entry) => configOf(entry, request));
        return { errorCode: 0, errorMessage: "", resourceType, resourceName, configs };
      } catch (error) {
        return { ...refusalFields(error), resourceType, resourceName, configs: [] };
      }
    }),
  });
}

function entriesOf(
  { nodeId, directory, written }: Parts,
  { resourceType, resourceName }: Question,
): readonly ConfigEntry[] {
  switch (resourceTypeOf(resourceType)) {
    case "topic": {
      const problem = topicNameProblem(resourceName);
      if (problem !== undefined) throw new BrokerError("INVALID_TOPIC_EXCEPTION", problem);
      return topicConfigEntries(directory.image, directory.topic(resourceName).name, nodeId);
    }
    case "broker":
      // Without a number: what is set for all brokers, and nothing else.
      if (resourceName === "") return setForAll(clusterConfigEntries(directory.image));
      requireOwn(resourceName, nodeId);
      return brokerConfigEntries(directory.image, nodeId, written);
    case "broker-logger":
      requireOwn(resourceName, nodeId);
      return [];
    case "client-metrics":
      requireName(resourceName, "metrics subscription");
      return [];
    case "group":
      requireName(resourceName, "group");
      return groupConfigEntries(directory.image, resourceName);
  }
}

function setForAll(entries: readonly ConfigEntry[]): ConfigEntry[] {
  return entries
    .filter((entry) => entry.source === "cluster")
    .map((entry) => ({ ...entry, synonyms: entry.synonyms.slice(0, 1) }));
}

function configOf(entry: ConfigEntry, request: Request): Config {
  const shown = (value: string): string | null => (entry.isSensitive ? null : value);
  return {
    name: entry.name,
    value: shown(entry.value),
    readOnly: entry.isReadOnly,
    configSource: configSourceNumber(entry.source),
    isSensitive: entry.isSensitive,
    synonyms: request.includeSynonyms
      ? entry.synonyms.map(({ name, value, source }) => {
          return { name, value: shown(value), source: configSourceNumber(source) };
        })
      : [],
    configType: TYPE_NUMBERS[entry.type],
    documentation: request.includeDocumentation ? entry.documentation : null,
  };
}
