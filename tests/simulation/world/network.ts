/** Calls over a network. Each has a request and an answer, which the scheduler delays and faults break. */
import { BridgeError } from "../../../runtime/stores/errors";
import type { Steps } from "./steps";
import type { Attempt, WorldTime } from "./time";

/** How long a request may still land that its sender no longer waits for. */
export const NETWORK_MS = 3_000;

/**
 * What happens to one effect: its function crashes before it, it fails, its answer gets lost, or the network holds it back while everything
 * else happens (a scheduler that picks at random almost never waits that long).
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

/** The `nth` effect with this label fails so; a stall lasts `hold` passings of time. */
export interface Fault {
  label: string;
  nth: number;
  kind: FaultKind;
  hold: number;
}

/** Finds the fault of each effect in the order in which they come. */
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

  /** From now on nothing breaks. */
  end(): void {
    this.over = true;
  }
}

export interface Network {
  steps: Steps;
  time: WorldTime;
  faults: Faults;
  /**
   * A request that was given up lands within `NETWORK_MS` or never, as for functions that live long. Without it, such a request lands at
   * any time up to the hard end of its function.
   */
  forgetsGivenUp: boolean;
}

export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** Runs one effect for a function. It never resolves for a dead function, whose last request may still land for a moment. */
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

/** The operation as the stores name it. */
const opOf = (label: string): string => label.slice(label.lastIndexOf(" ") + 1);

/** A store whose methods are effects of a function. `landed` is called at the moment at which one takes place. */
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

/** Giving up does not call a request back: it is sent without its signal. */
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
