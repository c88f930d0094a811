/** One setting: its name, its legal values, and what people read about it. */
import { INT32_MAX } from "@strandline/model";

export interface ConfigSpec {
  readonly name: string;
  readonly type: "boolean" | "short" | "int" | "long" | "double" | "string" | "list";
  readonly defaultValue: string;
  /** Bounds of a number, inclusive. */
  readonly min?: number;
  readonly max?: number;
  /** Legal texts, or legal members of a list; any text where undefined. */
  readonly values?: readonly string[];
  /** Where `values` leaves some out on purpose: why. Part of the refusal. */
  readonly reason?: string;
  /** Name under which all brokers' settings hold this topic setting's default, as Kafka has it. */
  readonly clusterName?: string;
  /** What Kafka calls the default of a setting that has none for all brokers here. */
  readonly kafkaName?: string;
  readonly documentation: string;
}

/** Longest value of any setting. Characters. */
const VALUE_LENGTH_MAX = 1024;

/** Largest value that a Kafka client may send as "no limit". */
const INT64_MAX = 9_223_372_036_854_775_807n;

/** Returns why `value` is not a legal value of the setting, or undefined when it is. */
export function configProblem(spec: ConfigSpec, value: string): string | undefined {
  if (value.length > VALUE_LENGTH_MAX) return `the value of ${spec.name} is too long`;
  if (value === spec.defaultValue) return undefined;
  const wrong = `${spec.name} must not be "${value}"`;
  switch (spec.type) {
    case "short":
    case "int":
    case "long":
      return integerProblem(spec, value);
    case "double":
      if (/^\d+(\.\d+)?$/.test(value) && inBounds(spec, Number(value))) return undefined;
      return `${wrong}: a number from ${spec.min ?? 0} to ${spec.max ?? "any"} is expected`;
    case "boolean":
    case "string":
    case "list": {
      const values = spec.values ?? (spec.type === "boolean" ? ["true", "false"] : undefined);
      if (values === undefined) return undefined;
      const members = spec.type === "list" ? listMembers(value) : [value];
      if (members.length > 0 && members.every((member) => values.includes(member)))
        return undefined;
      return `${wrong}: ${spec.reason ?? `it is one of ${values.join(", ")}`}`;
    }
  }
}

function integerProblem(spec: ConfigSpec, value: string): string | undefined {
  const limit = integerLimit(spec.type);
  const bounds = `${spec.min ?? 0} to ${spec.max ?? limit}`;
  if (!/^-?\d{1,19}$/.test(value)) {
    return `${spec.name} must be an integer from ${bounds}, not "${value}"`;
  }
  if (BigInt(value) > limit || !inBounds(spec, Number(value))) {
    return `${spec.name} is ${value}, outside ${bounds}`;
  }
  return undefined;
}

function integerLimit(type: ConfigSpec["type"]): bigint {
  if (type === "short") return 32_767n;
  return type === "int" ? BigInt(INT32_MAX) : INT64_MAX;
}

function inBounds(spec: ConfigSpec, value: number): boolean {
  return value >= (spec.min ?? 0) && value <= (spec.max ?? Number.POSITIVE_INFINITY);
}

/** Members of a comma-separated list, without the blanks around them. */
export function listMembers(value: string): string[] {
  return value
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
}

/** The number a legal value stands for. "No limit" of 2^63 - 1 becomes the largest safe integer. */
export function configNumber(value: string): number {
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}
