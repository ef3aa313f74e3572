/** `logs KEY`. */
import { CannotLook, since } from "../../../operator/command";
import { showLogs } from "../../../operator/logs/command";
import type { KeyLine } from "../../../operator/operated-bridge";
import { FakeBridge, nativeRaw, pullRaw } from "../backfill/fixture";
import { runOn } from "../context";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const line = (side: KeyLine["side"], name: string, changes: Partial<KeyLine>): KeyLine => ({
  ...{ atMs: NOW, level: "info", message: "notice", side, functionName: `crossborderbridge-dev-${name}`, fields: {} },
  ...changes,
});

const LINES = [
  line("source", "sender", {
    message: "put back",
    fields: {
      level: "info",
      time: "t",
      role: "sender",
      key: "a b",
      message: "put back",
      reason: "the receiver answered 503",
      failures: 0,
    },
  }),
  line("destination", "receiver", {
    level: "warn",
    atMs: NOW + 1000,
    fields: { key: "a b", result: "retry", error: { kind: "Unavailable" } },
  }),
];

function bridgeWith(log: Partial<Awaited<ReturnType<FakeBridge["keyLog"]>>>) {
  const bridge = new FakeBridge(pullRaw());
  const asked: unknown[] = [];
  bridge.keyLog = async (key, { sinceMs }) => {
    asked.push([key, new Date(sinceMs).toISOString()]);
    return { lines: LINES, complete: true, notes: [], ...log };
  };
  return { bridge, asked };
}

const show = (bridge: FakeBridge, json = false) =>
  runOn(bridge, (context) => showLogs(context, "a b", { stack: "dev", since: since("2h") }, () => NOW), { json });

test("an error is its message, without its stack, and times are times", async () => {
  const reason = "to-there: S3 answered put with AccessDenied (HTTP 403)";
  const fields = {
    key: "a b",
    reason,
    error: { message: reason, kind: "PermissionDenied", stack: "Error\n    at x" },
    nextTryMs: NOW,
  };
  const other = { key: "a b", error: { message: "another one", stack: "Error" } };
  const { bridge } = bridgeWith({ lines: [line("source", "sender", { fields }), line("source", "sender", { fields: other })] });
  expect((await show(bridge)).printed).toEqual([
    `2026-11-30T12:00:00.000Z  source       sender      notice  (reason ${reason}, nextTryMs 2026-11-30T12:00:00.000Z)`,
    "2026-11-30T12:00:00.000Z  source       sender      notice  (error another one)",
  ]);
});

test("shows the way of the key across both sides, oldest first", async () => {
  const { bridge, asked } = bridgeWith({});
  expect(await show(bridge)).toEqual({
    exitCode: 0,
    printed: [
      "2026-11-30T12:00:00.000Z  source       sender      put back  (reason the receiver answered 503, failures 0)",
      '2026-11-30T12:00:01.000Z  destination  receiver    warn: notice  (result retry, error {"kind":"Unavailable"})',
    ],
    noted: [],
  });
  expect(asked).toEqual([["a b", "2026-11-30T10:00:00.000Z"]]);
});

test("--json prints each line as it is", async () => {
  const { printed } = await show(bridgeWith({}).bridge, true);
  expect(printed.map((text) => JSON.parse(text) as unknown)).toEqual(JSON.parse(JSON.stringify(LINES)));
});

test("says that a side could not be read, and that lines are missing", async () => {
  const { noted } = await show(bridgeWith({ complete: false, notes: ["at the destination: AccessDenied"] }).bridge);
  expect(noted).toEqual(["at the destination: AccessDenied", "not every line was read: the way of the key may have gaps"]);
});

test("no lines are a failure, with the way to look further back", async () => {
  const { exitCode, noted } = await show(bridgeWith({ lines: [] }).bridge);
  expect({ exitCode, noted }).toEqual({ exitCode: 1, noted: ["no function logged a b since 2h; --since looks further back"] });
});

test("no lines of logs that could not be read say nothing about the key", async () => {
  const unread = bridgeWith({
    lines: [],
    complete: false,
    notes: ["at the source: AccessDenied", "at the destination: AccessDenied"],
  });
  await expect(show(unread.bridge)).rejects.toThrow(
    new CannotLook("at the source: AccessDenied\nat the destination: AccessDenied"),
  );
});

test("mode native has no functions", async () => {
  await expect(show(new FakeBridge(nativeRaw()))).rejects.toThrow(/has no functions: mode is native/);
});
