/** What ali-oss does with the local OSS. The expectations are those of the vendor's API pages. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type OSS from "ali-oss";
import type { Scenarios } from "../scenario-suite";

/** Methods of ali-oss that its types lack. */
interface Untyped {
  putObjectTagging(key: string, tags: Record<string, string>): Promise<unknown>;
  getObjectTagging(key: string): Promise<{ tag: Record<string, string> }>;
  deleteObjectTagging(key: string): Promise<unknown>;
  listParts(key: string, uploadId: string, query: object): Promise<unknown>;
  multipartUploadCopy(key: string, source: object, options: object): Promise<unknown>;
  putBucketVersioning(bucket: string, status: "Enabled" | "Suspended"): Promise<unknown>;
  getBucketVersions(query: object): Promise<unknown>;
  putBucketPolicy(bucket: string, policy: object): Promise<unknown>;
  deleteBucketPolicy(bucket: string): Promise<unknown>;
  putBucketEncryption(bucket: string, options: object): Promise<unknown>;
  putBucketTags(bucket: string, tags: Record<string, string>): Promise<unknown>;
  getBucketTags(bucket: string): Promise<{ tag: Record<string, string> }>;
  signatureUrlV4(method: string, expires: number, request: object, key: string): Promise<string>;
}

type Client = Omit<OSS, keyof Untyped> & Untyped;

export interface AliOss {
  /** A client of a new bucket. */
  fresh(options?: Partial<OSS.Options>): Promise<Client>;
  /** A client of a bucket that exists. */
  client(bucket: string, options?: Partial<OSS.Options>): Client;
  /** GETs or PUTs a URL of the vendor's host. */
  fetch(url: string, put?: Buffer): Promise<{ status: number; body: string }>;
}

const PART_BYTES = 100 * 1024;

async function refused(call: Promise<unknown>, code: string, status: number): Promise<void> {
  await assert.rejects(call, (error: { code?: string; status?: number }) => {
    assert.deepEqual([error.code, error.status], [code, status]);
    return true;
  });
}

const bucketOf = (oss: Client): string => (oss as unknown as { options: { bucket: string } }).options.bucket;
const textOf = async (oss: Client, key: string, options?: object): Promise<string> =>
  String((await oss.get(key, undefined, options as never)).content);

export const ALI_OSS: Scenarios<AliOss> = {
  async "put and get keep bytes, headers and metadata"({ fresh }) {
    const oss = await fresh();
    const headers = { "Content-Type": "text/plain", "Cache-Control": "no-cache", "Content-Disposition": "inline" };
    await oss.put("a/b 文件.txt", Buffer.from([0, 255]), { headers, meta: { who: "me" } as never });
    const { content, res } = await oss.get("a/b 文件.txt");
    assert.deepEqual(content, Buffer.from([0, 255]));
    const got = res.headers as Record<string, string>;
    for (const [name, value] of Object.entries(headers)) assert.equal(got[name.toLowerCase()], value);
    assert.equal(got["x-oss-meta-who"], "me");
  },
  async "a signature of version 1 is accepted"({ fresh }) {
    const oss = await fresh({ authorizationV4: false } as Partial<OSS.Options>);
    await oss.put("k", Buffer.from("old"));
    assert.equal(await textOf(oss, "k"), "old");
  },
  async "an absent key and an absent bucket are refused"({ fresh, client }) {
    const oss = await fresh();
    await refused(oss.get("absent"), "NoSuchKey", 404);
    await refused(client(`${bucketOf(oss)}-absent`).get("k"), "NoSuchBucket", 404);
  },
  async "a wrong secret is refused"({ fresh, client }) {
    const bucket = bucketOf(await fresh());
    await refused(client(bucket, { accessKeySecret: "wrong" }).get("k"), "SignatureDoesNotMatch", 403);
  },
  async "head answers the metadata"({ fresh }) {
    const oss = await fresh();
    await oss.put("k", Buffer.from("12345"), { meta: { a: "1" } as never });
    const head = await oss.head("k");
    assert.deepEqual([head.status, head.meta], [200, { a: "1" }]);
    await refused(oss.head("absent"), "NoSuchKey", 404);
  },
  async "a range is answered with 206"({ fresh }) {
    const oss = await fresh();
    await oss.put("k", Buffer.from("0123456789"));
    const { content, res } = await oss.get("k", undefined, { headers: { Range: "bytes=2-4" } });
    assert.deepEqual([res.status, String(content)], [206, "234"]);
  },
  async "a stream is put and read"({ fresh }) {
    const oss = await fresh();
    const { Readable } = await import("node:stream");
    await oss.putStream("k", Readable.from([Buffer.from("a"), Buffer.from("b")]));
    const { stream } = await oss.getStream("k");
    let text = "";
    for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk;
    assert.equal(text, "ab");
  },
  async "append gives the next position"({ fresh }) {
    const oss = await fresh();
    const first = await oss.append("log", Buffer.from("hello"));
    assert.equal(Number(first.nextAppendPosition), 5);
    await refused(oss.append("log", Buffer.from("x"), { position: "0" } as never), "PositionNotEqualToLength", 409);
    await oss.append("log", Buffer.from(" world"), { position: first.nextAppendPosition } as never);
    assert.equal(await textOf(oss, "log"), "hello world");
  },
  async "copy keeps metadata"({ fresh }) {
    const oss = await fresh();
    await oss.put("from", Buffer.from("x"), { meta: { a: "1" } as never });
    await oss.copy("to", "from");
    assert.deepEqual((await oss.head("to")).meta, { a: "1" });
    await oss.putMeta("to", { b: "2" } as never, {});
    assert.deepEqual((await oss.head("to")).meta, { b: "2" });
  },
  async "delete one and many"({ fresh }) {
    const oss = await fresh();
    for (const key of ["1", "2", "3"]) await oss.put(key, Buffer.from(key));
    await oss.delete("1");
    const { deleted } = await oss.deleteMulti(["2", "3", "a&b"]);
    assert.deepEqual((deleted as unknown as { Key: string }[]).map(({ Key }) => Key).sort(), ["2", "3", "a&b"]);
    assert.deepEqual((await oss.listV2({}, {})).objects ?? [], []);
  },
  async "listings have pages, prefixes and delimiters"({ fresh }) {
    const oss = await fresh();
    for (const key of ["a/1", "a/2", "b", "c&d"]) await oss.put(key, Buffer.from(key));
    const page = await oss.listV2({ "max-keys": "2" }, {});
    assert.deepEqual([page.objects.map(({ name }) => name), page.isTruncated], [["a/1", "a/2"], true]);
    const rest = await oss.listV2({ "continuation-token": page.nextContinuationToken as string }, {});
    assert.deepEqual(
      rest.objects.map(({ name }) => name),
      ["b", "c&d"],
    );
    assert.deepEqual((await oss.list({ delimiter: "/", "max-keys": 100 }, {})).prefixes, ["a/"]);
  },
  async "tags are put, read and deleted"({ fresh }) {
    const oss = await fresh();
    await oss.put("k", Buffer.from("x"));
    await oss.putObjectTagging("k", { b: "c d", a: "1" });
    assert.deepEqual((await oss.getObjectTagging("k")).tag, { b: "c d", a: "1" });
    await oss.deleteObjectTagging("k");
    assert.deepEqual((await oss.getObjectTagging("k")).tag, {});
  },
  async "the ACL of an object"({ fresh, fetch }) {
    const oss = await fresh();
    await oss.put("k", Buffer.from("open"));
    await oss.putACL("k", "public-read");
    assert.equal((await oss.getACL("k")).acl, "public-read");
    const url = new URL(oss.signatureUrl("k"));
    assert.equal((await fetch(`${url.origin}/k`)).body, "open");
  },
  async "a symlink leads to its target"({ fresh }) {
    const oss = await fresh();
    await oss.put("target 中", Buffer.from("there"));
    await oss.putSymlink("link", "target 中", {} as never);
    assert.equal((await oss.getSymlink("link")).targetName, "target 中");
    assert.equal(await textOf(oss, "link"), "there");
  },
  async "an archived object must be restored"({ fresh }) {
    const oss = await fresh();
    await oss.put("cold", Buffer.from("x"), { headers: { "x-oss-storage-class": "Archive" } });
    await refused(oss.get("cold"), "InvalidObjectState", 403);
    const { res } = (await oss.restore("cold")) as unknown as { res: { status: number } };
    assert.equal(res.status, 202);
  },
  async "parts become one object"({ fresh }) {
    const oss = await fresh();
    const body = randomBytes(3 * PART_BYTES + 1);
    await oss.multipartUpload("k", body, { partSize: PART_BYTES, parallel: 2, meta: { a: "1" } as never });
    assert.deepEqual((await oss.get("k")).content, body);
    assert.deepEqual((await oss.head("k")).meta, { a: "1" });
  },
  async "parts are copied"({ fresh }) {
    const oss = await fresh();
    const body = randomBytes(2 * PART_BYTES + 1);
    await oss.put("from", body);
    await oss.multipartUploadCopy("to", { sourceKey: "from", sourceBucketName: bucketOf(oss) }, { partSize: PART_BYTES });
    assert.deepEqual((await oss.get("to")).content, body);
  },
  async "an aborted upload is gone"({ fresh }) {
    const oss = await fresh();
    const { uploadId } = await oss.initMultipartUpload("k");
    assert.deepEqual(
      (await oss.listUploads({ "max-uploads": 10 }, {})).uploads.map((upload: { uploadId: string }) => upload.uploadId),
      [uploadId],
    );
    await oss.abortMultipartUpload("k", uploadId);
    await refused(oss.listParts("k", uploadId, { "max-parts": "10" }), "NoSuchUpload", 404);
  },
  async "a part that is too small is refused"({ fresh }) {
    const oss = await fresh();
    const { uploadId } = await oss.initMultipartUpload("k");
    const parts = [];
    for (const number of [1, 2]) {
      const { etag } = (await oss.uploadPart("k", uploadId, number, Buffer.from("x") as never, 0, 1)) as unknown as {
        etag: string;
      };
      parts.push({ number, etag });
    }
    await refused(oss.completeMultipartUpload("k", uploadId, parts), "EntityTooSmall", 400);
  },
  async "versions and delete markers"({ fresh }) {
    const oss = await fresh();
    await oss.putBucketVersioning(bucketOf(oss), "Enabled");
    const versionOf = async (text: string) =>
      ((await oss.put("k", Buffer.from(text))).res.headers as Record<string, string>)["x-oss-version-id"] as string;
    const [first, second] = [await versionOf("1"), await versionOf("2")];
    assert.equal(await textOf(oss, "k", { versionId: first }), "1");
    await oss.delete("k");
    await refused(oss.get("k"), "NoSuchKey", 404);
    const { objects, deleteMarker } = (await oss.getBucketVersions({})) as unknown as {
      objects: { versionId: string }[];
      deleteMarker: unknown[];
    };
    assert.deepEqual([objects.map(({ versionId }) => versionId), deleteMarker.length], [[second, first], 1]);
  },
  async "presigned URLs read and write"({ fresh, fetch }) {
    const oss = await fresh();
    const write = await oss.signatureUrlV4("PUT", 60, {}, "k");
    assert.equal((await fetch(write, Buffer.from("signed"))).status, 200);
    const read = await oss.signatureUrlV4("GET", 60, {}, "k");
    assert.equal((await fetch(read)).body, "signed");
    assert.equal((await fetch(read.replace("/k?", "/other?"))).status, 403);
    assert.equal((await fetch(oss.signatureUrl("k", { expires: 60 }))).body, "signed");
  },
  async "ACL, info and location of a bucket"({ fresh }) {
    const oss = await fresh();
    const bucket = bucketOf(oss);
    await oss.putBucketACL(bucket, "public-read");
    assert.equal((await oss.getBucketACL(bucket)).acl, "public-read");
    const { bucket: info } = await oss.getBucketInfo(bucket);
    assert.deepEqual([info.Name, info.Location], [bucket, "oss-cn-hangzhou"]);
    assert.equal((await oss.getBucketLocation(bucket)).location, "oss-cn-hangzhou");
  },
  async "settings of a bucket come back"({ fresh }) {
    const oss = await fresh();
    const bucket = bucketOf(oss);
    await oss.putBucketCORS(bucket, [{ allowedOrigin: "*", allowedMethod: "GET" }]);
    assert.equal((await oss.getBucketCORS(bucket)).rules.length, 1);
    await oss.putBucketLifecycle(bucket, [{ id: "old", prefix: "log/", status: "Enabled", expiration: { days: 7 } } as never]);
    assert.equal((await oss.getBucketLifecycle(bucket)).rules.length, 1);
    await oss.putBucketEncryption(bucket, { SSEAlgorithm: "AES256" } as never);
    await oss.putBucketTags(bucket, { team: "a" });
    assert.deepEqual((await oss.getBucketTags(bucket)).tag, { team: "a" });
    await oss.putBucketReferer(bucket, true, ["http://example.com"]);
    assert.equal((await oss.getBucketReferer(bucket)).allowEmpty, true);
    await oss.putBucketWebsite(bucket, { index: "index.html" });
    assert.equal((await oss.getBucketWebsite(bucket)).index, "index.html");
    await oss.putBucketLogging(bucket, "log/");
    assert.equal((await oss.getBucketLogging(bucket)).prefix, "log/");
  },
  async "the policy of a bucket is obeyed"({ fresh, fetch }) {
    const oss = await fresh();
    const bucket = bucketOf(oss);
    await oss.put("k", Buffer.from("x"));
    const Resource = [`acs:oss:*:*:${bucket}/*`];
    const policy = { Version: "1", Statement: [{ Effect: "Allow", Action: ["oss:GetObject"], Principal: ["*"], Resource }] };
    await oss.putBucketPolicy(bucket, policy);
    const { origin } = new URL(oss.signatureUrl("k"));
    assert.equal((await fetch(`${origin}/k`)).status, 200);
    await oss.deleteBucketPolicy(bucket);
    assert.equal((await fetch(`${origin}/k`)).status, 403);
  },
  async "buckets are listed, and one with objects is not deleted"({ fresh }) {
    const oss = await fresh();
    const bucket = bucketOf(oss);
    const found = (await oss.listBuckets({ prefix: bucket })) as unknown as { buckets: { name: string }[] };
    assert.deepEqual(
      found.buckets.map(({ name }) => name),
      [bucket],
    );
    await oss.put("k", Buffer.from("x"));
    await refused(oss.deleteBucket(bucket), "BucketNotEmpty", 409);
    await oss.delete("k");
    await oss.deleteBucket(bucket);
  },
};
