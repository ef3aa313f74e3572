/** The terminal has the rows of the page, in each state that the page shows. */
import type { CommandContext } from "../../../operator/command";
import { headText, overviewText, staleText } from "../../../operator/overview/overview-text";
import type { Snapshot } from "../../../operator/overview/snapshot";
import { overviewOf } from "../../../operator/overview/terminal";
import { failing, healthy, NOW, paused, troubled, unread } from "../../web/scenes";
import { CLOCK, FakeBridge, pullRaw } from "../backfill/fixture";

async function snapshotOf(bridge: FakeBridge): Promise<Snapshot> {
  const context = { bridge, local: true, signal: new AbortController().signal } as unknown as CommandContext;
  return overviewOf(context, undefined, CLOCK.now).look();
}

const rowOf = (text: string, label: string): string | undefined =>
  text.split("\n").find((line) => line.startsWith(label.padEnd(14)));

test("each part of the page has its rows: the state, the reasons with their command, the copies, the letters, the last keys", async () => {
  const snapshot = await snapshotOf(await troubled());
  const text = overviewText(snapshot);
  expect(rowOf(text, "PROBLEM")).toBe(
    "PROBLEM       10 keys do not get across: between the sides: the receiver cannot be connected to",
  );
  expect(rowOf(text, "on their way")).toBe("on their way  25 keys: 18 in the work queue, 7 held in the outage queue");
  expect(rowOf(text, "copy")).toBe("copy          backups/2026-11-20.tar  640 bytes of 1000 bytes (64 %)");
  expect(text).toContain("letter        odd/<script>alert(1)</script>  (5 min ago): too many tags: 11, and at most 10 fit");
  expect(text).toContain("letter        no key can be read: the platform gave the event up");
  for (const { reason, example, remedy } of snapshot.troubles) {
    expect(text).toContain(reason.split(":")[0]);
    expect(text).toContain(example);
    for (const one of [remedy, remedy?.first]) if (one?.command !== undefined) expect(text).toContain(one.command);
  }
  for (const { key } of snapshot.recent.slice(0, 8)) expect(text).toContain(`replicated    ${key}`);
});

test("the charts of the page: a character for each of the last 20 minutes", async () => {
  const text = headText(await snapshotOf(healthy()));
  expect(rowOf(text, "OK")).toBe("OK            nothing is waiting");
  expect(rowOf(text, "each minute")).toMatch(/^each minute {3}[▁▂▃▄▅▆▇█·]{20} {2}objects, at most \d+$/);
  expect(text).toMatch(/\n {14}[▁▂▃▄▅▆▇█·]{20} {2}lag p95, at most \d+\.\d s$/);
  expect(headText(await snapshotOf(new FakeBridge(pullRaw())))).not.toContain("each minute");
});

test.each([
  [
    "a paused bridge",
    paused,
    /^BUSY {10}the bridge is paused, and 12 keys wait; to go on: npm run bridge -- resume --stack dev --local$/m,
  ],
  ["what could not be read", unread, /^NOT KNOWN {5}the dead letters and the work queue .* could not be read$/m],
  [
    "functions that fail",
    failing,
    /^PROBLEM {7}the functions at the source fail: 1 error, the last one: .*the secret cannot be read$/m,
  ],
])("the state of the page in one sentence: %s", async (_what, scene, state) => {
  expect(headText(await snapshotOf(scene()))).toMatch(state);
});

test("a count that is not complete says so", async () => {
  expect(rowOf(headText(await snapshotOf(unread())), "on their way")).toMatch(/^on their way {2}at least 0 keys: /);
});

test("a key that was refused has its reason, and no text of another system writes commands to the terminal", async () => {
  const bridge = healthy();
  const fields = { key: "k", result: "rejected", reason: "no\u001b[2J" };
  bridge.activity = async () => ({ lines: [{ level: "info", message: "notice", fields, atMs: NOW - 1_000 }], complete: true });
  expect(overviewText(await snapshotOf(bridge))).toContain("rejected      k  (1 s ago): no\\u{1b}[2J");
});

test("a snapshot that is too old is not believed", async () => {
  expect(staleText(await snapshotOf(healthy()), CLOCK.now() + 300_000)).toBe(
    "NOT KNOWN     the last look is 5 min old: what is below may have changed",
  );
});
