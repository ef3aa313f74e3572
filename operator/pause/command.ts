/** `bridge pause` and `bridge resume`: events wait in their queues, and nothing is lost. */
import {
  bridgeCommand,
  type CommandContext,
  type CommonOptions,
  type ExitCode,
  FAILED,
  FINE,
  type RegisterCommand,
  UsageError,
} from "../command";
import type { EventWay, EventWays } from "../operated-bridge";

const HELP = `
While a bridge is paused, its queue keeps the events, for up to 7 days. Copies that run go on to their end. Alarms about a sender that is silent
ring. The settings of the stack do not change, so pulumi refresh and pulumi up resume the bridge too. With buffer: none Lambda keeps the events
for 6 hours, and then they become dead letters.`;

export const registerPause: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "pause", "Stops replication: events wait in their queue, and nothing is lost.")
    .addHelpText("after", HELP)
    .action((options: CommonOptions) => onBridge(options, (context) => setWays(context, false)));
  bridgeCommand(program, "resume", "Goes on after a pause: what has waited is replicated.")
    .addHelpText("after", HELP)
    .action((options: CommonOptions) => onBridge(options, (context) => setWays(context, true)));
};

export async function setWays(context: CommandContext, isOpen: boolean): Promise<ExitCode> {
  const { bridge, json, print, note, signal } = context;
  const ways = waysOf(context);
  await ways.set(isOpen, { signal });
  const after = await ways.read({ signal });
  const isDone = after.every((way) => way.isOpen === isOpen);
  if (json) print(JSON.stringify({ command: isOpen ? "resume" : "pause", stack: bridge.stack, paused: !isOpen, ways: after }));
  else for (const way of after) print(wayText(way));
  if (!isDone) note("not every way has changed yet: run the same command again in a minute");
  else if (!isOpen) note("the bridge is paused; go on with: crossborderbridge resume");
  return isDone ? FINE : FAILED;
}

function waysOf({ bridge: { ways, config, stack } }: CommandContext): EventWays {
  if (ways !== undefined) return ways;
  const why =
    config.mode === "native"
      ? "the store itself replicates, and would never replicate what was written meanwhile"
      : "Function Compute has no switch that is known to keep every event";
  throw new UsageError(`${stack} cannot be paused: ${why}`);
}

const wayText = ({ name, isOpen }: EventWay): string => `${isOpen ? "open  " : "closed"}  ${name}`;
