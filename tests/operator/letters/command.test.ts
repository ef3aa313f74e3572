/** `letters` and `redrive`, on a queue in memory. */
import { redriveQueue, type TakenLetter } from "../../../operator/clouds/side";
import { since } from "../../../operator/command";
import { type LettersOptions, type RedriveCommandOptions, redrive, showLetters } from "../../../operator/letters/command";
import type { ParkedKey } from "../../../operator/operated-bridge";
import { FakeBridge, nativeRaw, pullRaw } from "../backfill/fixture";
import { runOn } from "../context";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const ago = (minutes: number) => new Date(NOW - minutes * 60_000);

const LETTERS: ParkedKey[] = [
  { key: "reports/1", reason: "the receiver answered 403, request 0a1b2c3d4e5f: no ICP licence", parkedAt: ago(5) },
  { key: "reports/2", reason: "the receiver answered 403, request ffffffffffff: no ICP licence", parkedAt: ago(300) },
  { key: "logs/1", reason: "archived as GLACIER", parkedAt: ago(10) },
  { key: "", reason: "the event is of bucket other", parkedAt: undefined },
];

class LetterBridge extends FakeBridge {
  /** The queue, with what is hidden. */
  stored: (TakenLetter & { hidden: boolean })[] = LETTERS.map((letter, index) => ({
    ...{ id: `m${index}`, text: `letter ${index}`, letters: [letter], hidden: false },
  }));
  handed: string[] = [];
  failing = false;
  /** Keys that are handed over come back to the queue at once. */
  givesUp = false;
  /** Called before each receive. */
  onReceive: () => void = () => undefined;

  constructor(raw = pullRaw()) {
    super(raw);
    if (this.config.mode !== "native") this.outputs = { ...this.outputs, deadLetterQueueUrl: "https://sqs.example/letters" };
    this.deadLetters = async ({ limit }) => ({
      letters: this.stored.flatMap(({ letters }) => letters).slice(0, limit),
      complete: this.stored.length <= limit,
    });
    this.redrive = (options) =>
      redriveQueue(
        {
          receive: async () => {
            this.onReceive();
            const found = this.stored.filter(({ hidden }) => !hidden).slice(0, 2);
            for (const one of found) one.hidden = true;
            return found;
          },
          remove: async (letters) => {
            this.stored = this.stored.filter(({ id }) => !letters.some((letter) => letter.id === id));
          },
          giveBack: async (letters) => {
            for (const one of this.stored) if (letters.some(({ id }) => id === one.id)) one.hidden = false;
          },
        },
        options,
        async (texts) => {
          if (this.failing) throw new Error("the work queue is gone");
          this.handed.push(...texts);
          if (!this.givesUp) return;
          for (const text of texts) {
            const { letters } = this.stored.find((one) => one.text === text) ?? { letters: [] };
            const again = letters.map((letter) => ({ ...letter, parkedAt: new Date() }));
            this.stored.push({ id: `again ${this.handed.length} ${text}`, text, letters: again, hidden: false });
          }
        },
      );
  }
}

const letters = (bridge: LetterBridge, options: Partial<LettersOptions> = {}) =>
  runOn(bridge, (context) => showLetters(context, { stack: "dev", prefix: "", limit: 100, ...options }, () => NOW), options);
const drive = (bridge: LetterBridge, options: Partial<RedriveCommandOptions> = {}, signal?: AbortSignal) =>
  runOn(bridge, (context) => redrive(context, { stack: "dev", prefix: "", ...options }, () => NOW), {
    json: options.json === true,
    ...(signal && { signal }),
  });

test("groups the letters by reason, without what differs from request to request", async () => {
  const { exitCode, printed, noted } = await letters(new LetterBridge());
  expect(printed).toEqual([
    "2 letters: the receiver answered 403: no ICP licence",
    "  the newest 5 min ago, for example reports/1",
    "1 letter: archived as GLACIER",
    "  the newest 10 min ago, for example logs/1",
    "1 letter: the event is of bucket other",
    "  for example (no key)",
  ]);
  expect(noted).toEqual(["fix the cause, then: npm run bridge -- redrive --reason <a part of the reason>"]);
  expect(exitCode).toBe(1);
});

test("--reason shows each letter, the newest first", async () => {
  const { printed } = await letters(new LetterBridge(), { reason: "icp" });
  expect(printed.slice(0, 2)).toEqual([
    "2026-11-30T11:55:00.000Z  reports/1  (the receiver answered 403, request 0a1b2c3d4e5f: no ICP licence)",
    "2026-11-30T07:00:00.000Z  reports/2  (the receiver answered 403, request ffffffffffff: no ICP licence)",
  ]);
});

test("--json prints each letter on a line, then a summary", async () => {
  const { printed } = await letters(new LetterBridge(), { json: true, prefix: "reports/" });
  const lines = printed.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ key }) => key)).toEqual(["reports/1", "reports/2", undefined]);
  expect(lines[2]).toMatchObject({ command: "letters", letters: 2, complete: true, groups: [{ letters: 2 }] });
});

test("no letters are fine", async () => {
  const { exitCode, printed } = await letters(new LetterBridge(), { reason: "nothing has this" });
  expect({ exitCode, printed }).toEqual({ exitCode: 0, printed: ["there are no such dead letters"] });
});

test.each([
  ["all of them", {}, ["letter 0", "letter 1", "letter 2", "letter 3"]],
  ["by reason, in any case", { reason: "ICP LICENCE" }, ["letter 0", "letter 1"]],
  ["by prefix", { prefix: "logs/" }, ["letter 2"]],
  ["by time, where a letter without a time counts as new", { since: since("1h") }, ["letter 0", "letter 2", "letter 3"]],
  ["at most so many", { max: 3 }, ["letter 0", "letter 1", "letter 2"]],
] as const)("hands over %s, removes them, and leaves the others", async (_which, options, handed) => {
  const bridge = new LetterBridge();
  const { exitCode, printed } = await drive(bridge, options);
  expect(bridge.handed).toEqual(handed);
  expect(bridge.stored.map(({ text }) => text)).toEqual(
    LETTERS.map((_, index) => `letter ${index}`).filter((text) => !handed.some((one) => one === text)),
  );
  expect(bridge.stored.every(({ hidden }) => !hidden)).toBe(true);
  expect(printed[0]).toMatch(new RegExp(`^${handed.length} letters? (was|were) handed over`));
  expect(exitCode).toBe(0);
});

test("a dry run changes nothing", async () => {
  const bridge = new LetterBridge();
  const { exitCode, noted } = await drive(bridge, { dryRun: true, prefix: "reports/" });
  expect(noted).toEqual(["redrive would hand over 2 keys"]);
  expect([bridge.handed, bridge.stored.length]).toEqual([[], 4]);
  expect(exitCode).toBe(0);
});

test("a letter that could not be handed over stays in the queue, for everybody", async () => {
  const bridge = new LetterBridge();
  bridge.failing = true;
  await expect(drive(bridge)).rejects.toThrow("the work queue is gone");
  expect(bridge.stored).toHaveLength(4);
  expect(bridge.stored.every(({ hidden }) => !hidden)).toBe(true);
});

test("an interruption gives back what was not handed over", async () => {
  const bridge = new LetterBridge();
  const interrupt = new AbortController();
  let receives = 0;
  bridge.onReceive = () => {
    receives += 1;
    if (receives === 2) interrupt.abort(new Error("interrupted"));
  };
  await expect(drive(bridge, { reason: "ICP" }, interrupt.signal)).rejects.toThrow("interrupted");
  expect(bridge.handed).toEqual(["letter 0", "letter 1"]);
  expect(bridge.stored.map(({ text, hidden }) => [text, hidden])).toEqual([
    ["letter 2", false],
    ["letter 3", false],
  ]);
});

test("keys that are given up again at once are handed over once, and said", async () => {
  const bridge = new LetterBridge();
  bridge.givesUp = true;
  const { exitCode, printed, noted } = await drive(bridge);
  expect(bridge.handed).toEqual(["letter 0", "letter 1", "letter 2", "letter 3"]);
  expect(printed).toEqual(["4 letters were handed over, 4 left"]);
  expect(noted).toEqual(["4 of them were given up again at once: fix the cause first (crossborderbridge letters)"]);
  expect(bridge.stored.map(({ hidden }) => hidden)).toEqual([false, false, false, false]);
  expect(exitCode).toBe(1);
});

test("letters that another reader has are reported", async () => {
  const bridge = new LetterBridge();
  // Visible again at once, as after the queue's own time.
  bridge.onReceive = () => {
    for (const one of bridge.stored) one.hidden = false;
  };
  const { exitCode, noted } = await drive(bridge, { prefix: "nothing/" });
  expect(noted).toEqual(["not every letter of the queue was read, because another reader has some: run it again later"]);
  expect(exitCode).toBe(1);
});

test("mode native has no letters", async () => {
  await expect(letters(new LetterBridge(nativeRaw()))).rejects.toThrow(/has no dead-letter queue: mode is native/);
  await expect(drive(new LetterBridge(nativeRaw()))).rejects.toThrow(/has no dead-letter queue: mode is native/);
});
