/** `strandline broker …`: one node, started and looked at. */
import { Command } from "commander";
import { brokerConfigCommand } from "./broker-config.js";
import { brokerStartCommand } from "./broker-start.js";

export function brokerCommand(): Command {
  return new Command("broker")
    .description("run one node")
    .addCommand(brokerStartCommand())
    .addCommand(brokerConfigCommand());
}
