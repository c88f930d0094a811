/** Where words go: data to standard output, everything else to standard error. */
import { once } from "node:events";

export type OutputFormat = "table" | "json" | "jsonl";

/** Writes data, and waits while the reader is slow. */
export async function writeData(data: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, "drain");
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A reader that has gone (`| head`) ends the program quietly. */
export function endQuietlyOnBrokenPipe(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}
