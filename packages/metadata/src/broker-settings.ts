/** The settings of one broker as its parts read them: what its operator wrote, else the default. */
import { assert } from "@strandline/model";
import { type BrokerConfigSpec, brokerConfigSpec } from "./broker-configs.js";
import { configNumber } from "./config-spec.js";

export class BrokerSettings {
  /** What is written, by the names of the table; each value is legal. */
  readonly written: ReadonlyMap<string, string>;

  constructor(written: ReadonlyMap<string, string> = new Map()) {
    this.written = written;
  }

  /** Of a setting of the node; those of the cluster need the image: {@link brokerConfigEntries}. */
  text(name: string): string {
    return this.written.get(name) ?? specOf(name).defaultValue;
  }

  /** Of what is written, that on which all brokers must agree. */
  get shared(): ReadonlyMap<string, string> {
    return new Map(
      [...this.written].filter(([name]) => brokerConfigSpec(name)?.scope === "cluster"),
    );
  }

  number(name: string): number {
    return configNumber(this.text(name));
  }

  isOn(name: string): boolean {
    return this.text(name) === "true";
  }
}

function specOf(name: string): BrokerConfigSpec {
  const spec = brokerConfigSpec(name);
  assert(spec?.scope === "node", "only a node's settings of the table are asked for");
  return spec;
}
