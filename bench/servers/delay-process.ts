/** The process of a long link: `delay-process.ts TARGET_PORT ROUND_TRIP_MS WINDOW_BYTES`. Sends its port once it listens. */

import { endWithParent } from "./child";
import { startDelayProxy } from "./delay-proxy";

async function main([targetPort, roundTripMs, windowBytes]: number[]): Promise<void> {
  const { port } = await startDelayProxy(targetPort ?? 0, { roundTripMs: roundTripMs ?? 0, windowBytes: windowBytes ?? 0 });
  process.send?.(port);
}

endWithParent();
void main(process.argv.slice(2).map(Number));
