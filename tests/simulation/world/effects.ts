/** Calls over a network: each has a request and an answer, which the scheduler delays at will and faults befall. */
import { BridgeError } from "../../../runtime/stores/errors";
import type { ObjectStore } from "../../../runtime/stores/object-store";
import type { Faults } from "./faults";
import { LIMITS } from "./settings";
import type { Steps } from "./steps";
import type { Attempt, VirtualTime } from "./virtual-time";

export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export interface Network {
  steps: Steps;
  time: VirtualTime;
  faults: Faults;
}

/** Runs one effect for a function; never resolves for a dead one. What a dead function had sent may still land for a moment. */
export async function effect<T>(
  { steps, time, faults }: Network,
  attempt: Attempt,
  label: string,
  run: (fault: string | undefined) => Promise<T>,
): Promise<T> {
  if (attempt.dead) return await never();
  const { kind: fault, hold = 0 } = faults.next(label) ?? {};
  if (fault === "stall-and-crash") attempt.die();
  if (fault === "stall" || fault === "stall-and-crash") for (let times = 0; times < hold; times++) await time.passes();
  await steps.schedule(Promise.resolve(), `${attempt.name}: ${label}`);
  if (fault === "crash") attempt.die();
  // What a dead function had sent lands within the network's patience, or never.
  if (attempt.dead && (fault === "crash" || time.now() > attempt.deadlineMs + LIMITS.networkMs)) return await never();
  if (fault === "refuse") throw new BridgeError("Unavailable", opOf(label), "simulated failure before the effect");
  const result = await run(fault);
  await steps.schedule(Promise.resolve(), `${attempt.name}: ${label} answered`);
  if (fault === "lose-answer-and-crash") attempt.die();
  if (attempt.dead) return await never();
  if (fault === "lose-answer") throw new BridgeError("Unavailable", opOf(label), "simulated loss of the answer");
  return result;
}

/** As the stores name it. */
const opOf = (label: string): string => label.slice(label.lastIndexOf(" ") + 1);

/** Every method of a store as an effect. `landed` hears of each at the moment it takes place. */
export function overNetwork<S extends ObjectStore>(
  network: Network,
  attempt: Attempt,
  role: string,
  store: S,
  landed: (op: string, key: string) => void = () => undefined,
): ObjectStore {
  return new Proxy<ObjectStore>(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const { signal, sent } = withoutSignal(args);
        const call = effect(network, attempt, `${role} ${String(name)}`, async () => {
          const result: unknown = await Reflect.apply(member, target, sent);
          landed(String(name), String(args[0]));
          return result;
        });
        return signal === undefined ? call : Promise.race([call, abandoned(signal, String(name))]);
      };
    },
  });
}

/** Giving up on a request does not call it back: it is sent without its signal, and may land after its caller has gone on. */
function withoutSignal(args: readonly unknown[]): { signal: AbortSignal | undefined; sent: unknown[] } {
  const last = args.at(-1);
  if (typeof last !== "object" || last === null || !("signal" in last)) return { signal: undefined, sent: [...args] };
  const { signal, ...rest } = last as { signal: AbortSignal | undefined };
  return { signal, sent: [...args.slice(0, -1), rest] };
}

function abandoned(signal: AbortSignal, op: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    const give = () => reject(new BridgeError("Unavailable", op, "given up"));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}
