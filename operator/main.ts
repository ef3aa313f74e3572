/** `npm run bridge -- <command>`: what an operator does with a deployed bridge. */
import { registerBackfill } from "./backfill/command";
import { flushed } from "./flushed";
import { onInterrupt } from "./interrupt";
import { registerProbe } from "./probe/command";
import { runProgram } from "./run-program";
import { registerStatus } from "./status/command";

// The SDK's own switch for its warning about older Nodes, which would come with every command.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

async function main(): Promise<void> {
  const interrupt = onInterrupt();
  const exitCode = await runProgram(process.argv.slice(2), {
    commands: [registerStatus, registerBackfill, registerProbe],
    // The clouds' clients take their time to load, and the help does without them.
    open: async (options, signal) => (await import("./open-bridge")).openBridge(options, signal),
    interrupt,
    print: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
  });
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // A call whose client takes no signal may still be waiting for its answer.
  process.exit(exitCode);
}

void main();
