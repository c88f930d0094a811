/** What several settings together must be: wrong only in relation to each other. */
import type { ResolvedSettings, ResolvedValue } from "./resolve-settings.js";

type Values = ResolvedSettings["values"];

/** Every contradiction, a sentence each, with the places where its parts were written. */
export function relationProblems(values: Values): string[] {
  return [...roleProblems(values), ...orderProblems(values), ...protectionProblems(values)];
}

/** Is this node a broker? What `process.roles` says, or else `controller.only`. */
export function isBroker(values: Values): boolean {
  const roles = values.get("process.roles");
  if (roles !== undefined) return membersOf(roles).includes("broker");
  return values.get("controller.only")?.value !== "true";
}

function roleProblems(values: Values): string[] {
  const roles = values.get("process.roles");
  if (roles === undefined) return [];
  const problems: string[] = [];
  const only = values.get("controller.only");
  if (only?.value === "true" && isBroker(values)) {
    problems.push(
      `${only.source}: controller.only, but process.roles has broker (${roles.source})`,
    );
  }
  const id = values.get("node.id")?.value ?? "";
  const voters = values.get("voters");
  // Which pod this is, and so whether it has a vote, is known on that pod only.
  if (!/^\d+$/.test(id) || voters === undefined) return problems;
  const isVoter = membersOf(voters).some((voter) => voter.startsWith(`${id}@`));
  const isController = membersOf(roles).includes("controller");
  if (isVoter === isController) return problems;
  problems.push(
    isController
      ? `${roles.source}: process.roles has controller, but node ${id} is not among the voters (${voters.source})`
      : `${roles.source}: process.roles has no controller, but node ${id} is among the voters (${voters.source})`,
  );
  return problems;
}

function orderProblems(values: Values): string[] {
  const min = values.get("group.min.session.timeout.ms");
  const max = values.get("group.max.session.timeout.ms");
  if (min === undefined || max === undefined || !(Number(min.value) > Number(max.value))) return [];
  return [
    `${min.source}: group.min.session.timeout.ms is ${min.value}, above ` +
      `group.max.session.timeout.ms, ${max.value} (${max.source})`,
  ];
}

/**
 * A listener must not be open where its operator believes it to be protected. What protects it in
 * Kafka is its entry in the map, or, without one, its name.
 */
function protectionProblems(values: Values): string[] {
  const listeners = values.get("listeners") ?? values.get("advertised.listeners");
  const map = values.get("listener.security.protocol.map");
  if (listeners === undefined) return [];
  const mapped = new Map(
    (map === undefined ? [] : membersOf(map)).map((entry) => {
      const [name = "", protocol = ""] = entry.split(":");
      return [name, protocol] as const;
    }),
  );
  return membersOf(listeners).flatMap((listener) => {
    const [name = ""] = listener.split("://");
    const protocol = mapped.get(name);
    if (protocol === undefined && PROTECTED.has(name)) {
      return [`${listeners.source}: listener ${name} is to be protected, ${NO_PROTECTION}`];
    }
    if (protocol === undefined || protocol === OPEN) return [];
    return [`${map?.source}: listener ${name} is to be ${protocol}, ${NO_PROTECTION}`];
  });
}

const OPEN = "PLAINTEXT";
const PROTECTED: ReadonlySet<string> = new Set(["SSL", "SASL_SSL", "SASL_PLAINTEXT"]);
const NO_PROTECTION = "but there is no encryption or authentication yet; only PLAINTEXT is served";

function membersOf({ value }: ResolvedValue): string[] {
  return value.split(",").map((member) => member.trim());
}
