import { randomBytes } from "node:crypto";
import type OSS from "ali-oss";
import { type Client, type OssFixture, refusal, SILICON_VALLEY, startFixture } from "./oss-fixture";
import { sendSigned } from "./raw-request";

const BUCKET = "copy-of-tests";
let fixture: OssFixture;
let client: Client;
let other: Client;
beforeAll(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
  other = await fixture.bucket("copy-of-tests-too");
  await client.put("source +&é", Buffer.from("copied"), {
    mime: "text/plain",
    meta: { a: "1" } as unknown as OSS.UserMeta,
    headers: { "x-oss-tagging": "t=1" },
  });
});
afterAll(() => fixture.stop());

const headersOf = async (from: Client, key: string) => (await from.head(key)).res.headers as Record<string, string>;
const copy = (key: string, headers: Record<string, string>, bucket = BUCKET) =>
  sendSigned(fixture, { method: "PUT", headers }, { bucket, key });
const SOURCE = `/${BUCKET}/${encodeURIComponent("source +&é")}`;

test("a copy has bytes, headers, metadata and tags of its source", async () => {
  await other.copy("copied", "source +&é", BUCKET);
  expect((await other.get("copied")).content.toString()).toBe("copied");
  const [from, to] = [await headersOf(client, "source +&é"), await headersOf(other, "copied")];
  for (const name of ["etag", "content-type", "x-oss-meta-a", "x-oss-tagging-count", "x-oss-hash-crc64ecma"])
    expect([name, to[name]]).toEqual([name, from[name]]);
});

test("REPLACE takes headers, metadata and tags from the request", async () => {
  await client.copy("replaced", "source +&é", {
    meta: { b: "2" } as unknown as OSS.UserMeta,
    headers: { "Content-Type": "text/css" },
  });
  const headers = await headersOf(client, "replaced");
  expect(headers).toMatchObject({ "content-type": "text/css", "x-oss-meta-b": "2" });
  expect(headers["x-oss-meta-a"]).toBeUndefined();
  await copy("tagged", { "x-oss-copy-source": SOURCE, "x-oss-tagging-directive": "REPLACE", "x-oss-tagging": "u=2" });
  expect((await client.getObjectTagging("tagged")).tag).toEqual({ u: "2" });
});

test("REPLACE keeps a type that the request does not give, and what a client encrypted the object by", async () => {
  const headers = {
    "content-type": "text/plain",
    "cache-control": "no-cache",
    "x-oss-meta-client-side-encryption-key": "k",
    "x-oss-meta-a": "1",
  };
  await client.put("encrypted", Buffer.from("x"), { headers });
  await copy("kept", { "x-oss-copy-source": `/${BUCKET}/encrypted`, "x-oss-metadata-directive": "REPLACE" });
  const kept = await headersOf(client, "kept");
  expect(kept).toMatchObject({ "content-type": "text/plain", "x-oss-meta-client-side-encryption-key": "k" });
  expect([kept["cache-control"], kept["x-oss-meta-a"]]).toEqual([undefined, undefined]);
});

test("an object copied onto itself keeps its bytes", async () => {
  await client.put("self", Buffer.from("me"));
  await client.putMeta("self", { c: "3" } as unknown as OSS.UserMeta, {});
  expect((await client.get("self")).content.toString()).toBe("me");
  expect(await headersOf(client, "self")).toMatchObject({ "x-oss-meta-c": "3" });
});

test.each<[string, Record<string, string>, number, string | undefined]>([
  ["if-match that fails", { "x-oss-copy-source-if-match": '"0"' }, 412, "PreconditionFailed"],
  ["if-none-match that fails", { "x-oss-copy-source-if-none-match": "*" }, 304, undefined],
  ["a directive of no kind", { "x-oss-metadata-directive": "MERGE" }, 400, "InvalidArgument"],
  ["a key that is not there", { "x-oss-copy-source": `/${BUCKET}/nothing` }, 404, "NoSuchKey"],
  ["a bucket that is not there", { "x-oss-copy-source": "/no-such-bucket/key" }, 404, "NoSuchBucket"],
  ["a version that is not there", { "x-oss-copy-source": `${SOURCE}?versionId=CAEQ00` }, 404, "NoSuchVersion"],
  ["a source without a key", { "x-oss-copy-source": "bucket" }, 400, "InvalidArgument"],
])("%s refuses the copy", async (_what, headers, status, code) => {
  expect(await copy("refused", { "x-oss-copy-source": SOURCE, ...headers })).toMatchObject({ status, code });
  expect(await refusal(client.head("refused"))).toEqual({ status: 404, code: "NoSuchKey" });
});

test("a symbolic link is copied itself, and no part is copied from it", async () => {
  await client.put("led-to", Buffer.from("x"), { headers: { "x-oss-storage-class": "Archive" } });
  await client.putSymlink("link", "led-to", { headers: { "x-oss-meta-a": "1" } } as never);
  await other.copy("link", "link", BUCKET);
  expect((await other.getSymlink("link")).targetName).toBe("led-to");
  expect(await refusal(other.get("link"))).toEqual({ status: 404, code: "SymlinkTargetNotExist" });
  await other.put("led-to", Buffer.from("there"));
  expect((await other.get("link")).content.toString()).toBe("there");
  expect(await headersOf(other, "link")).toMatchObject({ "x-oss-object-type": "Symlink", "x-oss-meta-a": "1" });
  const { uploadId } = await client.initMultipartUpload("of-link");
  const source = { sourceKey: "link", sourceBucketName: BUCKET };
  expect(await refusal(client.uploadPartCopy("of-link", uploadId, 1, "0-0", source))).toEqual({
    status: 400,
    code: "InvalidTargetType",
  });
});

test("a source in another region is refused", async () => {
  const far = await fixture.bucket("copy-from-afar", SILICON_VALLEY);
  await far.put("key", Buffer.from("x"));
  expect(await refusal(client.copy("near", "/copy-from-afar/key"))).toEqual({ status: 403, code: "AccessDenied" });
});

test("a version id in the source selects the version", async () => {
  await other.putBucketVersioning("copy-of-tests-too", "Enabled");
  const first = ((await other.put("versioned", Buffer.from("one"))).res.headers as Record<string, string>)["x-oss-version-id"];
  await other.put("versioned", Buffer.from("two"));
  await client.copy("of-version", "versioned", "copy-of-tests-too" as never, undefined as never);
  expect((await client.get("of-version")).content.toString()).toBe("two");
  const answer = await copy("of-version", { "x-oss-copy-source": `/copy-of-tests-too/versioned?versionId=${first}` });
  expect(answer).toMatchObject({ status: 200, headers: { "x-oss-copy-source-version-id": first } });
  expect((await client.get("of-version")).content.toString()).toBe("one");
});

test("parts are copied by range", async () => {
  const bytes = randomBytes(400_000);
  await client.put("large", bytes);
  await client.multipartUploadCopy(
    "by-parts",
    { sourceKey: "large", sourceBucketName: BUCKET, startOffset: 0, endOffset: 400_000 },
    { partSize: 150_000 },
  );
  expect((await client.get("by-parts")).content.equals(bytes)).toBe(true);
  const { uploadId } = await client.initMultipartUpload("by-range");
  const source = { sourceKey: "large", sourceBucketName: BUCKET };
  await client.uploadPartCopy("by-range", uploadId, 1, "10-200009", source);
  expect(await refusal(client.uploadPartCopy("by-range", uploadId, 2, "399999-400000", source))).toEqual({
    status: 416,
    code: "InvalidRange",
  });
  expect(await refusal(client.uploadPartCopy("by-range", "0".repeat(32), 2, "0-1", source))).toEqual({
    status: 404,
    code: "NoSuchUpload",
  });
});
