/** The entry of `npm run bridge -- <command>`. */
import { registerBackfill } from "./backfill/command";
import { onInterrupt } from "./interrupt";
import { registerProbe } from "./probe/command";
import { flush, runProgram } from "./run-program";
import { registerStatus } from "./status/command";

// Turns off the AWS SDK's warning about older versions of Node.js, which every command would print.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

async function main(): Promise<void> {
  const interrupt = onInterrupt();
  const exitCode = await runProgram(process.argv.slice(2), {
    commands: [registerStatus, registerBackfill, registerProbe],
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
