import { ownValue, snapshotSchema } from "../../../runtime/protocol/snapshot";
import { snapshotId, withoutStatusTags } from "../../../runtime/replication/snapshot";
import { makeSnapshot } from "../support/make-snapshot";

const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty"];
const entries = Object.fromEntries(NAMES.map((name) => [name, `value of ${name}`]));

test("names that every object inherits travel as metadata and tags", () => {
  const snapshot = makeSnapshot({ metadata: entries, tags: entries });
  const received = snapshotSchema.parse(JSON.parse(JSON.stringify(snapshot)));
  expect(Object.entries(received.metadata)).toEqual(Object.entries(entries));
  expect(Object.entries(withoutStatusTags(received.tags))).toEqual(Object.entries(entries));
  expect(snapshotId(received as typeof snapshot)).toBe(snapshotId(snapshot));
  for (const name of NAMES)
    expect(snapshotId(makeSnapshot({ metadata: { ...entries, ...Object.fromEntries([[name, "else"]]) } }))).not.toBe(
      snapshotId(makeSnapshot({ metadata: entries })),
    );
});

test("a name that the record lacks has no value", () => {
  for (const name of NAMES) expect(ownValue({ a: "1" }, name)).toBeUndefined();
  expect(ownValue(entries, "__proto__")).toBe("value of __proto__");
});

test.each<[string, unknown, RegExp]>([
  ["no record", ["a"], /not a record/],
  ["null", null, /not a record/],
  ["a value that is no text", { a: 1 }, /value is no text/],
  ["a value that is too long", { a: "x".repeat(8193) }, /at most 8192/],
  ["an empty name", { "": "x" }, /1 to 1024/],
  ["a name that is too long", { ["n".repeat(1025)]: "x" }, /1 to 1024/],
])("metadata is refused: %s", (_what, metadata, reason) => {
  const { error } = snapshotSchema.safeParse({ ...makeSnapshot(), metadata });
  expect(error?.issues[0]?.path[0]).toBe("metadata");
  expect(error?.issues[0]?.message).toMatch(reason);
});

test("headers are bytes, and text of an earlier sender becomes its UTF-8 bytes", () => {
  const parse = (contentDisposition: string) =>
    snapshotSchema.parse({ ...makeSnapshot(), headers: { contentDisposition } }).headers.contentDisposition;
  const bytes = Buffer.from("文 é").toString("latin1");
  expect(parse(bytes)).toBe(bytes);
  expect(parse("文 é")).toBe(bytes);
  expect(parse("caf\xe9")).toBe("caf\xe9");
});
