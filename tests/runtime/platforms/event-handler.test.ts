import { createEventHandler } from "../../../runtime/platforms/event-handler";
import type { DecodedRecord } from "../../../runtime/protocol/events";
import { encodeLook, encodeLooks } from "../../../runtime/protocol/queue-messages";
import { recordingLogger } from "../support/recording-logger";

const deadline = { remainingMs: () => 12_345 };

/** A handler whose role fails for these messages, or fails as a whole. */
function setUp(failures: [messageId: string, reason: string][] | Error) {
  const seen: { records: readonly DecodedRecord[]; remainingMs: number }[] = [];
  const logger = recordingLogger();
  const role = {
    handle: async (records: readonly DecodedRecord[], { remainingMs }: typeof deadline) => {
      seen.push({ records, remainingMs: remainingMs() });
      if (failures instanceof Error) throw failures;
      return { failures: failures.map(([messageId, reason]) => ({ messageId, reason })) };
    },
  };
  return { handle: createEventHandler(role, logger), logger, seen };
}

describe("messages of a queue", () => {
  const batch = {
    Records: ["a", "b"].map((key, index) => ({
      eventSource: "aws:sqs",
      messageId: `m${index + 1}`,
      attributes: { ApproximateReceiveCount: "1" },
      body: encodeLook({ key, failures: 0, firstSeenMs: 1 }),
    })),
  };
  const itemsOf = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

  test("reach the role decoded; those that failed come back, the others are acknowledged", async () => {
    const { handle, seen } = setUp([["m2", "the receiver is down"]]);
    expect(await handle(batch, deadline)).toEqual(itemsOf("m2"));
    expect(seen).toEqual([
      {
        records: [
          { messageId: "m1", looks: [{ key: "a", failures: 0, firstSeenMs: 1 }] },
          { messageId: "m2", looks: [{ key: "b", failures: 0, firstSeenMs: 1 }] },
        ],
        remainingMs: 12_345,
      },
    ]);
  });

  test.each<[string, [string, string][] | Error, string[]]>([
    ["none failed: none comes back", [], []],
    ["the role itself fails: all come back", new Error("broken"), ["m1", "m2"]],
    ["a failure names no message of the batch: all come back", [["", "the receiver is down"]], ["m1", "m2"]],
  ])("%s", async (_what, failures, ids) => {
    const { handle, logger } = setUp(failures);
    expect(await handle(batch, deadline)).toEqual(itemsOf(...ids));
    expect(logger.lines).toMatchObject(failures instanceof Error ? [{ level: "error", fields: { error: failures } }] : []);
  });
});

describe("the timer", () => {
  const TICK = '{"crossborderbridge":"tick"}';
  const timed = { triggerTime: "2026-03-01T00:00:00Z", triggerName: "tick", payload: TICK };

  test.each([
    ["EventBridge", JSON.parse(TICK)],
    ["Function Compute, as text", JSON.stringify(timed)],
    ["Function Compute, parsed", timed],
  ])("of %s calls the role's tick", async (_what, event) => {
    const ticks: number[] = [];
    const role = {
      handle: async () => ({ failures: [] }),
      tick: async ({ remainingMs }: typeof deadline) => void ticks.push(remainingMs()),
    };
    expect(await createEventHandler(role, recordingLogger())(event, deadline)).toBeUndefined();
    expect(ticks).toEqual([12_345]);
  });

  test("a tick that fails fails the invocation", async () => {
    const tick = async () => {
      throw new Error("no queue");
    };
    const handle = createEventHandler({ handle: async () => ({ failures: [] }), tick }, recordingLogger());
    await expect(handle(JSON.parse(TICK), deadline)).rejects.toThrow("no queue");
  });
});

describe.each([
  [
    "an event of S3",
    { Records: [{ eventSource: "aws:s3", s3: { bucket: { name: "photos" }, object: { key: "a+b" } } }] },
    { bucket: "photos", key: "a b", failures: 0 },
  ],
  [
    "an event of OSS, as text",
    JSON.stringify({
      events: [
        {
          eventName: "ObjectCreated:PutObject",
          eventSource: "acs:oss",
          oss: { bucket: { name: "photos" }, object: { key: "a" } },
          responseElements: { requestId: "R1" },
        },
      ],
    }),
    { bucket: "photos", key: "a", failures: 0, eventId: "R1" },
  ],
])("%s without a queue", (_what, event, look) => {
  test("reaches the role decoded, and the handler returns nothing", async () => {
    const { handle, seen } = setUp([]);
    expect(await handle(event, deadline)).toBeUndefined();
    expect(seen).toEqual([{ records: [{ looks: [look] }], remainingMs: 12_345 }]);
  });

  test("is retried, and the error holds each reason once", async () => {
    const { handle } = setUp(["the receiver is down", "the receiver is down", "throttled"].map((reason) => ["", reason]));
    await expect(handle(event, deadline)).rejects.toThrow(/^the receiver is down; throttled$/);
  });

  test("is retried when the role itself fails", async () => {
    const { handle, logger } = setUp(new Error("broken"));
    await expect(handle(event, deadline)).rejects.toThrow(/failed unexpectedly/);
    expect(logger.lines).toMatchObject([{ level: "error", fields: { error: new Error("broken") } }]);
  });
});

test("an event that the platform delivers again says so in each of its looks", async () => {
  const { handle, seen } = setUp([]);
  const event = encodeLooks(["a", "b"].map((key) => encodeLook({ key, failures: 0, firstSeenMs: 1 })));
  for (const delivery of [undefined, { isRepeat: false }, { isRepeat: true }]) await handle(event, deadline, delivery);
  expect(seen.map(({ records }) => records.flatMap(({ looks }) => looks.map(({ redelivered }) => redelivered)))).toEqual([
    [undefined, undefined],
    [undefined, undefined],
    [true, true],
  ]);
});

test("text that is no event reaches the role as a problem", async () => {
  const { handle, seen } = setUp([]);
  await handle("{", deadline);
  expect(seen[0]?.records).toMatchObject([{ looks: [], problem: expect.stringMatching(/not JSON/), original: "{" }]);
});
