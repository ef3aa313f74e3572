import * as fc from "fast-check";
import type { ObjectAttributes } from "../../../runtime/stores/object-store";
import { type Context, expectKind, NO_ATTRIBUTES, putText, someBytes, streamOf, textBytes } from "./context";

const FULL: ObjectAttributes = {
  headers: {
    contentType: 'text/html; charset="utf-8"',
    cacheControl: "max-age=60, private",
    contentDisposition: "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt",
    contentEncoding: "gzip",
    contentLanguage: "de, en",
    expires: "Thu, 01 Dec 2094 16:00:00 GMT",
  },
  metadata: { "some-name": "b1", note: "two words", "x.y_z": "1" },
  tags: { project: "alpha", "key with spaces": "a+b=c/d@e:f_g.h-i", 项目: "价值" },
};

/** The UTF-8 bytes of the text, one character a byte. */
const headerBytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

const TEXTS: readonly (readonly [name: string, text: string])[] = [
  ["empty", ""],
  ["Chinese", "文件 名称"],
  ["Latin-1", "café"],
  ["beyond the basic plane", "a 🌉 b"],
  ["a word of RFC 2047 in ASCII", "=?UTF-8?Q?caf=C3=A9?="],
  ["something like a word of RFC 2047", "=?UTF-8?B?!!!?="],
  ["quotes and percents", "\"a\" 'b' %20 + <>&"],
  ["white space at its edges", "  padded\t"],
  ["long", "é".repeat(500)],
];

export function attributeChecks(context: Context): void {
  const { check, freshKey } = context;

  async function expectAttributes(key: string, expected: ObjectAttributes): Promise<void> {
    const head = await context.store.head(key);
    expect(head?.headers).toEqual(expected.headers);
    expect(head?.metadata).toEqual(expected.metadata);
    expect(await context.store.getTags(key)).toEqual(expected.tags);
    const { head: read, body } = await context.store.get(key);
    body.destroy();
    expect(read.headers).toEqual(expected.headers);
    expect(read.metadata).toEqual(expected.metadata);
  }

  async function upload(key: string, attributes: ObjectAttributes): Promise<void> {
    const bytes = someBytes(100);
    const { uploadId } = await context.store.createUpload(key, { attributes });
    const part = await context.store.uploadPart(key, { uploadId, partNumber: 1 }, bytes);
    await context.store.completeUpload(key, uploadId, [part]);
  }

  check("put-attributes", "put keeps headers, metadata and tags to the letter", async () => {
    const key = freshKey();
    await putText(context, key, "x", { attributes: FULL });
    await expectAttributes(key, FULL);
  });

  check("put-attributes-streamed", "put of a large stream keeps headers, metadata and tags to the letter", async () => {
    const key = freshKey();
    const bytes = someBytes(2 * 1024 ** 2);
    await context.store.put(key, streamOf(bytes), { attributes: FULL, sizeBytes: bytes.length });
    await expectAttributes(key, FULL);
  });

  check("upload-headers", "an upload in parts keeps headers and metadata to the letter", async () => {
    const key = freshKey();
    await upload(key, FULL);
    const head = await context.store.head(key);
    expect(head?.headers).toEqual(FULL.headers);
    expect(head?.metadata).toEqual(FULL.metadata);
  });

  check("upload-tags", "an upload in parts keeps tags", async () => {
    const key = freshKey();
    await upload(key, FULL);
    expect(await context.store.getTags(key)).toEqual(FULL.tags);
  });

  for (const expires of ["0", "Thu, 01-Dec-2094 16:00:00 GMT", "never"]) {
    check(`expires-${expires}`, `expires stays "${expires}", although that is no HTTP date`, async () => {
      const key = freshKey();
      await putText(context, key, "x", { attributes: { ...NO_ATTRIBUTES, headers: { expires } } });
      expect((await context.store.head(key))?.headers.expires).toBe(expires);
    });
  }

  for (const [name, text] of TEXTS) {
    check(`metadata-${name}`, `a metadata value comes back to the letter: ${name}`, async () => {
      const [put, parts] = [freshKey(), freshKey()];
      const attributes = { ...NO_ATTRIBUTES, metadata: { value: text } };
      await putText(context, put, "x", { attributes });
      await upload(parts, attributes);
      expect((await context.store.head(put))?.metadata).toEqual({ value: text });
      expect((await context.store.head(parts))?.metadata).toEqual({ value: text });
    });
  }

  for (const [name, value] of [
    ["UTF-8", headerBytes('attachment; filename="报告 2024.pdf"')],
    ["Latin-1", 'attachment; filename="caf\xe9.pdf"'],
    ["a word of RFC 2047", "=?UTF-8?B?YXR0YWNobWVudA==?="],
  ] as const) {
    check(`content-disposition-${name}`, `a content header comes back byte for byte: ${name}`, async () => {
      const [put, streamed, parts] = [freshKey(), freshKey(), freshKey()];
      const attributes = { ...NO_ATTRIBUTES, headers: { contentDisposition: value, cacheControl: "no-store" } };
      const bytes = someBytes(2 * 1024 ** 2);
      await putText(context, put, "x", { attributes });
      await context.store.put(streamed, streamOf(bytes), { attributes, sizeBytes: bytes.length });
      await upload(parts, attributes);
      for (const key of [put, streamed, parts]) {
        const head = await context.store.head(key);
        expect(head?.headers).toMatchObject(attributes.headers);
        const { head: read, body } = await context.store.get(key);
        body.destroy();
        expect(read.headers).toMatchObject(attributes.headers);
      }
    });
  }

  check("website-redirect", "the redirect of a website's page comes back", async () => {
    const [put, parts] = [freshKey(), freshKey()];
    const attributes = { ...NO_ATTRIBUTES, headers: { websiteRedirectLocation: "/web/new.html" } };
    await putText(context, put, "", { attributes });
    await upload(parts, attributes);
    for (const key of [put, parts]) {
      const head = await context.store.head(key);
      expect(head?.headers).toMatchObject(attributes.headers);
      expect(head?.metadata).toEqual({});
    }
  });

  check("metadata-any-text", "any text survives as a metadata value", async () => {
    const key = freshKey();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 60 }), async (value) => {
        await putText(context, key, "x", { attributes: { ...NO_ATTRIBUTES, metadata: { value } } });
        expect((await context.store.head(key))?.metadata).toEqual({ value });
      }),
      { numRuns: 30 },
    );
  });

  check("inherited-names", "names that every object of JavaScript inherits come back as metadata and tags", async () => {
    const [put, parts] = [freshKey(), freshKey()];
    const metadata = Object.fromEntries([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
    const tags = Object.fromEntries([
      ["__proto__", "1"],
      ["constructor", "2"],
      ["toString", "3"],
    ]);
    await putText(context, put, "x", { attributes: { ...NO_ATTRIBUTES, metadata, tags } });
    await upload(parts, { ...NO_ATTRIBUTES, metadata });
    await context.store.putTags(parts, tags);
    for (const key of [put, parts]) {
      const head = await context.store.head(key);
      expect(Object.entries(head?.metadata ?? {}).sort()).toEqual(Object.entries(metadata));
      expect(Object.entries(await context.store.getTags(key)).sort()).toEqual(Object.entries(tags));
    }
  });

  check("metadata-names", "a metadata name that is no lower-case header name is Invalid", async () => {
    for (const name of ["Upper", "with space", "colon:", "ü", ""]) {
      const attributes = { ...NO_ATTRIBUTES, metadata: { [name]: "1" } };
      await expectKind(putText(context, freshKey(), "x", { attributes }), "Invalid");
      await expectKind(context.store.createUpload(freshKey(), { attributes }), "Invalid");
    }
  });

  check("put-tags", "putTags replaces all tags and leaves the object alone", async () => {
    const key = freshKey();
    const { etag } = await putText(context, key, "x", { attributes: FULL });
    const { tagCount: countBefore, ...before } = (await context.store.head(key)) ?? {};
    expect([undefined, Object.keys(FULL.tags).length]).toContain(countBefore);
    await context.store.putTags(key, { status: "COMPLETED", "a b": "=+:中" });
    expect(await context.store.getTags(key)).toEqual({ status: "COMPLETED", "a b": "=+:中" });
    const found = await context.store.head(key);
    const { tagCount, ...after } = found ?? {};
    expect(after).toEqual(before);
    expect(found?.etag).toBe(etag);
    expect([undefined, 2]).toContain(tagCount);
    await context.store.putTags(key, {});
    expect(await context.store.getTags(key)).toEqual({});
    expect([undefined, 0]).toContain((await context.store.head(key))?.tagCount);
  });

  check("caller-keeps-bytes", "bytes that the caller changes after a put do not change the stored object", async () => {
    const key = freshKey();
    const bytes = textBytes("original");
    const metadata = { a: "1" };
    await context.store.put(key, bytes, { attributes: { ...NO_ATTRIBUTES, metadata }, sizeBytes: bytes.length });
    bytes.fill(0);
    metadata.a = "2";
    const { body, head } = await context.store.get(key);
    const chunks = await body.toArray();
    expect(Buffer.concat(chunks).toString()).toBe("original");
    expect(head.metadata).toEqual({ a: "1" });
  });
}
