/** The merge of two listings, and what a listing alone can say. */
import fc from "fast-check";
import { Cursor, listedVerdict, mergePages } from "../../../operator/verify/compare";
import { compareKeys } from "../../../runtime/stores/keys";
import type { ListedObject } from "../../../runtime/stores/object-store";

const object = (key: string, changes: Partial<ListedObject> = {}): ListedObject => ({
  ...{ key, sizeBytes: 1, etag: "e", lastModified: new Date(0) },
  ...changes,
});

async function* pagesOf(keys: readonly string[], sizes: readonly number[]): AsyncGenerator<ListedObject[]> {
  let from = 0;
  for (let page = 0; from < keys.length; page++) {
    const size = sizes[page % sizes.length] ?? 1;
    yield keys.slice(from, from + size).map((key) => object(key));
    from += size;
  }
}

async function merge(
  source: AsyncIterable<ListedObject[]>,
  destination: AsyncIterable<ListedObject[]>,
  keyPrefix = "",
  until?: string,
) {
  const cursors = { source: new Cursor(source, ""), destination: new Cursor(destination, keyPrefix) };
  const seen: [string, boolean, boolean][] = [];
  for (let isDone = false; !isDone; ) {
    await Promise.all([cursors.source.fill(), cursors.destination.fill()]);
    ({ isDone } = mergePages(cursors, until, (key, near, far) => seen.push([key, near !== undefined, far !== undefined])));
  }
  await Promise.all([cursors.source.close(), cursors.destination.close()]);
  return seen;
}

const keys = fc.uniqueArray(fc.string({ unit: fc.constantFrom("a", "b", "é", "\u{FFFD}", "😀"), minLength: 1, maxLength: 3 }), {
  maxLength: 20,
});
const sizes = fc
  .array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 })
  .filter((all) => all.some((size) => size > 0));

test("passes every key of both sides once, in order, whatever the pages are", () =>
  fc.assert(
    fc.asyncProperty(keys, keys, sizes, sizes, async (here, there, a, b) => {
      const [near, far] = [[...here].sort(compareKeys), [...there].sort(compareKeys)];
      const all = [...new Set([...near, ...far])].sort(compareKeys);
      const prefixed = far.map((key) => `to/${key}`);
      expect(await merge(pagesOf(near, a), pagesOf(prefixed, b), "to/")).toEqual(
        all.map((key) => [key, near.includes(key), far.includes(key)]),
      );
      const until = all[Math.floor(all.length / 2)];
      if (until === undefined) return;
      const part = await merge(pagesOf(near, a), pagesOf(prefixed, b), "to/", until);
      expect(part.map(([key]) => key)).toEqual(all.filter((key) => compareKeys(key, until) <= 0));
    }),
  ));

test.each([
  ["twice", ["a", "b", "b"]],
  ["backwards", ["a", "c", "b"]],
])("refuses a listing that comes %s", async (_how, listed) => {
  await expect(merge(pagesOf(listed, [1]), pagesOf([], [1]))).rejects.toThrow(
    /the listing is not in order: "?b"? came after "?[bc]"?/,
  );
});

test("a listing that breaks off is an error, and not the end of the bucket", async () => {
  async function* broken() {
    yield [object("a")];
    throw new Error("the connection broke");
  }
  await expect(merge(pagesOf(["a", "b"], [1]), broken())).rejects.toThrow("the connection broke");
});

const MD5 = "d41d8cd98f00b204e9800998ecf8427e";
const OTHER = "900150983cd24fb0d6963f7d28e17f72";
const EARLIER = new Date(-600_000);

test.each<[string, Partial<ListedObject>, Partial<ListedObject>, string]>([
  ["the same MD5", { etag: MD5 }, { etag: MD5 }, "equal"],
  ["the same MD5 in capitals, as OSS writes it", { etag: MD5 }, { etag: MD5.toUpperCase() }, "equal"],
  ["the same MD5 and an older replica", { etag: MD5 }, { etag: MD5, lastModified: EARLIER }, "equal"],
  ["another MD5", { etag: MD5 }, { etag: OTHER }, "unclear"],
  ["another size", { etag: MD5 }, { etag: MD5, sizeBytes: 2 }, "other size"],
  ["no common kind of ETag", { etag: `${MD5}-2` }, { etag: OTHER }, "same size"],
  ["an older replica", { etag: `${MD5}-2` }, { etag: OTHER, lastModified: EARLIER }, "unclear"],
  [
    "a replica that is older by less than clocks differ",
    { etag: "x-1" },
    { etag: "y-1", lastModified: new Date(-60_000) },
    "same size",
  ],
])("%s", (_what, source, destination, verdict) => {
  expect(listedVerdict(object("k", source), object("k", destination), { etagsCompare: true })).toBe(verdict);
});

test("ETags that KMS made prove nothing and disprove nothing", () => {
  expect(listedVerdict(object("k", { etag: MD5 }), object("k", { etag: OTHER }), { etagsCompare: false })).toBe("same size");
});
