import { UsageError } from "../../../operator/command";
import { assertSizesInScope, directionsOf, planObjects } from "../../../operator/probe/plan";
import { VirtualTime } from "../../support/virtual-time";
import { fakeBridge } from "./fake-bridge";

const bridgeOf = (options: { twoWay?: boolean; config?: Record<string, unknown> } = {}) =>
  fakeBridge({ time: new VirtualTime(), ...options }).bridge;

test("plans round by round, so that a change of traffic affects every size and direction alike", () => {
  const plan = planObjects({ run: "r", sizes: [1, 2], count: 2, directions: ["source->destination", "destination->source"] });
  expect(plan.map(({ name }) => name)).toEqual([
    "r/from-source-1-1",
    "r/from-destination-1-1",
    "r/from-source-2-1",
    "r/from-destination-2-1",
    "r/from-source-1-2",
    "r/from-destination-1-2",
    "r/from-source-2-2",
    "r/from-destination-2-2",
  ]);
  expect(plan.at(-1)).toEqual({ name: "r/from-destination-2-2", sizeBytes: 2, direction: "destination->source", number: 2 });
});

test("a one-way stack has no way back: the plan says so", () => {
  const remark = "stack aws-to-china is one-way: there is no way back to measure";
  expect(directionsOf("both", bridgeOf())).toEqual({ directions: ["source->destination"], remark });
  expect(directionsOf("forth", bridgeOf())).toEqual({ directions: ["source->destination"] });
  expect(() => directionsOf("back", bridgeOf())).toThrow(UsageError);
});

test("a two-way stack has both directions", () => {
  const bridge = bridgeOf({ twoWay: true });
  expect(directionsOf("both", bridge)).toEqual({ directions: ["source->destination", "destination->source"] });
  expect(directionsOf("forth", bridge)).toEqual({ directions: ["source->destination"] });
  expect(directionsOf("back", bridge)).toEqual({ directions: ["destination->source"] });
});

test("refuses sizes that the scope leaves out", () => {
  const bridge = bridgeOf({
    config: { scope: { minSizeBytes: 1000, maxSizeBytes: 2000 }, probe: { enabled: true, sizeBytes: 1500 } },
  });
  expect(() => assertSizesInScope([1000, 2000], bridge)).not.toThrow();
  expect(() => assertSizesInScope([999, 1500, 2048], bridge)).toThrow(
    new UsageError("--sizes: 999 B, 2 KiB would never be replicated; the stack's scope takes objects of 1000 to 2000 bytes"),
  );
  expect(() => assertSizesInScope([0, 1 << 26], bridgeOf())).not.toThrow();
});
