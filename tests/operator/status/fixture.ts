import type { CommandContext } from "../../../operator/command";
import type { LogLine, ParkedKey } from "../../../operator/operated-bridge";
import { showStatus } from "../../../operator/status/command";
import type { FakeBridge } from "../backfill/fixture";
import { CLOCK } from "../backfill/fixture";

type Options = Parameters<typeof showStatus>[2];

export interface Shown {
  exitCode: number;
  printed: string[];
  noted: string[];
}

/** Runs `status` on a bridge in memory, with these dead letters. */
export async function status(
  bridge: FakeBridge,
  keys: readonly string[] = [],
  {
    letters = [],
    complete = true,
    json = false,
    now = CLOCK.now,
    signal = new AbortController().signal,
    ...options
  }: Partial<Options> & Given = {},
): Promise<Shown> {
  const printed: string[] = [];
  const noted: string[] = [];
  const context: CommandContext = {
    bridge: Object.assign(bridge, { deadLetters: async () => ({ letters, complete }) }) as FakeBridge,
    access: {} as CommandContext["access"],
    local: true,
    json,
    signal,
    print: (text) => void printed.push(text),
    note: (text) => void noted.push(text),
  };
  const exitCode = await showStatus(context, keys, { prefix: "", side: "source", concurrency: 4, ...options }, now);
  return { exitCode, printed, noted };
}

interface Given {
  letters?: ParkedKey[];
  /** Whether the letters are all letters of the queue. */
  complete?: boolean;
  json?: boolean;
  /** @default the time of every write */
  now?: () => number;
  signal?: AbortSignal;
}

export const parked = (key: string, reason = "refused", parkedAt?: Date): ParkedKey => ({ key, reason, parkedAt });

/** A line of the sender, ten seconds before the test's time unless it says otherwise. */
export const line = (message: string, fields: Record<string, unknown>, atMs = CLOCK.now() - 10_000): LogLine => ({
  level: message === "parked" ? "error" : "info",
  ...{ message, fields, atMs },
});

/** Ten minutes after every write: no event is on its way any more. */
export const later = (): number => CLOCK.now() + 600_000;
