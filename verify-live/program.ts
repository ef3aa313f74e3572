/** The command line of `npm run verify-live`. */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { ConfigInvalid } from "../components/config";
import { BAD_USAGE, CANNOT_LOOK, FINE, UsageError } from "../operator/command";
import { counted } from "../operator/text";
import { isBridgeError } from "../runtime/stores/errors";
import { acceptFixtures } from "./recording/fixtures";
import { type VerifyDeps, type VerifyOptions, verifyLive } from "./verify";

export interface ProgramDeps extends VerifyDeps {
  /** @returns the names of the files */
  accept?: typeof acceptFixtures;
}

const EXIT_CODES = `
Exit codes:
  0  every check that was made holds
  1  a check does not hold, or something could not be removed
  2  the command line or the configuration is wrong
  3  a side cannot be reached, or there are no credentials for it`;

const HELP = `
Without --dry-run it deploys the stack if it has no resources, makes the checks, deletes the objects that it wrote and destroys what it deployed.
A stack that is deployed already is taken as it is, and stays. docs/verify-live.md has every check, and what a run needs, touches and costs.
${EXIT_CODES}`;

export async function runProgram(args: readonly string[], deps: ProgramDeps): Promise<number> {
  const { interrupt, print, note } = deps;
  let exitCode: number = FINE;
  const program = new Command("npm run verify-live --")
    .description("Checks on real accounts what the local clouds cannot show.")
    .exitOverride()
    .configureOutput({ writeOut: (text) => print(text.trimEnd()), writeErr: (text) => note(text.trimEnd()) })
    .showHelpAfterError("(add --help to see the options)");
  program
    .option("--stack <name>", "the stack, as in Pulumi.<name>.yaml")
    .option("--local", "the stack that `npm start` runs on this machine at the moment")
    .option("--dry-run", "print what it would do and what that costs, and do nothing")
    .option("--only <checks>", "only these checks, by name, with commas", names)
    .option("--except <checks>", "all checks but these", names)
    .option("--large <size>", "size of the object of pair-large, up to 5GiB, such as 200MiB", size)
    .option("--keep", "do not destroy the stack that this run deployed")
    .option("--resume", "go on with the run of the folder: checks that have passed are not made again")
    .option("--out <folder>", "for the report, the journal and the recordings (default: ./verify-live-<stack>)")
    .addHelpText("after", HELP)
    .action(async ({ stack, ...options }: Partial<VerifyOptions>) => {
      if (stack === undefined) throw new UsageError("name the stack: --stack <name>, as in Pulumi.<name>.yaml");
      exitCode = await verifyLive({ ...options, stack }, deps);
    });
  program
    .command("accept")
    .description("Takes the recordings of a run into tests/fixtures/live, over those of the same scenes.")
    .argument("<folder>", "the folder `fixtures` of the run")
    .action(async (folder: string) => {
      const taken = await (deps.accept ?? acceptFixtures)(folder);
      print(`took ${counted(taken.length, "recording")}: ${taken.join(", ")}`);
    });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    const interrupted = interrupt.exitCode();
    // A failure after an interruption is its consequence.
    if (interrupted !== undefined) return interrupted;
    // Commander has printed its error, or the help, already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? FINE : BAD_USAGE;
    note(error instanceof Error ? error.message : String(error));
    const isUsage = error instanceof UsageError || error instanceof ConfigInvalid || isBridgeError(error, "ConfigInvalid");
    return isUsage ? BAD_USAGE : CANNOT_LOOK;
  }
  return exitCode;
}

function names(text: string): string[] {
  const found = text.split(",").map((name) => name.trim());
  if (found.includes("")) throw new InvalidArgumentError("Name one or more checks, such as pair-keys,pair-large.");
  return found;
}

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
/** The store takes no larger object in one request. */
const MAX_BYTES = 5 * 1024 ** 3;

function size(text: string): number {
  const [, count, unit = ""] = /^(\d+)(KiB|MiB|GiB)$/.exec(text) ?? [];
  const bytes = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (bytes > 0 && bytes <= MAX_BYTES) return bytes;
  throw new InvalidArgumentError("It must be a size up to 5GiB, such as 200MiB.");
}
