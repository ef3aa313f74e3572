import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quoted, type RemedyId, remediesText, remedyOf } from "../../../operator/overview/remedies";
import type { ReasonGroup } from "../../../operator/status/reasons";
import { FakeBridge, pullRaw } from "../backfill/fixture";

const bridge = new FakeBridge(pullRaw());
const group = (reason: string, status: ReasonGroup["status"] = "PENDING"): ReasonGroup => ({
  ...{ status, reason, objects: 1, example: "k", failures: 0, held: 0 },
});

/** Reasons as functions write them: docs/runbook.md has most of them. */
const REASONS: [RemedyId, string, string | undefined][] = [
  ["secrets", "the receiver answered 401: the signing secrets of sender and receiver differ", "pulumi up --refresh --stack dev"],
  ["platform403", "the receiver answered 403: the platform refused the request before the receiver saw it", undefined],
  [
    "noBucket",
    "the destination bucket does not exist: to-there: S3 answered get with NoSuchBucket (HTTP 404)",
    "pulumi up --refresh --stack dev && npm run bridge -- backfill --stack dev",
  ],
  [
    "denied",
    "S3 answered get with AccessDenied (HTTP 403): check the credentials and the policies",
    "pulumi up --refresh --stack dev",
  ],
  [
    "room",
    "2 copies run, as many as copy.concurrency allows",
    expect.stringMatching(
      /^pulumi config set --path crossborderbridge:copy\.concurrency \d+ --stack dev && pulumi up --stack dev$/,
    ),
  ],
  ["throttled", "S3 answered put with SlowDown (HTTP 503)", undefined],
  ["copying", "a copy is running", undefined],
  [
    "archived",
    "the source object is archived: GLACIER",
    "aws s3api restore-object --bucket from-here --key k --restore-request Days=3",
  ],
  ["altered", "the destination does not keep the object as it was written: contentType", undefined],
  ["swapped", "two bridges in opposite directions have overwritten each other's object", undefined],
  ["unreachable", "the receiver answered 500", "pulumi up --refresh --stack dev"],
  ["unreachable", "the receiver cannot be connected to", "pulumi up --refresh --stack dev"],
];

test.each(REASONS)("%s: %s", (id, reason, command) => {
  expect(remedyOf(group(reason), bridge, false)).toMatchObject({ id, command });
});

test("a status decides before the reason, and an unknown reason has no remedy", () => {
  expect(remedyOf(group("not at the destination yet", "NONE"), bridge, false)).toMatchObject({
    ...{ id: "nothingQueued", command: "npm run bridge -- backfill --stack dev" },
  });
  expect(remedyOf(group("too many tags", "FAILED"), bridge, true)).toMatchObject({
    ...{ id: "givenUp", section: "dead-letters-not-empty", command: "npm run bridge -- redrive --stack dev --local" },
  });
  expect(remedyOf(group("archived as GLACIER", "FAILED"), bridge, false)).toMatchObject({
    ...{ id: "givenUp", section: "archived-objects", first: { id: "archived", section: "archived-objects" } },
  });
  expect(remedyOf(group("something else"), bridge, false)).toBeUndefined();
});

test("a stack of npm start is put back by the npm start that runs", () => {
  expect(remedyOf(group("NoSuchBucket"), bridge, true)?.command).toBe(
    "npm start -- --redeploy --stack dev && npm run bridge -- backfill --stack dev --local",
  );
});

test("the text has each remedy once, and that of the cause before that of its letters", () => {
  const groups = [group("archived as GLACIER", "FAILED"), group("archived as DEEP_ARCHIVE", "FAILED"), group("something else")];
  expect(remediesText(groups.map((one) => ({ remedy: remedyOf(one, bridge, true) })))).toBe(
    [
      "do            The object is in an archive class. Restore it, and wait until it can be read. (docs/runbook.md#archived-objects)",
      "              aws s3api restore-object --bucket from-here --key k --restore-request Days=3",
      "do            The bridge gave these keys up. Mend the cause, then send the letters again. (docs/runbook.md#archived-objects)",
      "              npm run bridge -- redrive --stack dev --local",
    ].join("\n"),
  );
});

test("a stack whose secrets belong to the operator gets no command that would not change them", () => {
  const own = new FakeBridge(pullRaw({ token: undefined, auth: { kind: "token", tokenParameter: "/own/token" } }));
  expect(remedyOf(group("the signing secrets of sender and receiver differ"), own, false)).toMatchObject({ command: undefined });
});

test("every section is a heading of the runbook", () => {
  const text = readFileSync(join(__dirname, "../../../docs/runbook.md"), "utf8");
  const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
  const remedies = [...REASONS.map(([, reason]) => group(reason)), group("x", "NONE"), group("x", "FAILED")];
  for (const one of remedies) expect(anchors).toContain(remedyOf(one, bridge, false)?.section);
});

test("a name with other characters is one word of the shell", () => {
  expect(quoted("it's mine; rm -r")).toBe("'it'\\''s mine; rm -r'");
});
