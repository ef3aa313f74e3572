import type { Dispatcher } from "undici";
import type { Clock } from "../../protocol/ports";

/**
 * A function is frozen between its invocations and does not see its sockets being closed. A request on a dead one breaks in a
 * way that looks as if an attempt were running, and waiting for its end costs half a minute.
 */
const MAX_IDLE_MS = 3_000;

/** Keep-alive while it is busy, new sockets after a pause. */
export function freshDispatcher(clock: Clock, open: () => Dispatcher): () => Dispatcher {
  let dispatcher = open();
  let usedAtMs = clock.now();
  return () => {
    if (clock.now() - usedAtMs > MAX_IDLE_MS) {
      // Graceful: a request that is still under way on it ends as it would have.
      void dispatcher.close();
      dispatcher = open();
    }
    usedAtMs = clock.now();
    return dispatcher;
  };
}
