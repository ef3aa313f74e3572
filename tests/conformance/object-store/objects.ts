import { readAll } from "../../../runtime/stores/read-all";
import { type Context, expectKind, NO_ATTRIBUTES, putText, readText, someBytes, textBytes } from "./context";

export function objectChecks(context: Context): void {
  const { check, freshKey } = context;

  check("head-absent", "head of a missing key is undefined", async () => {
    expect(await context.store.head(freshKey())).toBeUndefined();
  });

  check("missing-key", "get, getTags and putTags of a missing key are NotFound", async () => {
    const key = freshKey();
    await expectKind(context.store.get(key), "NotFound");
    await expectKind(context.store.getTags(key), "NotFound");
    await expectKind(context.store.putTags(key, { a: "1" }), "NotFound");
  });

  check(
    "head-present",
    "head tells etag without quotes, size and lastModified in whole seconds, the same as get and put",
    async () => {
      const key = freshKey();
      const { etag, versionId } = await putText(context, key, "hello");
      const head = await context.store.head(key);
      expect(head).toMatchObject({ etag, sizeBytes: 5 });
      expect(head?.versionId).toBe(versionId);
      expect(etag).toMatch(/^[^"]+$/);
      expect(head?.lastModified.getMilliseconds()).toBe(0);
      const { head: read, body } = await context.store.get(key);
      expect((await readAll(body, 100)).toString()).toBe("hello");
      expect(read).toMatchObject({ etag, sizeBytes: 5, lastModified: head?.lastModified });
      expect(read.versionId).toBe(versionId);
    },
  );

  check("replace", "put replaces bytes, headers and metadata", async () => {
    const key = freshKey();
    const attributes = { headers: { cacheControl: "no-store" }, metadata: { a: "1" }, tags: {} };
    const first = await putText(context, key, "first", { attributes });
    const second = await putText(context, key, "second");
    expect(second.etag).not.toBe(first.etag);
    expect(await readText(context, key)).toBe("second");
    const head = await context.store.head(key);
    expect(head).toMatchObject({ sizeBytes: 6, metadata: {} });
    expect(head?.headers.cacheControl).toBeUndefined();
  });

  check("replace-tags", "put replaces all tags, with none as well", async () => {
    const key = freshKey();
    await putText(context, key, "first", { attributes: { ...NO_ATTRIBUTES, tags: { a: "1", b: "2" } } });
    await putText(context, key, "second", { attributes: { ...NO_ATTRIBUTES, tags: { b: "3" } } });
    expect(await context.store.getTags(key)).toEqual({ b: "3" });
    await putText(context, key, "third");
    expect(await context.store.getTags(key)).toEqual({});
  });

  check("delete-tags", "an object written after a delete has none of the old tags", async () => {
    const key = freshKey();
    await putText(context, key, "first", { attributes: { ...NO_ATTRIBUTES, tags: { a: "1" } } });
    await context.store.delete(key);
    await putText(context, key, "second");
    expect(await context.store.getTags(key)).toEqual({});
  });

  check("delete", "a deleted key has no object", async () => {
    const key = freshKey();
    await putText(context, key, "x");
    await context.store.delete(key);
    expect(await context.store.head(key)).toBeUndefined();
    await expectKind(context.store.get(key), "NotFound");
    await expectKind(context.store.getTags(key), "NotFound");
  });

  check("delete-missing", "deleting a missing key succeeds", async () => {
    await context.store.delete(freshKey());
  });

  check("write-after-delete", "a key can be written again after it was deleted", async () => {
    const key = freshKey();
    await putText(context, key, "one");
    await context.store.delete(key);
    await putText(context, key, "two");
    expect(await readText(context, key)).toBe("two");
  });

  check("get-if-match", "get with ifMatch reads the object with that etag and no other", async () => {
    const key = freshKey();
    const { etag } = await putText(context, key, "pinned");
    const { body } = await context.store.get(key, { ifMatch: etag });
    expect((await readAll(body, 100)).toString()).toBe("pinned");
    await putText(context, key, "moved on");
    await expectKind(context.store.get(key, { ifMatch: etag }), "PreconditionFailed");
  });

  check("get-if-match-missing", "get with ifMatch of a missing key fails", async () => {
    await expectKind(context.store.get(freshKey(), { ifMatch: "0".repeat(32) }), "NotFound", "PreconditionFailed");
  });

  const bytes = someBytes(1000);
  for (const [start, end] of [
    [0, 0],
    [0, 999],
    [10, 19],
    [999, 999],
    [990, 5000],
  ] as const)
    check(
      `range-${start}-${end}`,
      `get of bytes ${start} to ${end} reads them and tells the size of the whole object`,
      async () => {
        const key = freshKey();
        await context.store.put(key, bytes, { attributes: NO_ATTRIBUTES, sizeBytes: bytes.length });
        const { head, body } = await context.store.get(key, { range: { start, end } });
        expect(await readAll(body, 2000)).toEqual(bytes.subarray(start, end + 1));
        expect(head.sizeBytes).toBe(bytes.length);
      },
    );

  check("range-beyond", "a range that begins beyond the end is Invalid", async () => {
    const key = freshKey();
    await putText(context, key, "short");
    await expectKind(context.store.get(key, { range: { start: 5, end: 9 } }), "Invalid");
    await expectKind(context.store.get(key, { range: { start: 3, end: 2 } }), "Invalid");
    await expectKind(context.store.get(key, { range: { start: -1, end: 2 } }), "Invalid");
  });

  check("range-if-match", "range and ifMatch hold together", async () => {
    const key = freshKey();
    const { etag } = await putText(context, key, "0123456789");
    const { body } = await context.store.get(key, { ifMatch: etag, range: { start: 2, end: 4 } });
    expect(await readAll(body, 10)).toEqual(textBytes("234"));
    await expectKind(context.store.get(key, { ifMatch: "f".repeat(32), range: { start: 2, end: 4 } }), "PreconditionFailed");
  });
}
