/** Opens both sides of a stack, runs the checks, and shows what they found. */
import type { CommandContext, ExitCode } from "../command";
import { operate } from "../open-bridge";
import type { ConfiguredStack, SideAccess } from "../operated-bridge";
import { checkNames, chooseChecks } from "./catalogue";
import type { CheckedStack } from "./check";
import { AlicloudClients } from "./clouds/alicloud";
import { AwsClients } from "./clouds/aws";
import { assertNames, type DoctorOptions, type OpenConfigured } from "./options";
import { exitCodeOf, reportLines, reportText } from "./report";
import { type Outcome, runChecks } from "./run-checks";

type Context = Omit<CommandContext, "bridge" | "access">;

export async function doctor(context: Context, options: DoctorOptions, open: OpenConfigured): Promise<ExitCode> {
  assertNames(options.only ?? [], checkNames());
  const found = await open(options, context.signal);
  const stack = checkedStack(found, { local: context.local, now: Date.now });
  try {
    const { concurrency: limit, timeout: timeoutMs } = options;
    const all = await runChecks(chooseChecks(options.only), stack, { limit, timeoutMs, signal: context.signal });
    const outcomes = shown(all, options.only);
    if (context.json) for (const line of reportLines(stack, outcomes)) context.print(line);
    else context.print(reportText(stack, outcomes, options.all === true));
    return exitCodeOf(outcomes);
  } finally {
    await closeStack(stack);
  }
}

/** A check that was made for another one shows only what it found. */
const shown = (outcomes: readonly Outcome[], only: readonly string[] | undefined): Outcome[] =>
  outcomes.filter(({ check, state }) => only === undefined || only.includes(check.name) || state === "found");

/** Makes no request to a cloud. */
export function checkedStack(
  { stack: name, config, outputs, access }: ConfiguredStack,
  { local, now }: Pick<CheckedStack, "local" | "now">,
): CheckedStack {
  const clientsOf = (one: SideAccess) => (one.cloud === "alicloud" ? new AlicloudClients(one, now) : new AwsClients(one));
  return {
    ...{ name, config, outputs, local, now },
    bridge: outputs === undefined ? undefined : operate({ stack: name, config, outputs, access }),
    clients: { source: clientsOf(access.source), destination: clientsOf(access.destination) },
  };
}

export async function closeStack({ clients, bridge }: CheckedStack): Promise<void> {
  await Promise.all([clients.source.close(), clients.destination.close(), bridge?.close()]);
}
