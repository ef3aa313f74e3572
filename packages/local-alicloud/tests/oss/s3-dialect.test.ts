/** OSS by AWS's own client, as far as OSS documents it: https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3 */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { EXPIRED, NOBODY, type OssFixture, ROOT, STS, startFixture } from "./oss-fixture";
import { portOf, send, sendSigned } from "./raw-request";

const ignore = () => undefined;
const Bucket = "by-clients-of-s3";
let fixture: OssFixture;
let s3: S3Client;

const clientOf = ({
  accessKeyId,
  accessKeySecret,
  stsToken,
}: {
  accessKeyId: string;
  accessKeySecret: string;
  stsToken?: string;
}) =>
  new S3Client({
    endpoint: `http://127.0.0.1:${portOf(fixture)}`,
    region: "cn-shanghai",
    forcePathStyle: true,
    maxAttempts: 1,
    // Without one it writes to the console.
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    credentials: { accessKeyId, secretAccessKey: accessKeySecret, ...(stsToken === undefined ? {} : { sessionToken: stsToken }) },
  });

beforeEach(async () => {
  fixture = await startFixture();
  s3 = clientOf(ROOT);
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterEach(async () => {
  s3.destroy();
  await fixture.stop();
});

const put = (Key: string, Body: string | Buffer | Readable, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const refused = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: { name: string; $metadata: { httpStatusCode: number } }) => [error.$metadata.httpStatusCode, error.name],
  );

test("an object keeps its key, headers and metadata, and a class has the name of S3", async () => {
  const Key = "a folder/名 +%.txt";
  const written = { ContentType: "text/plain", CacheControl: "no-cache", Metadata: { who: "me" }, StorageClass: "STANDARD_IA" };
  await put(Key, "hello", written);
  const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
  expect(await got.Body?.transformToString()).toBe("hello");
  expect(got).toMatchObject({ ...written, ETag: `"${createHash("md5").update("hello").digest("hex").toUpperCase()}"` });
  const own = await sendSigned(fixture, { method: "HEAD" }, { bucket: Bucket, key: Key });
  expect(own.headers).toMatchObject({ "x-oss-storage-class": "IA", "x-oss-meta-who": "me", "content-type": "text/plain" });
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "a folder/" }));
  expect(Contents).toMatchObject([{ Key, Size: 5, StorageClass: "STANDARD_IA" }]);
});

test("listings have pages and folders", async () => {
  for (const key of ["a/1", "a/2", "b"]) await put(key, "x");
  const first = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2 }));
  expect(first).toMatchObject({ IsTruncated: true, KeyCount: 2 });
  const rest = await s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken: first.NextContinuationToken }));
  expect(rest.Contents?.map(({ Key }) => Key)).toEqual(["b"]);
  expect(await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }))).toMatchObject({
    CommonPrefixes: [{ Prefix: "a/" }],
  });
});

test("an upload in parts, a copy and deletes", async () => {
  const Key = "parts";
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, Metadata: { a: "1" } }));
  const bodies = [Buffer.alloc(100 * 1024, "a"), Buffer.from("b")];
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: index + 1, Body }));
    Parts.push({ ETag, PartNumber: index + 1 });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/${Key}` }));
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "copy" }));
  expect(head).toMatchObject({ ContentLength: 100 * 1024 + 1, Metadata: { a: "1" }, StorageClass: "STANDARD" });
  await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "copy" }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
  expect(await refused(s3.send(new HeadBucketCommand({ Bucket })))).toEqual([404, "NotFound"]);
});

test("a bucket is there for S3's clients alone", async () => {
  expect((await s3.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe("oss-cn-shanghai");
  expect((await sendSigned(fixture, { method: "HEAD" }, { bucket: Bucket })).status).toBe(405);
});

test("refusals have the codes that S3's clients know, and the fine-grained code of OSS", async () => {
  expect(await refused(s3.send(new GetObjectCommand({ Bucket, Key: "absent" })))).toEqual([404, "NoSuchKey"]);
  expect(await refused(s3.send(new ListObjectsV2Command({ Bucket: "absent-bucket" })))).toEqual([404, "NoSuchBucket"]);
  for (const [key, code] of [
    [{ ...ROOT, accessKeySecret: "wrong" }, "SignatureDoesNotMatch"],
    [{ ...ROOT, accessKeyId: "LTAIWHO" }, "InvalidAccessKeyId"],
    [NOBODY, "AccessDenied"],
    [EXPIRED, "SecurityTokenExpired"],
  ] as const)
    expect(await refused(clientOf(key).send(new ListObjectsV2Command({ Bucket })))).toEqual([403, code]);
  expect((await clientOf(STS).send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
});

test("what OSS does not take of S3: bodies in signed chunks, conditional writes, and most settings of buckets", async () => {
  const chunks = put("key", Readable.from([Buffer.from("ab")]), { ContentLength: 2 });
  expect(await refused(chunks)).toEqual([400, "InvalidArgument"]);
  expect(await refused(put("key", "x", { IfNoneMatch: "*" }))).toEqual([501, "NotImplemented"]);
  expect(await refused(s3.send(new GetBucketVersioningCommand({ Bucket })))).toEqual([501, "NotImplemented"]);
});

test("a signed URL reads the object until it expires, and nothing else", async () => {
  await put("a key", "hello");
  const url = new URL(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "a key" }), { expiresIn: 60 }));
  const get = (path: string) => send(fixture, { method: "GET", path, secure: false, headers: { host: url.host } });
  const path = `${url.pathname}${url.search}`;
  expect((await get(path)).body.toString()).toBe("hello");
  expect(await get(path.replace("a%20key", "other"))).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
  const old = path.replace(/X-Amz-Date=\d{8}/, "X-Amz-Date=20200101");
  expect(await get(old)).toMatchObject({ status: 403, code: "AccessDenied" });
});

test("a header of OSS, which the signature does not cover, has no effect", async () => {
  const url = new URL(await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "k" }), { expiresIn: 60 }));
  const headers = { host: url.host, "content-length": "1", "x-oss-object-acl": "public-read", "x-oss-meta-a": "1" };
  const put = { method: "PUT", path: `${url.pathname}${url.search}`, secure: false, headers, body: "x" };
  expect((await send(fixture, put)).status).toBe(200);
  const own = await sendSigned(fixture, { method: "HEAD" }, { bucket: Bucket, key: "k" });
  expect(own.headers).not.toHaveProperty("x-oss-meta-a");
});

test("a header that the signature does not cover is refused", async () => {
  s3.middlewareStack.add(
    (next) => (given) => {
      (given.request as { headers: Record<string, string> }).headers["x-amz-acl"] = "public-read";
      return next(given);
    },
    { step: "finalizeRequest", priority: "low", name: "unsigned" },
  );
  expect(await refused(put("key", "x"))).toEqual([403, "AccessDenied"]);
});
