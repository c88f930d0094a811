import { describe, expect, it } from "vitest";
import { BrokerSettings } from "./broker-settings.js";

describe(BrokerSettings, () => {
  it("takes what is written, else the default of the table", () => {
    const settings = new BrokerSettings(
      new Map([
        ["group.max.size", "7"],
        ["auto.create.topics.enable", "false"],
      ]),
    );
    expect(settings.number("group.max.size")).toBe(7);
    expect(settings.number("offsets.topic.num.partitions")).toBe(50);
    expect(settings.isOn("auto.create.topics.enable")).toBe(false);
    expect(settings.isOn("delete.topic.enable")).toBe(true);
    expect(new BrokerSettings().text("process.roles")).toBe("broker,controller");
  });

  it("answers for no setting that the whole cluster shares: that is not one broker's to say", () => {
    expect(() => new BrokerSettings().number("log.retention.ms")).toThrow();
    expect(() => new BrokerSettings().text("no.such")).toThrow();
  });
});
