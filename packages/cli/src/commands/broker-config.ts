/** `strandline broker config`: what `broker start` would use here, and where each value is from. */
import { Command } from "commander";
import { type FormatFlags, withFormat } from "../global-options.js";
import { writeData } from "../output.js";
import { readSettings, withSettings } from "../settings/read-settings.js";
import { table } from "../table.js";

export function brokerConfigCommand(): Command {
  const command = new Command("config").description(
    "print the settings that `broker start` would use with the same flags, and their sources",
  );
  return withFormat(withSettings(command)).action(
    async (flags: FormatFlags & Record<string, unknown>) => {
      const { values } = await readSettings(flags);
      const rows = [...values].map(([key, { value, source }]) => ({ key, value, source }));
      const lines =
        flags.format === "json"
          ? [JSON.stringify(rows)]
          : table(
              ["key", "value", "source"],
              rows.map((row) => [row.key, row.value, row.source]),
            );
      await writeData(`${lines.join("\n")}\n`);
    },
  );
}
