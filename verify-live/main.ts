/** The entry of `npm run verify-live`. */

import { onInterrupt } from "../operator/interrupt";
import { readLocalSession } from "../operator/local-session";
import { systemTime } from "../operator/probe/time";
import { flush } from "../operator/run-program";
import { accessTo } from "../operator/side-access";
import { CHECKS } from "./checks";
import { pulumiDeployment } from "./deployment";
import { runProgram } from "./program";

// Turns off the AWS SDK's warning about older versions of Node.js, which every command would print.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

async function main(): Promise<void> {
  const exitCode = await runProgram(process.argv.slice(2), {
    checks: CHECKS,
    deployment: pulumiDeployment,
    localSession: readLocalSession,
    access: ({ source, destination }) => ({ source: accessTo(source), destination: accessTo(destination) }),
    local: false,
    interrupt: onInterrupt(),
    now: systemTime.now,
    sleep: systemTime.sleep,
    print: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
  });
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  // Ends calls whose clients take no signal.
  process.exit(exitCode);
}

void main();
