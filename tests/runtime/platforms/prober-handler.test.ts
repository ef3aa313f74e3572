import { createProberHandler, ruleTime, timerTime } from "../../../runtime/platforms/prober-handler";
import type { Prober } from "../../../runtime/roles/prober/prober";
import { recordingLogger } from "../support/recording-logger";

const context = { remainingMs: () => 12_345 };
const request = { action: "watch", names: ["a"], attempts: 1, intervalMs: 100 };
const answer = { seen: [], missing: [{ name: "a", attempts: 1 }], pending: [] };
const DUE = Date.parse("2026-03-01T00:05:00Z");

const RULE = {
  version: "0",
  id: "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
  "detail-type": "Scheduled Event",
  source: "aws.events",
  account: "111111111111",
  time: "2026-03-01T00:05:00Z",
  region: "us-east-1",
  resources: [],
  detail: {},
};
const TIMER = { triggerTime: "2026-03-01T00:05:00Z", triggerName: "canary", payload: "" };

function setUp(options: { scheduledMs?: (event: unknown) => number | undefined; failure?: Error } = {}) {
  const seen: unknown[] = [];
  const logger = recordingLogger();
  const ended = (what: unknown, { remainingMs }: typeof context) => {
    seen.push([what, remainingMs()]);
    if (options.failure !== undefined) throw options.failure;
  };
  const prober: Pick<Prober, "handle" | "canary"> = {
    handle: async (asked, time) => {
      ended(asked, time);
      return answer;
    },
    canary: async (dueMs, time) => ended(dueMs, time),
  };
  const handle = createProberHandler(prober, options.scheduledMs ?? ruleTime, logger);
  return { handle, seen, logger };
}

test.each([
  ["an object", request],
  ["text", JSON.stringify(request)],
])("a request as %s reaches the prober, and the answer is returned", async (_how, event) => {
  const { handle, seen } = setUp();
  expect(await handle(event, context)).toEqual(answer);
  expect(seen).toEqual([[request, 12_345]]);
});

test.each([
  ["a scheduled rule", RULE, ruleTime],
  ["a time trigger", JSON.stringify(TIMER), timerTime],
])("%s reaches the prober with the time when it was due", async (_what, event, scheduledMs) => {
  const { handle, seen } = setUp({ scheduledMs });
  expect(await handle(event, context)).toBeUndefined();
  expect(seen).toEqual([[DUE, 12_345]]);
});

test.each<[unknown, RegExp]>([
  [{}, /^the prober's request does not fit: action: /],
  [null, /does not fit: \(root\): /],
  [{ action: "put", objects: [{ name: "../a", sizeBytes: 1 }] }, /does not fit: objects\.0\.name: /],
  [{ action: "put", objects: [{ name: "a", sizeBytes: 64 * 1024 ** 2 + 1 }] }, /does not fit: objects\.0\.sizeBytes: /],
  [{ ...request, attempts: 0, often: 1 }, /does not fit: attempts: .*; \(root\): .*often/],
  ["{", /^the prober's event is not JSON$/],
  [{ ...RULE, time: "soon" }, /^the scheduled event has no time of the form 2026-03-01T00:05:00Z$/],
])("%j is refused by field", async (event, message) => {
  const { handle, seen, logger } = setUp();
  await expect(handle(event, context)).rejects.toThrow(message);
  expect(seen).toEqual([]);
  expect(logger.lines).toMatchObject([{ level: "error", message: "the prober failed" }]);
});

test("an error of the prober is logged and rethrown", async () => {
  const { handle, logger } = setUp({ failure: new Error("the store is away") });
  await expect(handle(request, context)).rejects.toThrow("the store is away");
  expect(logger.lines).toMatchObject([{ level: "error", fields: { error: new Error("the store is away") } }]);
});

test("only an event of a schedule has a time", () => {
  for (const event of [request, {}, null, "text", TIMER, { ...RULE, "detail-type": "Object Created" }])
    expect(ruleTime(event)).toBeUndefined();
  for (const event of [request, {}, null, "text", RULE]) expect(timerTime(event)).toBeUndefined();
  expect(() => timerTime({ ...TIMER, triggerTime: 5 })).toThrow(/no triggerTime of the form/);
});
