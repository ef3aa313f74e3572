/** Calls over a network. Each has a request and an answer. The scheduler delays them, and faults break them. */
import { BridgeError } from "../../../runtime/stores/errors";
import type { Steps } from "./steps";
import type { Attempt, WorldTime } from "./time";

/** How long a request may still take effect after its sender has stopped waiting. */
export const NETWORK_MS = 3_000;

/**
 * Kinds of faults of one call: its function crashes before it, it fails, its answer is lost, or the network holds it while all other work
 * goes on (a random scheduler almost never delays a call that long).
 */
export type FaultKind =
  | "crash"
  | "refuse"
  | "lose-answer"
  | "lose-answer-and-crash"
  | "stall"
  | "stall-and-crash"
  /** The platform starts the function twice, as at-least-once allows. Only for `launch`. */
  | "twice";

/** The `nth` call with this label fails. A stall ends after time has advanced `hold` times. */
export interface Fault {
  label: string;
  nth: number;
  kind: FaultKind;
  hold: number;
}

/** Counts the calls of each label and finds the fault of a call. */
export class Faults {
  private readonly counts = new Map<string, number>();
  private over = false;

  constructor(private readonly faults: readonly Fault[]) {}

  next(label: string): Fault | undefined {
    if (this.over) return undefined;
    const nth = (this.counts.get(label) ?? 0) + 1;
    this.counts.set(label, nth);
    return this.faults.find((fault) => fault.label === label && fault.nth === nth);
  }

  /** Turns all faults off. */
  end(): void {
    this.over = true;
  }
}

export interface Network {
  steps: Steps;
  time: WorldTime;
  faults: Faults;
  /**
   * True: an aborted request takes effect within `NETWORK_MS` or never, as for long running functions. False: it takes effect at any time
   * up to the hard end of its function.
   */
  forgetsGivenUp: boolean;
}

export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** Runs one call of a function. It never resolves for a dead function, but its last request may take effect within `NETWORK_MS`. */
export async function effect<T>(
  { steps, time, faults }: Network,
  attempt: Attempt,
  label: string,
  run: (fault: string | undefined) => Promise<T>,
): Promise<T> {
  if (attempt.dead) return await never();
  const { kind: fault, hold = 0 } = faults.next(label) ?? {};
  if (fault === "stall-and-crash") attempt.die();
  if (fault === "stall" || fault === "stall-and-crash") for (let count = 0; count < hold; count++) await time.passes();
  await steps.schedule(Promise.resolve(), `${attempt.name}: ${label}`);
  if (fault === "crash") attempt.die();
  if (attempt.dead && (fault === "crash" || time.now() > attempt.deadlineMs + NETWORK_MS)) return await never();
  if (fault === "refuse") throw new BridgeError("Unavailable", opOf(label), "simulated failure before the effect");
  const result = await run(fault);
  await steps.schedule(Promise.resolve(), `${attempt.name}: ${label} answered`);
  if (fault === "lose-answer-and-crash") attempt.die();
  if (attempt.dead) return await never();
  if (fault === "lose-answer") throw new BridgeError("Unavailable", opOf(label), "simulated loss of the answer");
  return result;
}

/** The operation's name in the stores. */
const opOf = (label: string): string => label.slice(label.lastIndexOf(" ") + 1);

/** A store whose methods are calls of a function over the network. `landed` is called when a call takes effect. */
export function overNetwork<S extends object>(
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
        const { signal, sent } = withoutSignal(args);
        let lastMs = Number.POSITIVE_INFINITY;
        const giveUp = () => {
          if (network.forgetsGivenUp) lastMs = Math.min(lastMs, network.time.now() + NETWORK_MS);
        };
        attempt.whenDead(giveUp);
        const call = effect(network, attempt, `${role} ${String(name)}`, async () => {
          if (network.time.now() > lastMs) return await never();
          const result: unknown = await Reflect.apply(member, target, sent);
          landed(String(name), String(args[0]));
          return result;
        });
        return signal === undefined ? call : Promise.race([call, rejectWhenAborted(signal, String(name), giveUp)]);
      };
    },
  });
}

/** Aborting cannot cancel a sent request, so the request is sent without its signal. */
function withoutSignal(args: readonly unknown[]): { signal: AbortSignal | undefined; sent: unknown[] } {
  const last = args.at(-1);
  if (typeof last !== "object" || last === null || !("signal" in last)) return { signal: undefined, sent: [...args] };
  const { signal, ...rest } = last as { signal: AbortSignal | undefined };
  return { signal, sent: [...args.slice(0, -1), rest] };
}

function rejectWhenAborted(signal: AbortSignal, op: string, giveUp: () => void): Promise<never> {
  return new Promise((_resolve, reject) => {
    const give = () => {
      giveUp();
      reject(new BridgeError("Unavailable", op, "given up"));
    };
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}
