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
import { bridgeCommand as commandOf } from "../overview/remedies";

const HELP = `
While a bridge is paused, its work queue keeps the keys, for up to 7 days. Copies that run go on to their end. Alarms about a sender that is
silent, or about keys that wait, ring. status, watch and doctor say that the bridge is paused. The settings of the stack do not change, so a
deployment that updates its functions, such as pulumi up --refresh, resumes the bridge too. In AWS the mapping of the queue and the tick are
switched off. In Alibaba Cloud, and with buffer: none, a variable of the functions lets them store each key in the work queue instead.

Examples:
  crossborderbridge pause --stack production
  crossborderbridge resume --stack production`;

export const registerPause: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "pause", "Stops replication: events wait in their queue, and nothing is lost.")
    .addHelpText("after", HELP)
    .action((options: CommonOptions) => onBridge(options, (context) => setWays(context, false)));
  bridgeCommand(program, "resume", "Goes on after a pause: what has waited is replicated.")
    .addHelpText("after", HELP)
    .action((options: CommonOptions) => onBridge(options, (context) => setWays(context, true)));
};

export async function setWays(context: CommandContext, isOpen: boolean): Promise<ExitCode> {
  const { bridge, local, json, print, note, signal } = context;
  const ways = waysOf(context);
  await ways.set(isOpen, { signal });
  const after = await ways.read({ signal });
  const isDone = after.every((way) => way.isOpen === isOpen);
  if (json) print(JSON.stringify({ command: isOpen ? "resume" : "pause", stack: bridge.stack, paused: !isOpen, ways: after }));
  else for (const way of after) print(wayText(way));
  if (!isDone) note("not every way has changed yet: run the same command again in a minute");
  else if (!isOpen) note(`the bridge is paused; go on with: ${commandOf("resume", { stack: bridge.stack, local })}`);
  return isDone ? FINE : FAILED;
}

function waysOf({ bridge: { ways, stack } }: CommandContext): EventWays {
  if (ways !== undefined) return ways;
  throw new UsageError(
    `${stack} cannot be paused: in mode native the store itself replicates, and would never replicate what was written meanwhile`,
  );
}

const wayText = ({ name, isOpen }: EventWay): string => `${isOpen ? "open  " : "closed"}  ${name}`;
