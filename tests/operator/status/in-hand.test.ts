/** What `status` says of keys that wait, and its exit codes: the log, the outage queue and the executions are those of the test. */
import type { OperatedBridge } from "../../../operator/operated-bridge";
import { statusLine } from "../../../operator/status/status-text";
import { BridgeError } from "../../../runtime/stores/errors";
import { CLOCK, FakeBridge, pullRaw } from "../backfill/fixture";
import { later, line, parked, status } from "./fixture";

const NOW = later();
const border = { place: "border", failures: 6, waits: 0, nextTryMs: NOW + 38_000, firstSeenMs: CLOCK.now() - 3_600_000 };

async function withKeys(...keys: string[]): Promise<FakeBridge> {
  const bridge = new FakeBridge(pullRaw());
  for (const key of keys) await bridge.put(key, "abc");
  return bridge;
}

const logging =
  (...lines: ReturnType<typeof line>[]): OperatedBridge["log"] =>
  async () => ({ lines, complete: true });

const withoutVersion = (text = "") => text.replace(/version [^,)]+, /, "");

test.each([
  [
    "the secret was changed",
    { ...border, reason: "the receiver refused: 401: the signing secrets of sender and receiver differ" },
    "between the sides: the receiver refused: 401: the signing secrets of sender and receiver differ",
  ],
  [
    "the receiver's policy was deleted",
    { ...border, place: "destination", store: "aws-cn:to-there", reason: "to-there: S3 answered put with AccessDenied" },
    "destination aws-cn:to-there: S3 answered put with AccessDenied",
  ],
  [
    "the source cannot be read",
    { ...border, place: "source", store: "aws:from-here", reason: "S3 answered get with AccessDenied" },
    "source aws:from-here: S3 answered get with AccessDenied",
  ],
])("%s: the reason of the sender's log with its side, the tries, and the next one", async (_what, fields, reason) => {
  const bridge = await withKeys("k");
  bridge.log = logging(line("put back", { key: "k", ...fields }, NOW - 1_000));
  const { printed, exitCode } = await status(bridge, ["k"], { now: later });
  expect(withoutVersion(printed[0])).toBe(
    `PENDING       k  (3 bytes, failed 6 times, waits since 09:00 UTC, ${reason}, next in 38 s)`,
  );
  expect(exitCode).toBe(0);
});

test("the newest line of a key counts, and the oldest one gives the time where no line has it", async () => {
  const bridge = await withKeys("k");
  bridge.log = logging(
    line("put back", { key: "k", failures: 1, delaySeconds: 20, reason: "first" }, NOW - 600_000),
    line("put back", { key: "k", failures: 0, waits: 2, delaySeconds: 60, reason: "second", place: "destination" }, NOW - 30_000),
  );
  const { printed } = await status(bridge, ["k"], { now: later });
  expect(withoutVersion(printed[0])).toBe(
    "PENDING       k  (3 bytes, waited 2 times, waits since 10:00 UTC, destination: second, next in 30 s)",
  );
});

test("keys of an outage: the outage queue tells, whatever the log of the last minutes says", async () => {
  const bridge = await withKeys("held", "back");
  const last = { reason: "the receiver does not answer: ECONNREFUSED", place: "border", atMs: NOW - 7_200_000 } as const;
  bridge.held = async () => ({
    looks: [{ key: "held", failures: 0, waits: 1, firstSeenMs: NOW - 90_000_000, last }],
    complete: true,
  });
  bridge.log = logging(line("held", { key: "back", reason: last.reason, place: "border" }, NOW - 60_000));
  const { printed } = await status(bridge, ["held", "back"], { now: later });
  expect(printed.map(withoutVersion)).toEqual([
    "PENDING       held  (3 bytes, held in the outage queue, waits since 2026-11-20 09:10 UTC, between the sides: the receiver does not answer: ECONNREFUSED, next when the other side answers, asked once a minute)",
    "PENDING       back  (3 bytes, waits since 10:09 UTC, between the sides: the receiver does not answer: ECONNREFUSED)",
  ]);
});

test("push: an execution that runs, with the reason of the pusher's log", async () => {
  const bridge = await withKeys("k", "quiet");
  bridge.executions = async () => ({
    executions: [
      { key: "k", startedMs: NOW - 60_000 },
      { key: "quiet", startedMs: NOW - 120_000 },
    ],
    complete: true,
  });
  bridge.log = logging(
    line("put back", { key: "k", failures: 2, reason: "OSS answered put with AccessDenied", place: "destination" }),
  );
  const { printed } = await status(bridge, ["k", "quiet"], { now: later });
  expect(printed.map(withoutVersion)).toEqual([
    "PENDING       k  (3 bytes, its execution runs, failed 2 times, waits since 09:59 UTC, destination: OSS answered put with AccessDenied)",
    "PENDING       quiet  (3 bytes, its execution runs, waits since 10:08 UTC, not at the destination yet)",
  ]);
});

test("an object that was there, was removed at the destination, and has nothing queued: NONE, what to do, and exit code 1", async () => {
  const bridge = await withKeys("k", "fine");
  await bridge.replicate("fine");
  const { printed, exitCode } = await status(bridge, ["k"], { now: later });
  expect(withoutVersion(printed[0])).toBe(
    "NONE          k  (3 bytes, not at the destination yet; nothing is queued for it: run a backfill with --prefix of this key)",
  );
  expect(exitCode).toBe(1);
  expect((await status(bridge, ["fine"], { now: later })).exitCode).toBe(0);
  // A key that is on neither side is nobody's loss.
  expect((await status(bridge, ["nope"], { now: later })).exitCode).toBe(0);
});

test("the summary groups keys by reason, without what differs from request to request", async () => {
  const bridge = await withKeys("a", "b", "c", "d");
  const reason = (request: string) => `S3 answered put with AccessDenied (HTTP 403, request ${request}): check the policies`;
  bridge.log = logging(
    line("put back", { key: "a", ...border, place: "destination", reason: reason("TX0123456789"), nextTryMs: NOW + 5_000 }),
    line("put back", { key: "b", ...border, place: "destination", reason: reason("TX9876543210"), failures: 2 }),
  );
  bridge.held = async () => ({ looks: [{ key: "c", failures: 0, firstSeenMs: CLOCK.now() }], complete: true });
  const { printed, exitCode } = await status(bridge, [], { now: later, letters: [parked("d", "too many tags")] });
  expect(printed.join("\n").split("\n\n")[1]).toBe(
    [
      "PENDING       2 objects: destination: S3 answered put with AccessDenied (HTTP 403): check the policies",
      "              failed up to 6 times, waits since 09:00 UTC, next in 5 s, for example a",
      "PENDING       1 object: not at the destination yet",
      "              held in the outage queue, waits since 10:00 UTC, for example c",
      "FAILED        1 object: too many tags",
      "              for example d",
    ].join("\n"),
  );
  expect(exitCode).toBe(1);
  const { reasons } = JSON.parse((await status(bridge, [], { now: later, json: true })).printed.join(""));
  expect(reasons[0]).toMatchObject({ status: "PENDING", place: "destination", objects: 2, failures: 6, nextTryMs: NOW + 5_000 });
});

test("--max-age: the exit code is 4 once a key has waited longer, by its first event", async () => {
  const bridge = await withKeys("k");
  bridge.log = logging(line("put back", { key: "k", ...border, reason: "401" }, NOW - 1_000));
  const within = await status(bridge, [], { now: later, maxAge: 5_000_000 });
  expect(within.exitCode).toBe(0);
  const beyond = await status(bridge, [], { now: later, maxAge: 900_000 });
  expect(beyond).toMatchObject({ exitCode: 4, noted: ["k waits for 70 min, longer than --max-age"] });
  expect((await status(bridge, ["k"], { now: later, maxAge: 900_000 })).exitCode).toBe(4);
  // A key that failed weighs more.
  expect((await status(bridge, [], { now: later, maxAge: 1, letters: [parked("k")] })).exitCode).toBe(1);
});

test("--max-age: a key without a word of the bridge counts from its write", async () => {
  const bridge = await withKeys("k");
  const { exitCode } = await status(bridge, [], { now: () => CLOCK.now() + 120_000, maxAge: 60_000 });
  expect(exitCode).toBe(4);
});

describe("a destination that is gone", () => {
  async function lost(): Promise<FakeBridge> {
    const bridge = await withKeys("k", "other");
    bridge.to.list = () => {
      throw new BridgeError("NoSuchBucket", "list", "S3 answered list with NoSuchBucket (HTTP 404)");
    };
    bridge.log = logging(
      line("put back", { key: "k", ...border, place: "destination", store: "aws-cn:to-there", reason: "NoSuchBucket" }),
    );
    return bridge;
  }

  test("is said at once with its side and bucket, with what the bridge itself says, and exit code 3", async () => {
    const { exitCode, noted, printed } = await status(await lost(), [], { now: later, letters: [parked("p", "too many tags")] });
    expect(exitCode).toBe(3);
    expect(noted).toEqual([
      expect.stringMatching(
        /^the destination bucket \S+ \(aws-cn, \S+\): S3 answered list with NoSuchBucket \(HTTP 404\); the bucket is gone/,
      ),
      "the objects were not compared; the bridge itself says:",
    ]);
    expect(printed.join("\n")).toBe(
      [
        "PENDING       1 object: destination aws-cn:to-there: NoSuchBucket",
        "              failed up to 6 times, waits since 09:00 UTC, next in 38 s, for example k",
        "FAILED        1 object: too many tags",
        "              for example p",
        "",
        "do            Create the bucket again, then run a backfill: what had arrived before is gone. (docs/runbook.md#the-destination-bucket-is-gone)",
        "              npm start -- --redeploy --stack dev && npm run bridge -- backfill --stack dev --local",
        "do            The bridge gave these keys up. Mend the cause, then send the letters again. (docs/runbook.md#dead-letters-not-empty)",
        "              npm run bridge -- redrive --stack dev --local",
      ].join("\n"),
    );
  });

  test("named keys show what the bridge says of them", async () => {
    const { exitCode, printed } = await status(await lost(), ["k"], { now: later });
    expect(exitCode).toBe(3);
    expect(printed).toEqual([
      "PENDING       k  (failed 6 times, waits since 09:00 UTC, destination aws-cn:to-there: NoSuchBucket, next in 38 s)",
    ]);
  });

  test("as JSON", async () => {
    const { printed } = await status(await lost(), [], { now: later, json: true });
    expect(JSON.parse(printed.join(""))).toMatchObject({ stack: "dev", reasons: [{ reason: "NoSuchBucket", objects: 1 }] });
  });
});

test("a log that cannot be read is a note, and no key is called lost for it", async () => {
  const bridge = await withKeys("k");
  bridge.log = () =>
    Promise.reject(new BridgeError("PermissionDenied", "log", "the log group /aws/lambda/s cannot be read: AccessDenied"));
  const { exitCode, noted, printed } = await status(bridge, ["k"], { now: later });
  expect(noted).toEqual([
    "the log group /aws/lambda/s cannot be read: AccessDenied",
    "a key may wait for a reason that is not shown",
  ]);
  expect(printed[0]).toMatch(/^PENDING .*not at the destination yet\)$/);
  expect(exitCode).toBe(0);
});

test("errors of the functions that name no key are a note", async () => {
  const bridge = await withKeys("k");
  const error = { name: "Error", message: "CROSSBORDERBRIDGE_CONFIG is not set" };
  bridge.log = logging(
    { ...line("the function failed", { error }), level: "error" },
    { ...line("the function failed", { error }), level: "error" },
    { ...line("breaker opened", { keys: 3 }), level: "error" },
  );
  const { noted } = await status(bridge, ["k"], { now: later });
  expect(noted).toEqual([
    "the functions at the source logged 2 errors in the last 20 minutes, the last one: the function failed: CROSSBORDERBRIDGE_CONFIG is not set",
  ]);
});

test("a bug is no note", async () => {
  const bridge = await withKeys("k");
  bridge.held = () => Promise.reject(new TypeError("a bug"));
  await expect(status(bridge, ["k"])).rejects.toThrow("a bug");
});

test("a try that is due says so", () => {
  const progress = { state: "queued", atMs: 1, failures: 1, waits: 0, nextTryMs: 5 } as const;
  expect(statusLine({ key: "k", status: "PENDING", reason: "r", progress }, 10)).toBe(
    "PENDING       k  (failed once, r, next is due)",
  );
});
