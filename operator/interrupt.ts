/** Ctrl-C and its relatives end a command in an orderly way: what it opened is closed before it exits. */
import { setMaxListeners } from "node:events";

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export interface Interrupt {
  signal: AbortSignal;
  /** By the custom of shells, 128 and the signal's number; undefined while none came. */
  exitCode(): number | undefined;
}

/** From now on the first of these signals aborts. A second one ends the process at once, as it would have without this. */
export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  // Every call that is under way listens to it.
  setMaxListeners(0, controller.signal);
  let exitCode: number | undefined;
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const receive = (name: keyof typeof SIGNALS) => {
    exitCode = 128 + SIGNALS[name];
    for (const other of names) process.removeListener(other, receive);
    controller.abort();
  };
  for (const name of names) process.on(name, receive);
  return { signal: controller.signal, exitCode: () => exitCode };
}
