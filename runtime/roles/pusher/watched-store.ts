/** A store whose calls are watched: the breaker learns whether the store works, and an error is known to be of this store. */
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";

export interface StoreWatcher {
  succeeded?(): void;
  /** @param call the name of the method */
  failed(error: BridgeError, call: PropertyKey): void;
}

/** A call that its caller aborted says nothing about the store. */
export function watchedStore(store: ObjectStore, watcher: StoreWatcher): ObjectStore {
  const watch = async (name: PropertyKey, call: Promise<unknown>, signals: readonly AbortSignal[]): Promise<unknown> => {
    try {
      const answer = await call;
      watcher.succeeded?.();
      return answer;
    } catch (error) {
      if (error instanceof BridgeError && signals.every(({ aborted }) => !aborted)) watcher.failed(error, name);
      throw error;
    }
  };
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        const signals = args.flatMap((arg) => (arg as { signal?: AbortSignal } | null | undefined)?.signal ?? []);
        const result: unknown = Reflect.apply(member, target, args);
        return result instanceof Promise ? watch(name, result, signals) : result;
      };
    },
  });
}
