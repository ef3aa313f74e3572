/** `crossborderbridge doctor`: looks for faults on both sides, before and after a deployment. */
import { bridgeCommand, duration, type RegisterCommand, whole } from "../command";
import type { DoctorOptions, OpenConfigured } from "./options";

const HELP = `
Every call of this command only reads. To the receiver it sends one empty request without a signature, which is refused.

Exit codes of doctor:
  0  no problem, and every check was made
  1  problems, each with the command that mends it
  2  the command line or the configuration is wrong
  3  no problem, but a check could not be made; the output says why

Examples:
  crossborderbridge doctor --stack production           before or after pulumi up
  crossborderbridge doctor --local --all                also lists what is in order
  crossborderbridge doctor --stack production --json    a line of JSON for each finding`;

/** @param open reads the settings and, once deployed, the outputs */
export function doctorCommand(open: OpenConfigured): RegisterCommand {
  return (program, _onBridge, onStack) => {
    bridgeCommand(program, "doctor", "Looks for faults on both sides, and says how to mend each.")
      .option("--all", "list also what is in order, and what cannot be checked on this stack")
      .option("--only <check...>", "only these checks, with the checks that they need")
      .option("--concurrency <n>", "checks at once", whole(1, 64), 8)
      .option("--timeout <time>", "for each check", duration, duration("30s"))
      .addHelpText("after", HELP)
      .action((options: DoctorOptions) =>
        onStack(options, async (context) => {
          // Loaded only for this command: it reads clients that the others do not need.
          const { doctor } = await import("./doctor");
          return doctor(context, options, open);
        }),
      );
  };
}

export const registerDoctor = doctorCommand(async (options, signal) => {
  const { openConfigured } = await import("../open-bridge");
  return openConfigured(options, signal);
});
