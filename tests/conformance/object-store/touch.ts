import type { ObjectAttributes } from "../../../runtime/stores/object-store";
import { type Context, collect, expectKind, NO_ATTRIBUTES, putText, readBytes, readText, someBytes } from "./context";

const OTHER_ETAG = "0".repeat(32);

const FULL: ObjectAttributes = {
  headers: {
    contentType: 'text/html; charset="utf-8"',
    cacheControl: "max-age=60, private",
    contentDisposition: Buffer.from('attachment; filename="文件.txt"').toString("latin1"),
    contentEncoding: "gzip",
    contentLanguage: "de, en",
    expires: "0",
  },
  metadata: { "some-name": "b1", note: "文件 名称", "x.y_z": "=?UTF-8?Q?caf=C3=A9?=", empty: "" },
  tags: { project: "alpha", "key with spaces": "a+b=c/d:e_f.g-h" },
};

export function touchChecks(context: Context): void {
  const { check, freshKey, versioned } = context;

  check("touch-keeps", "touch keeps bytes, checksums, headers, metadata and tags to the letter", async () => {
    const key = freshKey();
    const bytes = someBytes(100_000);
    await context.store.put(key, bytes, { attributes: FULL, sizeBytes: bytes.length });
    const before = await context.store.head(key);
    const result = await context.store.touch(key);
    const after = await context.store.head(key);
    expect(after).toEqual({ ...before, ...result, lastModified: after?.lastModified });
    expect({ headers: after?.headers, metadata: after?.metadata }).toEqual({ headers: FULL.headers, metadata: FULL.metadata });
    expect(await context.store.getTags(key)).toEqual(FULL.tags);
    expect((await readBytes(context, key)).equals(bytes)).toBe(true);
  });

  check("touch-new", "a touched object is new: a later lastModified, and where versions are kept another one", async () => {
    const key = freshKey();
    const { versionId } = await putText(context, key, "same");
    const before = await context.store.head(key);
    await context.subject.elapse(1_100);
    const touched = await context.store.touch(key);
    const after = await context.store.head(key);
    expect(after?.lastModified.getTime()).toBeGreaterThan(before?.lastModified.getTime() ?? Number.NaN);
    if (versioned) expect(touched.versionId).not.toBe(versionId);
    expect(await readText(context, key)).toBe("same");
  });

  check("touch-if-match", "touch with ifMatch takes the object with that etag and no other", async () => {
    const key = freshKey();
    const { etag } = await putText(context, key, "first");
    await context.store.touch(key, { ifMatch: etag });
    const before = await context.store.head(key);
    await expectKind(context.store.touch(key, { ifMatch: OTHER_ETAG }), "PreconditionFailed");
    expect(await context.store.head(key)).toEqual(before);
    await putText(context, key, "second");
    await expectKind(context.store.touch(key, { ifMatch: etag }), "PreconditionFailed");
    expect(await readText(context, key)).toBe("second");
  });

  check("touch-missing", "touch of a missing or deleted key is NotFound, with ifMatch too, and makes no object", async () => {
    const key = freshKey();
    await expectKind(context.store.touch(key), "NotFound");
    await expectKind(context.store.touch(key, { ifMatch: OTHER_ETAG }), "NotFound");
    await putText(context, key, "x");
    await context.store.delete(key);
    await expectKind(context.store.touch(key), "NotFound");
    expect(await context.store.head(key)).toBeUndefined();
  });

  check("touch-empty", "an object of no bytes can be touched", async () => {
    const key = freshKey();
    await context.store.put(key, Buffer.alloc(0), { attributes: NO_ATTRIBUTES, sizeBytes: 0 });
    await context.store.touch(key);
    expect((await context.store.head(key))?.sizeBytes).toBe(0);
  });

  check("touch-upload", "an object that was uploaded in parts keeps bytes, headers, metadata and tags", async () => {
    const key = freshKey();
    const bodies = [someBytes(context.capabilities.minPartSizeBytes), someBytes(11)];
    const { uploadId } = await context.store.createUpload(key, { attributes: { ...FULL, tags: {} } });
    const parts = [];
    for (const [index, body] of bodies.entries())
      parts.push(await context.store.uploadPart(key, { uploadId, partNumber: index + 1 }, body));
    await context.store.completeUpload(key, uploadId, parts);
    await context.store.putTags(key, FULL.tags);
    const { etag } = await context.store.touch(key);
    const head = await context.store.head(key);
    expect(head).toMatchObject({ etag, headers: FULL.headers, metadata: FULL.metadata });
    expect(await context.store.getTags(key)).toEqual(FULL.tags);
    expect((await readBytes(context, key)).equals(Buffer.concat(bodies))).toBe(true);
    await context.store.touch(key, { ifMatch: etag });
  });

  check("touch-keys", "touch takes any key as it is", async () => {
    for (const name of ["a b", "a+b", "100%", "a%20b", "q?versionId=1", "文件/名", "#frag&x=y", "a//b", "it's(1)*!~"]) {
      const key = freshKey(name);
      await putText(context, key, name);
      await context.store.touch(key);
      expect(await readText(context, key)).toBe(name);
      expect((await collect(context.store.list(key))).map((object) => object.key)).toEqual([key]);
    }
  });
}
