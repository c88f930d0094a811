/** Shell completion, made from the commands themselves: what is there is what completes. */
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that the shell sources: `source <(strandline completion bash)`. */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case "bash":
      return [
        "_strandline() {",
        '  local words=("${COMP_WORDS[@]:1:COMP_CWORD}")',
        '  COMPREPLY=($(compgen -W "$(strandline __complete "${words[@]}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))',
        "}",
        "complete -o default -F _strandline strandline",
        "",
      ].join("\n");
    case "zsh":
      return [
        "#compdef strandline",
        "_strandline() {",
        '  local -a options; options=(${(f)"$(strandline __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})',
        "  compadd -a options; _files",
        "}",
        "compdef _strandline strandline",
        "",
      ].join("\n");
    case "fish":
      return "complete -c strandline -a '(strandline __complete (commandline -opc)[2..] (commandline -ct))'\n";
  }
}

/** What may stand in place of the last word, given the words before it. */
export function completions(program: Command, words: readonly string[]): string[] {
  let command = program;
  for (const word of words.slice(0, -1)) {
    const next = command.commands.find(
      (sub) => sub.name() === word || sub.aliases().includes(word),
    );
    if (next !== undefined) command = next;
  }
  const last = words.at(-1) ?? "";
  const names = last.startsWith("-")
    ? command.options.flatMap((option) =>
        [option.long, option.short].filter((flag) => flag != null),
      )
    : command.commands.map((sub) => sub.name()).filter((name) => !name.startsWith("__"));
  return names.filter((name) => name.startsWith(last));
}
