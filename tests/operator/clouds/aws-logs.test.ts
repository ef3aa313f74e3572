import { patternOf, readFunctionLog } from "../../../operator/clouds/aws-logs";
import { ACTIVITY, WAITING } from "../../../operator/clouds/side";
import { type AwsServer, operationOf, reply, startAws } from "./aws-server";

let aws: AwsServer | undefined;
afterEach(async () => aws?.server.close());

const written = (level: string, message: string, fields: Record<string, unknown> = {}) =>
  JSON.stringify({ level, time: "2026-03-01T00:00:07.000Z", role: "sender", message, ...fields });

/** A CloudWatch Logs that answers with these pages, one after the other. */
async function open(...pages: string[][]): Promise<Record<string, unknown>[]> {
  const asked: Record<string, unknown>[] = [];
  aws = await startAws((request, response) => {
    expect(operationOf(request)).toBe("FilterLogEvents");
    asked.push(JSON.parse(request.body.toString()) as Record<string, unknown>);
    const page = pages[asked.length - 1] ?? [];
    reply(response, {
      events: page.map((message) => ({ timestamp: 1, message })),
      ...(asked.length < pages.length ? { nextToken: `page ${asked.length}` } : {}),
    });
  });
  return asked;
}

test("reads every page, and selects the lines about keys and the errors", async () => {
  const asked = await open(
    [written("info", "put back", { key: "a", failures: 2 }), "START RequestId: 1", written("info", "notice", { key: "b" })],
    [
      `2026-03-01T00:00:07Z\t1\tINFO\t${written("error", "the function failed")}\n${written("info", "held", { key: "c" })}`,
      '{"level":"in',
    ],
  );
  const { lines, complete } = await readFunctionLog(aws?.access as AwsServer["access"], "sender", {
    sinceMs: 17,
    topic: WAITING,
    nowMs: 300_000,
    limit: 100,
  });
  expect(lines.map(({ message, fields }) => [message, fields.key])).toEqual([
    ["put back", "a"],
    ["the function failed", undefined],
    ["held", "c"],
  ]);
  expect(lines[0]).toMatchObject({ level: "info", atMs: Date.parse("2026-03-01T00:00:07Z"), fields: { failures: 2 } });
  expect(complete).toBe(true);
  expect(asked).toEqual([
    {
      logGroupName: "/aws/lambda/sender",
      startTime: 17,
      filterPattern: '{ ($.message = "put back") || ($.message = "held") || ($.message = "parked") || ($.level = "error") }',
    },
    expect.objectContaining({ nextToken: "page 1" }),
  ]);
});

test("stops at the limit, and says that there is more", async () => {
  const asked = await open([written("info", "held", { key: "a" }), written("info", "held", { key: "b" })], []);
  const { lines, complete } = await readFunctionLog(aws?.access as AwsServer["access"], "sender", {
    sinceMs: 0,
    topic: WAITING,
    nowMs: 400_000,
    limit: 1,
  });
  expect(lines).toHaveLength(1);
  expect(complete).toBe(false);
  expect(asked).toHaveLength(1);
});

test("reads the newest five minutes first, and the older ones while there is room", async () => {
  const asked: { startTime: number; endTime?: number }[] = [];
  aws = await startAws((request, response) => {
    const { startTime, endTime } = JSON.parse(request.body.toString()) as { startTime: number; endTime?: number };
    asked.push({ startTime, ...(endTime === undefined ? {} : { endTime }) });
    reply(response, { events: [{ message: written("info", "held", { key: String(startTime) }) }] });
  });
  const { lines, complete } = await readFunctionLog(aws.access, "sender", {
    sinceMs: 100_000,
    topic: WAITING,
    nowMs: 1_000_000,
    limit: 10,
  });
  expect(asked).toEqual([
    { startTime: 700_000 },
    { startTime: 400_000, endTime: 699_999 },
    { startTime: 100_000, endTime: 399_999 },
  ]);
  expect(lines.map(({ fields }) => fields.key)).toEqual(["100000", "400000", "700000"]);
  expect(complete).toBe(true);
  const two = await readFunctionLog(aws.access, "sender", { sinceMs: 100_000, topic: WAITING, nowMs: 1_000_000, limit: 1 });
  expect(two).toMatchObject({ complete: false, lines: [{ fields: { key: "700000" } }] });
});

test("a log group that cannot be read is named", async () => {
  aws = await startAws((_request, response) => reply(response, { __type: "AccessDeniedException", message: "secret" }, 400));
  await expect(readFunctionLog(aws.access, "sender", { sinceMs: 0, topic: WAITING, limit: 1 })).rejects.toMatchObject({
    kind: "PermissionDenied",
    message: "the log group /aws/lambda/sender cannot be read: AccessDeniedException (400)",
  });
});

test("the lines about work, and metrics: both forms of a metric's value", async () => {
  const metrics = (values: Record<string, unknown>) =>
    JSON.stringify({ _aws: { Timestamp: 9, CloudWatchMetrics: [] }, service: "sender", ...values });
  const asked = await open([
    written("info", "notice", { key: "a", result: "replicated" }),
    written("info", "put back", { key: "b" }),
    metrics({ LagMs: [3, 5], Replicated: 2 }),
    metrics({ BytesMoved: 7 }),
    '{"_aws":{}}',
  ]);
  const options = { sinceMs: 0, nowMs: 1, limit: 9, topic: ACTIVITY };
  const { lines } = await readFunctionLog(aws?.access as AwsServer["access"], "sender", options);
  expect(lines.map(({ atMs, message, fields }) => [atMs, message, fields.key ?? fields.metrics])).toEqual([
    [Date.parse("2026-03-01T00:00:07Z"), "notice", "a"],
    [9, "metrics", { service: "sender", LagMs: [3, 5], Replicated: 2 }],
    [9, "metrics", { service: "sender", BytesMoved: 7 }],
  ]);
  expect(asked[0]?.filterPattern).toBe(patternOf(ACTIVITY));
  expect(patternOf(ACTIVITY)).toBe(
    '{ ($.message = "notice") || ($.message = "step done") || ($.message = "copy begins") || ($.message = "copy ends") || ($._aws.Timestamp > 0) }',
  );
});
