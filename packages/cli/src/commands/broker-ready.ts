/** `strandline broker ready`: asks the node of this machine or container, for a health check. */
import { Command } from "commander";
import { CommandError, EXIT } from "../exit-codes.js";
import { writeData } from "../output.js";
import { BROKER_SETTINGS, OFF } from "../settings/broker-settings.js";
import { readSettings, withSettings } from "../settings/read-settings.js";

const ANSWER_MS_MAX = 3_000;
/** What stands for "every interface" reaches the node on this one. */
const LOOPBACK: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** What finds the node. A container has one environment: it says what `broker start` read. */
const ADDRESS = BROKER_SETTINGS.filter(({ key }) => key === "host" || key === "http.port");
/** The file may hold all settings, and need not. */
const READABLE = BROKER_SETTINGS.map((setting) => ({ ...setting, isRequired: false }));

export function brokerReadyCommand(): Command {
  const command = new Command("ready").description(
    "exit code 0 while the node here serves clients, 6 while it does not, 5 without an answer",
  );
  return withSettings(command, ADDRESS).action(async (flags: Record<string, unknown>) => {
    const { values } = await readSettings(READABLE, flags);
    await checkReady(values.get("host")?.value ?? "", values.get("http.port")?.value ?? OFF);
  });
}

async function checkReady(host: string, port: string): Promise<void> {
  if (port === OFF)
    throw new CommandError(EXIT.usage, "--http-port is off: there is nobody to ask");
  const target = LOOPBACK[host] ?? host;
  const url = `http://${target.includes(":") ? `[${target}]` : target}:${port}/readyz`;
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new CommandError(EXIT.unreachable, `no answer from ${url}: ${(cause as Error).message}`, {
      cause: error,
    });
  }
  const body = (await response.text()).trim();
  if (!response.ok) throw new CommandError(EXIT.unhealthy, body);
  await writeData(`${body}\n`);
}
