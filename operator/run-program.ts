/** Runs one command line and returns its exit code. */
import { Command, CommanderError } from "commander";
import { ConfigInvalid } from "../components/config";
import { isBridgeError } from "../runtime/stores/errors";
import {
  BAD_USAGE,
  CANNOT_LOOK,
  type CommandContext,
  type CommonOptions,
  EXIT_CODES,
  type ExitCode,
  FAILED,
  FINE,
  NAME_A_BRIDGE,
  ObjectsFailed,
  type OnStack,
  type RegisterCommand,
  UsageError,
} from "./command";
import type { Interrupt } from "./interrupt";
import type { OperatedBridge } from "./operated-bridge";

export interface OpenedBridge extends Pick<CommandContext, "access"> {
  bridge: OperatedBridge;
}

export interface ProgramDeps {
  /** Of this package. */
  version: string;
  commands: readonly RegisterCommand[];
  open(options: CommonOptions, signal: AbortSignal): Promise<OpenedBridge>;
  interrupt: Interrupt;
  /** Both take text without a final newline. */
  print(text: string): void;
  note(text: string): void;
}

export async function runProgram(args: readonly string[], deps: ProgramDeps): Promise<number> {
  const { interrupt, print, note } = deps;
  let exitCode: ExitCode = FINE;
  let isVerbose = false;
  const program = new Command("crossborderbridge")
    .description("Operates a deployed bridge. In a checkout: npm run bridge -- <command>.")
    .version(deps.version, "-V, --version")
    .addHelpText("afterAll", `\nExit codes:\n${exitCodesText()}`)
    .exitOverride()
    .configureOutput({ writeOut: (text) => print(text.trimEnd()), writeErr: (text) => note(text.trimEnd()) })
    .showHelpAfterError("(add --help to see the commands and options)");
  const onBridge = async (options: CommonOptions, work: (context: CommandContext) => Promise<ExitCode>) => {
    const context = contextOf(options);
    const opened = await deps.open(options, interrupt.signal);
    try {
      exitCode = await work({ ...opened, ...context });
    } finally {
      await opened.bridge.close();
    }
  };
  const onStack: OnStack = async (options, work) => {
    exitCode = await work(contextOf(options));
  };
  const contextOf = (options: CommonOptions) => {
    const { stack, local, json, outputs, verbose } = options;
    isVerbose = verbose === true;
    if (stack === undefined && !local && outputs === undefined) throw new UsageError(NAME_A_BRIDGE);
    return { local: local === true, json: json === true, signal: interrupt.signal, print, note };
  };
  for (const register of deps.commands) register(program, onBridge, onStack);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    // A failure after an interruption is its consequence.
    if (interrupt.exitCode() === undefined) return failure(error, note, isVerbose);
  }
  const interrupted = interrupt.exitCode();
  if (interrupted !== undefined) note("interrupted");
  return interrupted ?? exitCode;
}

function failure(error: unknown, note: (text: string) => void, isVerbose: boolean): number {
  // Commander has printed its error, or the help, already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? FINE : BAD_USAGE;
  note(messageOf(error));
  if (isVerbose) for (const cause of causesOf(error)) note(`  because: ${cause}`);
  if (error instanceof UsageError || error instanceof ConfigInvalid || isBridgeError(error, "ConfigInvalid")) return BAD_USAGE;
  // Any other error ended the command before it knew how its objects are.
  return error instanceof ObjectsFailed ? FAILED : CANNOT_LOOK;
}

/** The exit codes, a line each. */
export function exitCodesText(): string {
  return Object.entries(EXIT_CODES)
    .map(([code, meaning]) => `  ${code}  ${meaning}`)
    .join("\n");
}

/** The kinds of the causes, the nearest first. Their messages may quote requests and files with secrets. */
function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  for (let cause = error instanceof Error ? error.cause : undefined; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    causes.push(typeof code === "string" ? `${cause.name} ${code}` : cause.name);
  }
  return causes;
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError)
    return [error.message, ...error.errors.map(messageOf)].filter((text) => text !== "").join("\n  ");
  return error instanceof Error ? error.message : String(error);
}

/** Resolves once everything written was passed on, or the reader is gone. process.exit() does not wait for the reader of a pipe. */
export function flush(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
