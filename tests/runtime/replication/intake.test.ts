import type { DecodedRecord } from "../../../runtime/protocol/events";
import type { Look } from "../../../runtime/protocol/ports";
import { Failures, Intake, reasonOf } from "../../../runtime/replication/intake";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { VirtualTime } from "../../support/virtual-time";
import { recordingLogger } from "../support/recording-logger";

function openIntake(settings: { statusTags?: boolean; ownPrincipal?: string } = {}) {
  const clock = new VirtualTime();
  const parked: { look: Look; reason: string; original: string | undefined }[] = [];
  const metrics: string[] = [];
  const deadLetters = {
    park: async (look: Look, reason: string, original?: string) => void parked.push({ look, reason, original }),
  };
  const source = new MemoryStore({ clock, name: "source", versioned: true });
  const logger = recordingLogger();
  const intake = new Intake({
    config: {
      source: { bucket: "source" },
      scope: { prefixes: [], suffixes: [".txt"], tags: {}, minSizeBytes: 3 },
      deletes: "ignore",
      destinationId: "aws:destination",
      ...settings,
    },
    deadLetters,
    clock,
    logger,
    metrics: { add: (name) => void metrics.push(name) },
  });
  const failures = new Failures();
  const accept = (...records: DecodedRecord[]) => intake.accept(records, failures);
  return { intake, accept, failures, parked, metrics, deadLetters, source, logger, nowMs: clock.now() };
}

const half: DecodedRecord = {
  messageId: "m1",
  looks: [
    { bucket: "source", key: "mine", failures: 0 },
    { bucket: "other", key: "theirs", failures: 0 },
    { key: "own look", failures: 2, firstSeenMs: 7 },
  ],
  problem: "a record is of no known source",
  original: "{...}",
};
const FOREIGN = "the event is of bucket other, this bridge serves source";

test("events of another bucket and unreadable parts are parked; the others are accepted", async () => {
  const { accept, parked, metrics, failures, nowMs } = openIntake();
  expect(await accept(half, { looks: [{ key: "b", failures: 0 }] })).toEqual([
    { messageId: "m1", look: { bucket: "source", key: "mine", failures: 0, firstSeenMs: nowMs } },
    { messageId: "m1", look: { key: "own look", failures: 2, firstSeenMs: 7 } },
    { messageId: "", look: { key: "b", failures: 0, firstSeenMs: nowMs } },
  ]);
  expect(parked).toEqual([
    { look: { key: "theirs", failures: 0, firstSeenMs: nowMs }, reason: FOREIGN, original: "{...}" },
    { look: { key: "", failures: 0, firstSeenMs: nowMs }, reason: half.problem, original: "{...}" },
  ]);
  expect(metrics).toEqual(["Parked", "Parked"]);
  expect(failures.list()).toEqual([]);
});

test("the event of a status tag starts nothing: it is counted and logged, and its message is done", async () => {
  const { accept, parked, metrics, failures, logger } = openIntake({ statusTags: true, ownPrincipal: "AROAOWN" });
  const tagged = (key: string, principal: string | undefined) => ({ bucket: "source", key, failures: 0, tagging: { principal } });
  const looks = [
    tagged("own", "AWS:AROAOWN:crossborderbridge-photos-sender"),
    tagged("of another bridge", "AWS:AROAOTHER:crossborderbridge-videos-sender"),
    tagged("of a user", "AWS:AROAUSER:alice"),
    tagged("of nobody", undefined),
    { ...tagged("of another bucket", "AWS:AROAOTHER:crossborderbridge-videos-sender"), bucket: "other" },
  ];
  expect((await accept({ messageId: "m1", looks })).map(({ look }) => look.key)).toEqual(["of a user"]);
  expect(metrics).toEqual(["Skipped", "Skipped", "Skipped", "Skipped"]);
  expect(logger.lines.map(({ level, message, fields }) => [level, message, fields.key])).toEqual(
    ["own", "of another bridge", "of nobody", "of another bucket"].map((key) => ["debug", "skipped", key]),
  );
  expect([parked, failures.list()]).toEqual([[], []]);
});

test("a record that cannot be parked comes back with its reason", async () => {
  const { accept, deadLetters, failures } = openIntake();
  jest.spyOn(deadLetters, "park").mockRejectedValue(new Error("socket"));
  await accept({ messageId: "m1", looks: [], problem: "not JSON" }, { messageId: "m2", looks: half.looks.slice(1, 2) });
  expect(failures.list()).toEqual([
    { messageId: "m1", reason: "not JSON" },
    { messageId: "m2", reason: FOREIGN },
  ]);
});

test.each([
  ["a key out of scope, without a read", "a.jpg", undefined, false, ["Skipped"], 0],
  ["an object out of scope", "a.txt", "12", false, ["Skipped"], 1],
  ["an absent object where deletes are ignored", "a.txt", undefined, false, ["Skipped"], 1],
  ["an object in scope", "a.txt", "123", true, [], 1],
])("inspect: %s", async (_what, key, text, inScope, metrics, heads) => {
  const opened = openIntake();
  const attributes = { headers: {}, metadata: {}, tags: {} };
  if (text) await opened.source.put(key, Buffer.from(text), { sizeBytes: text.length, attributes });
  const inspected = await opened.intake.inspect(opened.source, key);
  expect(inspected?.snapshot?.sizeBytes).toBe(inScope ? text?.length : undefined);
  expect(opened.metrics).toEqual(metrics);
  expect(opened.source.calls.head ?? 0).toBe(heads);
});

test("a message has one failure, the last one", () => {
  const failures = new Failures();
  failures.add(["m1", "m2"], "first");
  failures.add(new Set(["m1"]), "last");
  expect(failures.list()).toEqual([
    { messageId: "m1", reason: "last" },
    { messageId: "m2", reason: "first" },
  ]);
});

test("only the bridge's own errors are quoted", () => {
  expect(reasonOf(new BridgeError("Unavailable", "head", "no answer"), "sender")).toBe("no answer");
  expect(reasonOf(new Error("https://example.com/?signature=x"), "sender")).toBe("unexpected failure in the sender");
});
