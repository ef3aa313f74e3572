/** `crossborderbridge completion`: the completion of a shell, made of the commands and options themselves. */
import { Argument, type Command, type Option } from "commander";
import type { RegisterCommand } from "./command";

const NAME = "crossborderbridge";
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const HELP = `
Add it to the start of your shell:
  bash  source <(${NAME} completion bash)
  zsh   source <(${NAME} completion zsh)
  fish  ${NAME} completion fish | source`;

export const registerCompletion: RegisterCommand = (program) => {
  program
    .command("completion")
    .description("Prints the completion for a shell.")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .addHelpText("after", HELP)
    .action((shell: Shell) => program.configureOutput().writeOut?.(`${completionOf(shell, program)}\n`));
};

export function completionOf(shell: Shell, program: Command): string {
  return SCRIPTS[shell](program.commands);
}

type Commands = Command["commands"];

/** The words that may follow the command: its options, and the choices of its argument. */
const wordsOf = (command: Command): string[] => [
  ...command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : [])),
  ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
];

const SCRIPTS: Readonly<Record<Shell, (commands: Commands) => string>> = { bash, zsh, fish };

function bash(commands: Commands): string {
  const cases = commands.map((command) => `    ${command.name()}) words="${wordsOf(command).join(" ")}" ;;`);
  return `_${NAME}() {
  local words=""
  case "$COMP_CWORD:\${COMP_WORDS[1]}" in
    1:*) words="${commands.map((command) => command.name()).join(" ")}" ;;
  esac
  [ "$COMP_CWORD" -gt 1 ] && case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${NAME} ${NAME}`;
}

/** In single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** A colon separates a word from its description. */
const described = (word: string, description: string): string => quoted(`${word}:${description.replaceAll(":", "\\:")}`);

function zsh(commands: Commands): string {
  const cases = commands.map((command) => {
    const options = command.options.flatMap(({ long, description }) => (long ? [described(long, description)] : []));
    const choices = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
      argChoices.map((choice) => described(choice, description)),
    );
    return `    ${command.name()}) choices=(${[...options, ...choices].join(" ")}) ;;`;
  });
  return `#compdef ${NAME}
_${NAME}() {
  local -a choices
  if (( CURRENT == 2 )); then
    choices=(${commands.map((command) => described(command.name(), command.description())).join(" ")})
    _describe command choices
    return
  fi
  case "$words[2]" in
${cases.join("\n")}
  esac
  _describe option choices || _files
}
compdef _${NAME} ${NAME}`;
}

function fish(commands: Commands): string {
  const lines = commands.flatMap((command) => {
    const seen = `-n ${quoted(`__fish_seen_subcommand_from ${command.name()}`)}`;
    const options = command.options.flatMap((option) => fishOption(seen, option));
    const choices = command.registeredArguments.flatMap(({ argChoices = [] }) =>
      argChoices.map((choice) => `complete -c ${NAME} ${seen} -a ${quoted(choice)}`),
    );
    const own = `complete -c ${NAME} -f -n __fish_use_subcommand -a ${quoted(command.name())} -d ${quoted(command.description())}`;
    return [own, ...options, ...choices];
  });
  return lines.join("\n");
}

function fishOption(seen: string, { long, short, required, optional, description }: Option): string[] {
  if (!long) return [];
  const letter = short === undefined ? "" : ` -s ${short.slice(1)}`;
  const value = required || optional ? " -r" : "";
  return [`complete -c ${NAME} ${seen} -l ${long.slice(2)}${letter}${value} -d ${quoted(description)}`];
}
