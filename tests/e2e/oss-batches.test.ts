/** Events of an OSS source: many of one moment share requests to the receiver, and a lone one does not wait for others. */
import { ends } from "../../local/cli/ends";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { arrives, openPairEnd, type PairEnd } from "./pairs/pair-end";
import { inBatches } from "./support/batches";
import { START_MS, started } from "./support/stack";

const BURST = 200;
const ARRIVE_MS = 90_000;

let local: LocalStack | undefined;
let source: PairEnd;
let destination: PairEnd;

beforeAll(async () => {
  // The tick comes once in a real minute, so a key that waited for it would not arrive in a few seconds.
  local = await startLocalStack({ stack: "oss-pull" });
  const both = ends(local);
  source = openPairEnd(both.source);
  destination = openPairEnd(both.destination);
}, START_MS);

afterAll(async () => {
  source?.close();
  destination?.close();
  await local?.stop();
}, START_MS);

/** Requests that reached the receiver so far. */
function requests(): number {
  const { clouds } = started(local);
  const { region } = ends(started(local)).destination;
  const lines = clouds.alicloud.fc.logs(region, "crossborderbridge-oss-pull-receiver");
  return lines.filter((line) => line.startsWith("FC Invoke Start")).length;
}

test(
  `a burst of ${BURST} objects reaches the receiver in a quarter as many requests at most, and each arrives`,
  async () => {
    const keys = Array.from({ length: BURST }, (_, index) => `burst/${index}`);
    const before = requests();
    await inBatches(keys, 50, (key) => source.put(key, Buffer.from(key)));
    await inBatches(keys, 20, (key) => arrives(source, destination, key, ARRIVE_MS));
    await started(local).clouds.alicloud.fc.idle();
    expect(requests() - before).toBeLessThanOrEqual(BURST / 4);
  },
  4 * ARRIVE_MS,
);

test(
  "a lone object arrives with a request of its own, before the next tick",
  async () => {
    const before = requests();
    await source.put("lone", Buffer.from("alone"));
    await arrives(source, destination, "lone", 10_000);
    await started(local).clouds.alicloud.fc.idle();
    expect(requests() - before).toBe(1);
  },
  ARRIVE_MS,
);
