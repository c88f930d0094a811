/** What a setting is, and the names under which it is given. */

export interface Setting {
  readonly key: string;
  /** Names that people know it by from elsewhere; as good as the key. */
  readonly aliases?: readonly string[];
  /** Names in larger units: a value counts `factor` times. A finer name in one place wins. */
  readonly synonyms?: readonly { readonly name: string; readonly factor: number }[];
  /** Those of its names that are Kafka's. Only they are looked for under `KAFKA_`. */
  readonly kafkaNames?: readonly string[];
  readonly description: string;
  /** Stands for the value in the help text; undefined for a switch. */
  readonly placeholder?: string;
  readonly default?: string;
  readonly isRequired?: boolean;
  /** False: it has no flag of its own, and is given with `--set`. */
  readonly hasFlag?: boolean;
  /** The only values there are. */
  readonly choices?: readonly string[];
  /** Says what a value must be, when it is not that. Only the form: the node judges the rest. */
  check?(value: string): string | undefined;
}

/** "--node-id"; undefined for a setting without a flag. */
export function flagOf(setting: Setting): string | undefined {
  return setting.hasFlag === false ? undefined : `--${setting.key.replaceAll(".", "-")}`;
}

/** Every name it may be written under, the key first, then in the order in which they count. */
export function namesOf(setting: Setting): readonly string[] {
  return [
    setting.key,
    ...(setting.aliases ?? []),
    ...(setting.synonyms ?? []).map((synonym) => synonym.name),
  ];
}

/** How often a value written under `name` counts. */
export function factorOf(setting: Setting, name: string): number {
  return setting.synonyms?.find((synonym) => synonym.name === name)?.factor ?? 1;
}

/**
 * The variable of a name, by the rule of the official Kafka image, whose compose files people
 * bring: a dot is one underscore, an underscore two, a hyphen three.
 */
export function variableOf(name: string, prefix = "STRANDLINE_"): string {
  const letters = name.replaceAll("_", "__").replaceAll(".", "_").replaceAll("-", "___");
  return `${prefix}${letters.toUpperCase()}`;
}
