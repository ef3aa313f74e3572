/**
 * Short stories of a store, each of a few calls. `store-answers` plays them on a real bucket and keeps the requests and answers. The unit tests
 * play them again on these recordings.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { checksumOf } from "../../runtime/stores/checksums";
import { isBridgeError } from "../../runtime/stores/errors";
import type { ObjectHead, ObjectStore } from "../../runtime/stores/object-store";
import { readAll } from "../../runtime/stores/read-all";

export interface Scene {
  name: string;
  /** @returns what the store answered, as plain data. Throws where the store breaks its contract. */
  play(store: ObjectStore, prefix: string): Promise<unknown>;
}

const HEADERS = { contentType: "text/plain", cacheControl: "max-age=60", contentLanguage: "zh-Hans-CN" };
const METADATA = { plain: "value", title: "中文" };
const TAGS = { team: "data", "cost center": "a+b=1" };
const NO_ATTRIBUTES = { headers: {}, metadata: {}, tags: {} };
const bytesOf = (text: string) => Buffer.from(text, "utf8");

/** The kind of the error, or `succeeded`. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "succeeded";
  } catch (error) {
    if (isBridgeError(error)) return error.kind;
    throw error;
  }
}

async function read(store: ObjectStore, key: string): Promise<string> {
  const { body } = await store.get(key);
  return (await readAll(body, 1024 ** 2)).toString("utf8");
}

async function keysUnder(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** Dates become text, as in a fixture. */
const plain = (head: ObjectHead | undefined): unknown => JSON.parse(JSON.stringify(head ?? null));

async function objectLife(store: ObjectStore, prefix: string): Promise<unknown> {
  const key = `${prefix}object`;
  const body = bytesOf("the first state");
  const put = await store.put(key, body, {
    attributes: { headers: HEADERS, metadata: METADATA, tags: TAGS },
    sizeBytes: body.length,
  });
  const head = await store.head(key);
  strictEqual(head?.sizeBytes, body.length);
  strictEqual(head.etag, put.etag);
  strictEqual(head.headers.contentType, HEADERS.contentType);
  strictEqual(head.headers.cacheControl, HEADERS.cacheControl);
  deepStrictEqual(head.metadata, METADATA);
  strictEqual(await read(store, key), "the first state");
  const tags = await store.getTags(key);
  deepStrictEqual(tags, TAGS);
  await store.putTags(key, { step: "2" });
  const retagged = await store.getTags(key);
  deepStrictEqual(retagged, { step: "2" });
  await store.delete(key);
  const gone = await store.head(key);
  strictEqual(gone, undefined);
  return { put, head: plain(head), tags, retagged };
}

async function missing(store: ObjectStore, prefix: string): Promise<unknown> {
  const key = `${prefix}missing`;
  const kinds = {
    head: await store.head(key),
    get: await outcome(store.get(key)),
    getTags: await outcome(store.getTags(key)),
    delete: await outcome(store.delete(key)),
  };
  deepStrictEqual(kinds, { head: undefined, get: "NotFound", getTags: "NotFound", delete: "succeeded" });
  return { ...kinds, head: null };
}

async function conditions(store: ObjectStore, prefix: string): Promise<unknown> {
  const key = `${prefix}conditions`;
  const body = bytesOf("once");
  const write = (condition: { ifAbsent?: true; ifMatch?: string }) =>
    outcome(store.put(key, body, { attributes: NO_ATTRIBUTES, sizeBytes: body.length, condition }));
  const { conditionalCreate, conditionalWrites } = store.capabilities;
  const create = await write({ ifAbsent: true });
  const again = await write({ ifAbsent: true });
  strictEqual(create, conditionalCreate ? "succeeded" : "Unsupported");
  strictEqual(again, conditionalCreate ? "PreconditionFailed" : "Unsupported");
  const wrong = await write({ ifMatch: "0123456789abcdef0123456789abcdef" });
  strictEqual(wrong, conditionalWrites ? "PreconditionFailed" : "Unsupported");
  return { create, again, wrong };
}

async function pinnedRead(store: ObjectStore, prefix: string): Promise<unknown> {
  const key = `${prefix}pinned`;
  const body = bytesOf("0123456789");
  const { etag } = await store.put(key, body, { attributes: NO_ATTRIBUTES, sizeBytes: body.length });
  const part = await store.get(key, { ifMatch: etag, range: { start: 2, end: 5 } });
  const bytes = (await readAll(part.body, 1024)).toString("utf8");
  strictEqual(bytes, "2345");
  strictEqual(part.head.sizeBytes, body.length);
  const other = await outcome(store.get(key, { ifMatch: "0123456789abcdef0123456789abcdef" }));
  strictEqual(other, "PreconditionFailed");
  return { bytes, other };
}

async function upload(store: ObjectStore, prefix: string): Promise<unknown> {
  const key = `${prefix}upload`;
  const body = bytesOf("one part, which is the last");
  const algorithm = store.capabilities.multipartChecksums[0];
  ok(algorithm !== undefined, "the store verifies no checksum of an upload");
  const checksum = checksumOf(algorithm, body);
  const { uploadId } = await store.createUpload(key, {
    attributes: { headers: HEADERS, metadata: { plain: "value" }, tags: {} },
    checksumAlgorithm: algorithm,
  });
  const part = await store.uploadPart(key, { uploadId, partNumber: 1 }, body, { checksum });
  const parts = await store.listParts(key, uploadId);
  deepStrictEqual(
    parts.map(({ partNumber, sizeBytes }) => ({ partNumber, sizeBytes })),
    [{ partNumber: 1, sizeBytes: body.length }],
  );
  const completed = await store.completeUpload(key, uploadId, [part], { checksum });
  const head = await store.head(key);
  strictEqual(head?.sizeBytes, body.length);
  // A server may keep none of the whole; `s3-upload-checksum` looks for it.
  const held = head.checksums.find((one) => one.algorithm === algorithm);
  ok(held === undefined || held.value === checksum.value, "the store holds another checksum than that of the bytes");
  const ended = {
    listParts: await outcome(store.listParts(key, uploadId)),
    abortUpload: await outcome(store.abortUpload(key, uploadId)),
  };
  deepStrictEqual(ended, { listParts: "NotFound", abortUpload: "succeeded" });
  return { part, parts, completed, head: plain(head) };
}

const LISTED = ["a b", "a+b", "a%20b", "中文/文件.txt", "<a>&amp;</a>"];

async function listing(store: ObjectStore, prefix: string): Promise<unknown> {
  const folder = `${prefix}listing/`;
  const body = bytesOf("listed");
  for (const name of LISTED) await store.put(folder + name, body, { attributes: NO_ATTRIBUTES, sizeBytes: body.length });
  const keys = (await keysUnder(store, folder)).map((key) => key.slice(folder.length));
  deepStrictEqual([...keys].sort(), [...LISTED].sort());
  return keys;
}

export const SCENES: readonly Scene[] = [
  { name: "object-life", play: objectLife },
  { name: "missing", play: missing },
  { name: "conditions", play: conditions },
  { name: "pinned-read", play: pinnedRead },
  { name: "upload", play: upload },
  { name: "listing", play: listing },
];
