/** What both APIs that change settings have in common: one command for each thing that has some. */
import { BrokerError, topicNameProblem } from "@strandline/model";
import type { AdminHandlerParts } from "./admin-handlers.js";
import { requireName, requireOwn, resourceTypeOf } from "./config-resources.js";
import { outcomeOf, type RefusalFields } from "./refused.js";

export interface ConfigChanges {
  readonly set: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  readonly append?: Readonly<Record<string, string>>;
  readonly subtract?: Readonly<Record<string, string>>;
  readonly isReplacing?: boolean;
}

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

type Answer = RefusalFields & { readonly resourceType: number; readonly resourceName: string };
type Parts = Pick<AdminHandlerParts, "admin" | "nodeId">;

/** Changes each resource by itself. `changesOf` reads what is asked, or throws the refusal. */
export async function changeConfigs<Asked extends Resource>(
  parts: Parts,
  request: { readonly resources: readonly Asked[]; readonly validateOnly: boolean },
  changesOf: (resource: Asked) => ConfigChanges,
): Promise<Answer[]> {
  const keyOf = ({ resourceType, resourceName }: Resource): string =>
    `${resourceType}:${resourceName}`;
  const counts = new Map<string, number>();
  for (const resource of request.resources) {
    counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1);
  }
  return await Promise.all(
    request.resources.map(async (resource): Promise<Answer> => {
      const outcome = await outcomeOf(async () => {
        if (counts.get(keyOf(resource)) !== 1) {
          throw new BrokerError("INVALID_REQUEST", "the request names this resource twice");
        }
        requireEachOnce(resource);
        await change(parts, resource, {
          changes: changesOf(resource),
          validateOnly: request.validateOnly,
        });
      });
      const { resourceType, resourceName } = resource;
      return { ...outcome, resourceType, resourceName };
    }),
  );
}

function requireEachOnce({ configs }: Resource): void {
  if (new Set(configs.map(({ name }) => name)).size === configs.length) return;
  throw new BrokerError("INVALID_REQUEST", "a setting is named twice");
}

async function change(
  { admin, nodeId }: Parts,
  { resourceType, resourceName }: Resource,
  asked: { readonly changes: ConfigChanges; readonly validateOnly: boolean },
): Promise<void> {
  const { changes, validateOnly } = asked;
  const type = resourceTypeOf(resourceType);
  if (type === "topic") {
    requireName(resourceName, type);
    const problem = topicNameProblem(resourceName);
    if (problem !== undefined) throw new BrokerError("INVALID_TOPIC_EXCEPTION", problem);
  } else if (type === "broker") {
    if (resourceName !== "") requireOwn(resourceName, nodeId);
  } else if (type === "group") {
    requireName(resourceName, type);
  } else {
    requireName(resourceName, type);
    const { set, append = {}, subtract = {} } = changes;
    const names = [set, append, subtract].flatMap((settings) => Object.keys(settings));
    // Removing what cannot be there is done.
    if (names.length === 0) return;
    throw new BrokerError("INVALID_CONFIG", `nothing has a setting "${names[0]}" of a ${type}`);
  }
  await admin.submit({
    kind: "alter-configs",
    resource: { type, name: resourceName },
    ...changes,
    remove: changes.remove ?? [],
    // As in the protocol: what is not there is removed already.
    isLenient: true,
    validateOnly,
    // Whoever sets it by hand in a request of this protocol means it.
    allowWeakDurability: true,
  });
}
