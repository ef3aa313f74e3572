import { statusLine, summaryText } from "../../../operator/status/render";
import type { Summary } from "../../../operator/status/summary";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const none = { objects: 0, bytes: 0 };
const EMPTY: Summary = {
  ...none,
  statuses: { PENDING: none, COMPLETED: none, FAILED: none, REPLICA: none, NONE: none, OUT_OF_SCOPE: none },
};

test("a summary in columns, without what there is none of", () => {
  const summary: Summary = {
    objects: 1_234_571,
    bytes: 5 * 1024 ** 4 + 3,
    statuses: {
      ...EMPTY.statuses,
      PENDING: { objects: 4, bytes: 3 },
      COMPLETED: { objects: 1_234_567, bytes: 5 * 1024 ** 4 },
    },
    oldestPending: { key: "a/b", lastModified: "2026-03-01T11:00:00.000Z" },
  };
  expect(summaryText(summary, NOW)).toBe(
    [
      "PENDING               4 objects  3 bytes",
      "COMPLETED     1,234,567 objects  5.0 TiB",
      "in all        1,234,571 objects  5.0 TiB",
      "oldest pending: a/b, written 60 min ago",
    ].join("\n"),
  );
});

test("nothing at all", () => {
  expect(summaryText(EMPTY, NOW)).toBe("in all        0 objects  0 bytes");
});

test.each([
  [1_500, "2 s"],
  [119_000, "119 s"],
  [120_000, "2 min"],
  [7_200_000, "2 h"],
  [172_800_000, "2 days"],
])("a lag of %i ms is %s", (lagMs, text) => {
  expect(statusLine({ key: "k", status: "COMPLETED", lagMs })).toBe(`COMPLETED     k  (lag about ${text})`);
});

test("neither key nor reason moves the cursor", () => {
  const line = statusLine({ key: "\u001b[2J", status: "FAILED", reason: 'no "such"\n\u001b[31mthing' });
  expect(line).toBe('FAILED        "\\u001b[2J"  (no "such"\\u{a}\\u{1b}[31mthing)');
});
