/** What S3 refuses, and the emulator without its edge takes. */
import { createHmac } from "node:crypto";
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { type LocalS3, refusal, startLocalS3 } from "./s3-fixture";

let local: LocalS3;
let s3: S3Client;
let Bucket: string;

beforeAll(async () => {
  local = await startLocalS3();
  s3 = local.s3;
  Bucket = await local.bucket();
}, 300_000);

afterAll(() => local?.end());

const put = (Key: string, more: object = {}) => s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...more }));

describe("limits", () => {
  test("2,048 bytes of metadata are stored; one more is refused, in each operation that takes metadata", async () => {
    // Names without their prefix count, and values in UTF-8.
    const metadata = (bytes: number) => ({ a: "é".repeat(500), bc: "x".repeat(bytes - 1003) });
    await put("metadata", { Metadata: metadata(2048) });
    const tooLarge = refusal("MetadataTooLarge", 400, /exceed the maximum allowed metadata size/);
    const Metadata = metadata(2049);
    await expect(put("metadata", { Metadata })).rejects.toMatchObject(tooLarge);
    const upload = new CreateMultipartUploadCommand({ Bucket, Key: "metadata", Metadata });
    await expect(s3.send(upload)).rejects.toMatchObject(tooLarge);
    const copy = { Bucket, Key: "copy", CopySource: `${Bucket}/metadata`, Metadata };
    await expect(s3.send(new CopyObjectCommand({ ...copy, MetadataDirective: "REPLACE" }))).rejects.toMatchObject(tooLarge);
    // A copy of the source's own metadata takes none from the request.
    await s3.send(new CopyObjectCommand({ ...copy, MetadataDirective: "COPY" }));
  });

  test("a key has 1,024 bytes of UTF-8 at most", async () => {
    await put("k".repeat(1024));
    for (const Key of ["k".repeat(1025), `${"k".repeat(1023)}é`]) {
      await expect(put(Key)).rejects.toMatchObject(refusal("KeyTooLongError", 400, /key is too long/));
      await expect(s3.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject(refusal("KeyTooLongError", 400));
    }
  });
});

describe("tags", () => {
  const tags = (...TagSet: [Key: string, Value: string][]) =>
    s3.send(
      new PutObjectTaggingCommand({ Bucket, Key: "tagged", Tagging: { TagSet: TagSet.map(([Key, Value]) => ({ Key, Value })) } }),
    );
  const many = (count: number) => Array.from({ length: count }, (_, index): [string, string] => [`key-${index}`, "v"]);
  beforeAll(() => put("tagged"));

  test("ten tags of the longest keys and values, of every allowed character, are stored", async () => {
    await tags(...many(8), ["中".repeat(128), "文".repeat(256)], ["b c+d-e=f.g_h:i/j@k", ""]);
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key: "tagged" }))).TagSet).toHaveLength(10);
  });

  test.each<[string, [string, string][], string, RegExp]>([
    ["eleven tags", many(11), "BadRequest", /cannot be greater than 10/],
    ["a key of 129 characters", [["k".repeat(129), "v"]], "InvalidTag", /TagKey/],
    // S3 counts in UTF-16.
    ["a key of 65 characters of two units each", [["𝒜".repeat(65), "v"]], "InvalidTag", /TagKey/],
    ["a value of 257 characters", [["k", "v".repeat(257)]], "InvalidTag", /TagValue/],
    ["a key without a character", [["", "v"]], "InvalidTag", /TagKey/],
    ["a character in a key that no tag has", [["a<b", "v"]], "InvalidTag", /TagKey/],
    ["a character in a value that no tag has", [["k", "50%"]], "InvalidTag", /TagValue/],
    ["an emoji", [["k", "😀"]], "InvalidTag", /TagValue/],
    ["a key of AWS", [["aws:cost", "v"]], "InvalidTag", /System tags/],
    ["one key two times", [["k", "1"], ["k", "2"]], "InvalidTag", /multiple Tags with the same key/], // biome-ignore format: one line a case
  ])("%s are refused", async (_name, set, code, message) => {
    await expect(tags(...set)).rejects.toMatchObject(refusal(code, 400, message));
  });

  test.each([
    ["a key two times", "a=1&a=2", "InvalidArgument"],
    ["no key", "=1", "InvalidArgument"],
    ["bytes that are no UTF-8", "a=%FF", "InvalidArgument"],
    ["a long key", `${"k".repeat(129)}=1`, "InvalidTag"],
    ["eleven tags", many(11).map((pair) => pair.join("=")).join("&"), "BadRequest"], // biome-ignore format: one line a case
  ])("a header with %s is refused, and nothing is stored", async (_name, Tagging, code) => {
    await expect(put("header", { Tagging })).rejects.toMatchObject(refusal(code, 400));
    const upload = new CreateMultipartUploadCommand({ Bucket, Key: "header", Tagging });
    await expect(s3.send(upload)).rejects.toMatchObject(refusal(code, 400));
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: "header" }))).rejects.toMatchObject(refusal("NotFound", 404));
  });
});

describe("a version id", () => {
  test("that S3 did not give is a bad request, and one that it might have given is not found", async () => {
    const versioned = await local.bucket(true);
    await s3.send(new PutObjectCommand({ Bucket: versioned, Key: "k", Body: "x" }));
    const of = (VersionId: string) => ({ Bucket: versioned, Key: "k", VersionId });
    const malformed = refusal("InvalidArgument", 400, /Invalid version id specified/);
    await expect(s3.send(new GetObjectCommand(of("nonsense")))).rejects.toMatchObject(malformed);
    await expect(s3.send(new GetObjectTaggingCommand(of("nonsense")))).rejects.toMatchObject(malformed);
    await expect(s3.send(new DeleteObjectTaggingCommand(of("nonsense")))).rejects.toMatchObject(malformed);
    await expect(s3.send(new DeleteObjectCommand(of("nonsense")))).rejects.toMatchObject(malformed);
    await expect(s3.send(new HeadObjectCommand(of("nonsense")))).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    const unknown = s3.send(new GetObjectCommand(of("00000000-0000-4000-8000-000000000000")));
    await expect(unknown).rejects.toMatchObject(refusal("NoSuchVersion", 404));
  });

  test("of a copy's source is checked too, and a delete marker is no source", async () => {
    const versioned = await local.bucket(true);
    await s3.send(new PutObjectCommand({ Bucket: versioned, Key: "k", Body: "x" }));
    const { VersionId = "" } = await s3.send(new DeleteObjectCommand({ Bucket: versioned, Key: "k" }));
    const copy = (version: string) =>
      s3.send(new CopyObjectCommand({ Bucket, Key: "copied", CopySource: `${versioned}/k?versionId=${version}` }));
    await expect(copy("nonsense")).rejects.toMatchObject(refusal("InvalidRequest", 400));
    await expect(copy("")).rejects.toMatchObject(refusal("InvalidArgument", 400, /empty string/));
    await expect(copy(VersionId)).rejects.toMatchObject(refusal("InvalidRequest", 400, /delete marker/));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "copied" }));
    const part = { Bucket, Key: "copied", UploadId, PartNumber: 1, CopySource: `${versioned}/k?versionId=nonsense` };
    await expect(s3.send(new UploadPartCopyCommand(part))).rejects.toMatchObject(refusal("InvalidArgument", 400));
  });
});

describe("a copy onto itself", () => {
  const onto = (more: Partial<CopyObjectCommandInput>, bucket = Bucket) =>
    s3.send(new CopyObjectCommand({ Bucket: bucket, Key: "self", CopySource: `${bucket}/self`, ...more }));
  beforeAll(() => put("self"));

  test.each<[string, Partial<CopyObjectCommandInput>]>([
    ["nothing", {}],
    ["its tags alone", { TaggingDirective: "REPLACE", Tagging: "a=1" }],
    ["metadata that COPY ignores", { MetadataDirective: "COPY", Metadata: { a: "1" } }],
  ])("that changes %s is refused", async (_name, more) => {
    await expect(onto(more)).rejects.toMatchObject(refusal("InvalidRequest", 400, /to itself without changing/));
  });

  test.each<[string, Partial<CopyObjectCommandInput>]>([
    ["metadata", { MetadataDirective: "REPLACE" }],
    ["storage class", { StorageClass: "STANDARD" }],
    ["encryption", { ServerSideEncryption: "AES256" }],
    ["redirect", { WebsiteRedirectLocation: "/elsewhere" }],
  ])("that names its %s is done", async (_name, more) => {
    expect((await onto(more)).CopyObjectResult?.ETag).toBeDefined();
  });

  test("is done in a bucket that has an encryption of its own", async () => {
    const encrypted = await local.bucket();
    await s3.send(new PutObjectCommand({ Bucket: encrypted, Key: "self", Body: "x" }));
    const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const } }];
    await s3.send(new PutBucketEncryptionCommand({ Bucket: encrypted, ServerSideEncryptionConfiguration: { Rules } }));
    expect((await onto({}, encrypted)).CopyObjectResult?.ETag).toBeDefined();
  });
});

describe("conditions of", () => {
  const absent = refusal("NoSuchKey", 404);
  const failed = refusal("PreconditionFailed", 412);

  test("a copy are those of the object that it replaces", async () => {
    const { ETag } = await put("from", { Body: "source" });
    const to = async (Key: string, more: Partial<CopyObjectCommandInput>) =>
      s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/from`, ...more }));
    const { ETag: current } = await put("to", { Body: "destination" });
    await expect(to("to", { IfMatch: ETag })).rejects.toMatchObject(failed);
    await expect(to("to", { IfNoneMatch: "*" })).rejects.toMatchObject(failed);
    await expect(to("to-absent", { IfMatch: ETag })).rejects.toMatchObject(absent);
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: "to" }))).ETag).toBe(current);
    await to("to", { IfMatch: current });
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: "to" }))).ETag).toBe(ETag);
    await to("to-absent", { IfNoneMatch: "*" });
  });

  test("a write are an etag to match, or no object at all", async () => {
    const { ETag = "" } = await put("written");
    const unknown = refusal("NotImplemented", 501);
    for (const condition of [{ IfMatch: "*" }, { IfNoneMatch: ETag }, { IfMatch: ETag, IfNoneMatch: "*" }])
      await expect(put("written", condition)).rejects.toMatchObject(unknown);
    await expect(put("not-written", { IfMatch: ETag })).rejects.toMatchObject(absent);
  });

  test("a delete: an absent key is not found, another etag has failed", async () => {
    const { ETag } = await put("deleted");
    const remove = (Key: string, IfMatch: string | undefined) => s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch }));
    await expect(remove("never-there", ETag)).rejects.toMatchObject(absent);
    await expect(remove("never-there", "*")).rejects.toMatchObject(absent);
    await expect(remove("deleted", '"0"')).rejects.toMatchObject(failed);
    await remove("deleted", ETag);
  });
});

describe("a completion", () => {
  async function upload(...sizes: number[]): Promise<[string | undefined, CompletedPart[]]> {
    const at = { Bucket, Key: "parts" };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
    const parts = await Promise.all(
      sizes.map(async (size, index) => {
        const PartNumber = index + 1;
        const sent = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body: Buffer.alloc(size) }));
        return { PartNumber, ETag: sent.ETag };
      }),
    );
    return [UploadId, parts];
  }
  const complete = (UploadId: string | undefined, Parts: CompletedPart[]) =>
    s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "parts", UploadId, MultipartUpload: { Parts } }));

  test("with a part below 5 MiB that is not the last is refused", async () => {
    const [id, parts] = await upload(5 * 1024 ** 2 - 1, 1);
    await expect(complete(id, parts)).rejects.toMatchObject(refusal("EntityTooSmall", 400));
    const [other, whole] = await upload(5 * 1024 ** 2, 1);
    await complete(other, whole);
  });

  test("names its parts in order, each once, and at least one", async () => {
    const [id, parts] = await upload(1, 1);
    await expect(complete(id, parts.toReversed())).rejects.toMatchObject(refusal("InvalidPartOrder", 400));
    await expect(complete(id, [...parts.slice(0, 1), ...parts.slice(0, 1)])).rejects.toMatchObject(
      refusal("InvalidPartOrder", 400),
    );
    await expect(complete(id, [])).rejects.toMatchObject(refusal("MalformedXML", 400));
  });
});

describe("signatures", () => {
  test("an unsigned request lists and creates no buckets", async () => {
    const denied = { status: 403, body: expect.stringContaining("<Code>AccessDenied</Code>") };
    expect(await local.send("GET", "/")).toMatchObject(denied);
    expect(await local.send("PUT", "/of-nobody")).toMatchObject(denied);
    expect((await local.send("HEAD", `/${Bucket}`)).status).toBe(403);
  });

  test("a URL signed with version 2 ends at its time", async () => {
    await put("v2");
    const { accessKeyId, secretAccessKey } = local.partition.credentials;
    const get = (expires: number | string, secret = secretAccessKey) => {
      const text = `GET\n\n\n${expires}\n/${Bucket}/v2`;
      const signature = createHmac("sha1", secret).update(text).digest("base64");
      const query = new URLSearchParams({ AWSAccessKeyId: accessKeyId, Expires: `${expires}`, Signature: signature });
      return local.send("GET", `/${Bucket}/v2?${query}`);
    };
    const now = Math.floor(Date.now() / 1000);
    expect((await get(now + 60)).status).toBe(200);
    expect(await get(now - 1)).toMatchObject({ status: 403, body: expect.stringContaining("Request has expired") });
    expect((await get("soon")).status).toBe(403);
    expect((await get(now + 60, "another secret")).status).toBe(403);
  });

  test("the account's own key needs its secret", async () => {
    const other = new S3Client(local.config({ ...local.partition.credentials, secretAccessKey: "another secret" }));
    await expect(other.send(new ListBucketsCommand({}))).rejects.toMatchObject(refusal("SignatureDoesNotMatch", 403));
    other.destroy();
  });
});
