/** `watch --terminal`: the overview in the terminal, until Ctrl-C. */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type CommandContext, type ExitCode, FINE } from "../command";
import { CLOUD_PACE, LOCAL_PACE, Overview, type Pace } from "./overview";
import { overviewText, staleText } from "./overview-text";
import type { Snapshot } from "./snapshot";

export interface TerminalOptions {
  /** The text replaces the one before. Else each is printed below it. */
  isTerminal: boolean;
  /** @default that of the clouds or of the local clouds */
  pace?: Pace;
  now(): number;
}

/** Moves to the first line and clears the screen. */
const CLEAR = "\u001b[H\u001b[2J";

/** A look takes some seconds where a side is slow to answer. */
const SLOW_LOOK_MS = 20_000;

/** With --json each look is one line. */
export async function watchInTerminal(context: CommandContext, options: TerminalOptions): Promise<ExitCode> {
  const { json, signal, print } = context;
  const { isTerminal, now, pace = paceOf(context) } = options;
  const overview = overviewOf(context, pace, now);
  let last: Snapshot | undefined;
  const unsubscribe = overview.subscribe((snapshot) => {
    last = snapshot;
    if (json) print(JSON.stringify(snapshot));
    else print(isTerminal ? `${CLEAR}${overviewText(snapshot)}` : `${overviewText(snapshot)}\n`);
  });
  const clock = setInterval(() => {
    if (json || last === undefined || now() - last.atMs <= 3 * pace.everyMs + SLOW_LOOK_MS) return;
    const stale = staleText(last, now());
    print(isTerminal ? `${CLEAR}${stale}\n\n${overviewText(last)}` : stale);
  }, pace.everyMs);
  try {
    await Promise.race([signal.aborted ? undefined : once(signal, "abort"), overview.failed]);
  } finally {
    clearInterval(clock);
    unsubscribe();
  }
  return FINE;
}

const paceOf = ({ local }: Pick<CommandContext, "local">): Pace => (local ? LOCAL_PACE : CLOUD_PACE);

/** A reader of the bridge of a command. */
export function overviewOf(context: CommandContext, pace = paceOf(context), now: () => number = Date.now): Overview {
  const { bridge, local, signal } = context;
  const sleep = (ms: number, wake: AbortSignal) => delay(ms, undefined, { signal: wake });
  return new Overview({ bridge, local, pace, now, sleep, signal });
}
