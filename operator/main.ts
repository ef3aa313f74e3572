/** The entry of `crossborderbridge <command>`, and of `npm run bridge -- <command>` in a checkout. */
import { registerBackfill } from "./backfill/command";
import { registerCompletion } from "./completion";
import { registerCost } from "./cost/command";
import { registerDoctor } from "./doctor/command";
import { registerEmpty } from "./empty/empty";
import { onInterrupt } from "./interrupt";
import { registerLetters } from "./letters/command";
import { registerLogs } from "./logs/command";
import { registerPause } from "./pause/command";
import { packageVersion } from "./places";
import { registerProbe } from "./probe/command";
import { flush, runProgram } from "./run-program";
import { registerStatus } from "./status/command";
import { registerVerify } from "./verify/command";
import { registerWatch } from "./watch/command";

// Turns off the AWS SDK's warning about older versions of Node.js, which every command would print.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

// npm changes to the folder of the package; the paths of a command line are relative to where it was typed.
if (process.env.npm_lifecycle_event === "bridge" && process.env.INIT_CWD !== undefined) process.chdir(process.env.INIT_CWD);

/** 128 plus the number of SIGPIPE, as other commands end. */
const BROKEN_PIPE = 141;

// As after `watch --terminal | head`: nobody reads any more. The work may not be complete, so the exit code is not 0.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(BROKEN_PIPE);
});

async function main(): Promise<void> {
  const interrupt = onInterrupt();
  const exitCode = await runProgram(process.argv.slice(2), {
    version: packageVersion(),
    commands: [
      registerStatus,
      registerDoctor,
      registerWatch,
      registerLetters,
      registerLogs,
      registerVerify,
      registerBackfill,
      registerPause,
      registerProbe,
      registerEmpty,
      registerCost,
      registerCompletion,
    ],
    // Loaded on demand: the clouds' clients are slow to load, and --help does not need them.
    open: async (options, signal) => (await import("./open-bridge")).openBridge(options, signal),
    interrupt,
    print: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
  });
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  // Ends calls whose clients take no signal.
  process.exit(exitCode);
}

void main();
