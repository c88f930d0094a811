/**
 * Settings that Kafka lets change while a broker runs, and that size machinery which is not there.
 * They are checked, kept and shown where somebody set them, so that tools which set them work; nothing
 * reads them. Kafka's throttles and limits of connections are not among them: whoever sets one of
 * those trusts in it.
 */
import type { ConfigSpec } from "./config-spec.js";

export interface KeptConfig extends ConfigSpec {
  /** As Kafka has it: "one" for one broker alone, "all-or-one" also for all at once. */
  readonly update: "one" | "all-or-one";
  /** Ends the sentence "<name> has no effect here: ". */
  readonly why: string;
}

const THREADS = "a node has no pools of threads to size";
const CLEANER = "the buffers of compaction are not sized by hand";
const SASL = "there is no SASL";

type Kept = Pick<ConfigSpec, "name" | "type" | "defaultValue" | "min" | "max">;

/** Every one of them, by name. */
export const KEPT_CONFIGS: readonly KeptConfig[] = [
  ...kept("all-or-one", THREADS, [
    { name: "background.threads", type: "int", defaultValue: "10", min: 1 },
    { name: "log.cleaner.threads", type: "int", defaultValue: "1", min: 1 },
    { name: "num.io.threads", type: "int", defaultValue: "8", min: 1 },
    { name: "num.network.threads", type: "int", defaultValue: "3", min: 1 },
    { name: "num.recovery.threads.per.data.dir", type: "int", defaultValue: "2", min: 1 },
    { name: "num.replica.fetchers", type: "int", defaultValue: "1", min: 1 },
  ]),
  ...kept("all-or-one", CLEANER, [
    { name: "log.cleaner.dedupe.buffer.size", type: "long", defaultValue: "134217728", min: 1 },
    { name: "log.cleaner.io.buffer.load.factor", type: "double", defaultValue: "0.9" },
    { name: "log.cleaner.io.buffer.size", type: "int", defaultValue: "524288" },
  ]),
  ...kept("one", SASL, [
    { name: "sasl.kerberos.min.time.before.relogin", type: "long", defaultValue: "60000" },
    { name: "sasl.kerberos.ticket.renew.jitter", type: "double", defaultValue: "0.05" },
    { name: "sasl.kerberos.ticket.renew.window.factor", type: "double", defaultValue: "0.8" },
    { name: "sasl.login.refresh.buffer.seconds", type: "short", defaultValue: "300" },
    { name: "sasl.login.refresh.min.period.seconds", type: "short", defaultValue: "60" },
    { name: "sasl.login.refresh.window.factor", type: "double", defaultValue: "0.8" },
    { name: "sasl.login.refresh.window.jitter", type: "double", defaultValue: "0.05" },
  ]),
].sort((a, b) => (a.name < b.name ? -1 : 1));

const BY_NAME = new Map(KEPT_CONFIGS.map((config) => [config.name, config]));

export function keptConfig(name: string): KeptConfig | undefined {
  return BY_NAME.get(name);
}

function kept(update: KeptConfig["update"], why: string, configs: readonly Kept[]): KeptConfig[] {
  const documentation = `Stored for compatibility with Kafka; has no effect: ${why}.`;
  return configs.map((config) => ({ ...config, update, why, documentation }));
}
