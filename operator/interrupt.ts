/** Turns SIGINT, SIGTERM and SIGHUP into an abort, so that a command closes what it opened before it exits. */
import { setMaxListeners } from "node:events";

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export interface Interrupt {
  signal: AbortSignal;
  /** 128 plus the signal's number, as shells do; undefined before a signal. */
  exitCode(): number | undefined;
}

/** The first of these signals aborts. A second one ends the process at once. */
export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  // Every call in progress listens to the signal.
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
