/**
 * Stores over a network, for functions that live long: what a dead function had sent, or what was given up, lands within the network's
 * patience or never.
 */

import { BridgeError } from "../../../runtime/stores/errors";
import type { AppendStore, ObjectStore } from "../../../runtime/stores/object-store";
import { effect, type Network, never } from "../world/effects";
import type { Attempt } from "../world/virtual-time";
import { LIMITS } from "./settings";

export function reach<S extends ObjectStore | AppendStore>(
  network: Network,
  attempt: Attempt,
  role: string,
  store: S,
  landed: (op: string, key: string) => void = () => undefined,
): S {
  return new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const signal = signalOf(args);
        let lastMs = Number.POSITIVE_INFINITY;
        const nobodyWaits = () => {
          lastMs = Math.min(lastMs, network.time.now() + LIMITS.networkMs);
        };
        attempt.whenDead(nobodyWaits);
        const givenUp = whenAborted(signal, nobodyWaits);
        const call = effect(network, attempt, `${role} ${String(name)}`, async () => {
          if (network.time.now() > lastMs) return await never();
          // Giving up does not call a request back: it is sent without its signal.
          const result: unknown = await Reflect.apply(member, target, args.map(withoutSignal));
          landed(String(name), String(args[0]));
          return result;
        });
        return Promise.race([call, givenUp]);
      };
    },
  });
}

function signalOf(args: readonly unknown[]): AbortSignal | undefined {
  const last = args.at(-1);
  return typeof last === "object" && last !== null && "signal" in last ? (last.signal as AbortSignal | undefined) : undefined;
}

function withoutSignal(arg: unknown): unknown {
  if (typeof arg !== "object" || arg === null || !("signal" in arg)) return arg;
  const { signal: _signal, ...rest } = arg;
  return rest;
}

function whenAborted(signal: AbortSignal | undefined, notify: () => void): Promise<never> {
  if (signal === undefined) return never();
  return new Promise((_resolve, reject) => {
    const give = () => {
      notify();
      reject(new BridgeError("Unavailable", "call", "given up"));
    };
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}
