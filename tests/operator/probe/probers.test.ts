import { UsageError } from "../../../operator/command";
import { openProbers } from "../../../operator/probe/probers";
import { VirtualTime } from "../../support/virtual-time";
import { fakeBridge } from "./fake-bridge";

test("says how a stack gets probers where it has none", () => {
  const { bridge } = fakeBridge({ time: new VirtualTime() });
  const { proberFunctionNames: _none, ...outputs } = bridge.outputs;
  const open = () => openProbers({ ...bridge, outputs });
  expect(open).toThrow(UsageError);
  expect(open).toThrow(
    "stack aws-to-china has no probers, the functions that put objects and watch for them: set crossborderbridge:probe: {enabled: true} in Pulumi.aws-to-china.yaml and deploy",
  );
});

const WATCH = { names: ["a"], attempts: 1, intervalMs: 10 };
const OTHERS = "the prober prober-source of the source answered about other objects than were asked for";

test.each<["put" | "watch" | "clean", unknown, string]>([
  [
    "clean",
    { removed: 1 },
    "the prober prober-source of the source answered what this command does not understand; deploy the stack with this version",
  ],
  ["put", { put: [] }, OTHERS],
  ["put", { put: [{ name: "b", sizeBytes: 1, postedAtMs: 1 }] }, OTHERS],
  ["watch", { seen: [], missing: [], pending: [] }, OTHERS],
  ["watch", { seen: [], missing: [{ name: "a", attempts: 1 }], pending: [{ name: "a", attempts: 1 }] }, OTHERS],
])("refuses the answer to %s: %j", async (action, answer, message) => {
  const time = new VirtualTime();
  const { source } = openProbers(fakeBridge({ time, onAnswer: () => answer }).bridge);
  const ask = {
    put: () => source.put({ name: "a", sizeBytes: 1 }),
    watch: () => source.watch(WATCH),
    clean: () => source.clean(["a"]),
  };
  await expect(time.during<unknown>(ask[action]())).rejects.toMatchObject({ kind: "Unexpected", message });
});
