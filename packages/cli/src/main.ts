/** The `strandline` command: one file per noun under `commands/`. */
import { Argument, Command, CommanderError } from "commander";
import { brokerCommand } from "./commands/broker.js";
import { clusterCommand } from "./commands/cluster.js";
import { doctorCommand } from "./commands/doctor.js";
import { groupCommand } from "./commands/group.js";
import { topicCommand } from "./commands/topic.js";
import { upCommand } from "./commands/up.js";
import { completionScript, completions, SHELLS, type Shell } from "./completion.js";
import { describeError, EXIT, exitCodeOf } from "./exit-codes.js";
import { endQuietlyOnBrokenPipe, say, writeData } from "./output.js";
import { VERSION } from "./version.js";

export function buildProgram(): Command {
  const program = new Command("strandline")
    .description("an event-streaming cluster: replicated, partitioned logs")
    .version(VERSION, "-V, --version")
    .showSuggestionAfterError()
    .exitOverride();
  program.addCommand(upCommand());
  program.addCommand(brokerCommand());
  program.addCommand(topicCommand());
  program.addCommand(groupCommand());
  program.addCommand(clusterCommand());
  program.addCommand(doctorCommand());
  program
    .command("completion")
    .description("print a completion script: source <(strandline completion bash)")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .action(async (shell: Shell) => await writeData(completionScript(shell)));
  program
    .command("__complete", { hidden: true })
    .argument("[words...]")
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      await writeData(`${completions(program, words).join("\n")}\n`);
    });
  for (const command of everyCommand(program)) command.exitOverride();
  program.addHelpText(
    "after",
    "\nExit codes: 0 ok, 1 failed, 2 usage, 3 not found, 5 timeout or unreachable, 6 unhealthy, 130 interrupted",
  );
  return program;
}

/** Runs one command line. Sets the process's exit code; never throws. */
export async function main(args: readonly string[]): Promise<void> {
  endQuietlyOnBrokenPipe();
  try {
    await buildProgram().parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version end here too; commander has printed what there is to say.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    for (const line of describeError(error)) say(`strandline: ${line}`);
    process.exitCode = exitCodeOf(error);
  }
}

function* everyCommand(command: Command): Generator<Command> {
  for (const sub of command.commands) {
    yield sub;
    yield* everyCommand(sub);
  }
}
