/** What S3 stores, answers, allows and reports, where the emulator without its edge does otherwise. */
import { randomBytes } from "node:crypto";
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { clientConfig } from "../../../local/aws/client-config";
import { checksumOf } from "../../../runtime/stores/checksums";
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

const put = (Key: string, more: Partial<PutObjectCommandInput> = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...more }));
const head = (Key: string, VersionId?: string) =>
  s3.send(new HeadObjectCommand({ Bucket, Key, VersionId, ChecksumMode: "ENABLED" }));
/** Reads the body too: an open one fails when the emulator stops. */
async function get(Key: string, client = s3) {
  const answer = await client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
  await answer.Body?.transformToByteArray();
  return answer;
}
const crc64 = (bytes: Buffer | string) => checksumOf("CRC64NVME", Buffer.from(bytes)).value;

async function upload(Key: string, bodies: Buffer[], more: Partial<CreateMultipartUploadCommandInput> = {}) {
  const at = { Bucket, Key };
  const created = await s3.send(new CreateMultipartUploadCommand({ ...at, ...more }));
  const { UploadId } = created;
  const Parts: CompletedPart[] = [];
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  return { created, input: { ...at, UploadId, MultipartUpload: { Parts } } };
}

describe("checksums", () => {
  const large = randomBytes(5 * 1024 ** 2);
  const whole = Buffer.concat([large, Buffer.from("end")]);

  test.each([
    ["", ""],
    ["short", "short"],
    ["of 100,001 bytes", randomBytes(100_001)],
  ])("an object %s that is sent without one gets CRC64NVME, in the answer, HEAD and GET", async (_name, Body) => {
    const expected = { ChecksumCRC64NVME: crc64(Body), ChecksumType: "FULL_OBJECT" };
    expect(await put("default", { Body })).toMatchObject(expected);
    expect(await head("default")).toMatchObject(expected);
    expect(await get("default")).toMatchObject(expected);
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: "default" }))).ChecksumCRC64NVME).toBeUndefined();
  });

  test("an object keeps the one that it was sent with, and no other", async () => {
    await put("crc32", { ChecksumAlgorithm: "CRC32" });
    const found = await head("crc32");
    expect(found).toMatchObject({ ChecksumCRC32: checksumOf("CRC32", Buffer.from("x")).value, ChecksumType: "FULL_OBJECT" });
    expect(found.ChecksumCRC64NVME).toBeUndefined();
  });

  test("an upload without an algorithm gets CRC64NVME of the whole object", async () => {
    const { created, input } = await upload("default-upload", [large, Buffer.from("end")]);
    expect([created.ChecksumType, created.ChecksumAlgorithm]).toEqual([undefined, undefined]);
    const expected = { ChecksumCRC64NVME: crc64(whole), ChecksumType: "FULL_OBJECT" };
    expect(await s3.send(new CompleteMultipartUploadCommand(input))).toMatchObject(expected);
    expect(await head("default-upload")).toMatchObject(expected);
    // A client that lost the answer asks again.
    expect(await s3.send(new CompleteMultipartUploadCommand(input))).toMatchObject(expected);
  });

  test.each(["CRC32", "CRC64NVME"] as const)("an upload for %s of the whole object compares it", async (algorithm) => {
    const kind = { ChecksumAlgorithm: algorithm, ChecksumType: "FULL_OBJECT" } as const;
    const { created, input } = await upload("whole", [large, Buffer.from("end")], kind);
    expect(created.ChecksumType).toBe("FULL_OBJECT");
    const complete = (value: string) =>
      s3.send(new CompleteMultipartUploadCommand({ ...input, [`Checksum${algorithm}`]: value, ChecksumType: "FULL_OBJECT" }));
    await expect(complete(checksumOf(algorithm, Buffer.from("other")).value)).rejects.toMatchObject(refusal("BadDigest", 400));
    const { value } = checksumOf(algorithm, whole);
    expect(await complete(value)).toMatchObject({ [`Checksum${algorithm}`]: value, ChecksumType: "FULL_OBJECT" });
    expect(await head("whole")).toMatchObject({ [`Checksum${algorithm}`]: value, ChecksumType: "FULL_OBJECT" });
  });

  test("an algorithm has the types that S3 lists, and a completion that of its upload", async () => {
    const create = (more: object) => s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "types", ...more }));
    const refused = refusal("InvalidRequest", 400, /cannot be used with/);
    const wrong = create({ ChecksumAlgorithm: "CRC64NVME", ChecksumType: "COMPOSITE" });
    await expect(wrong).rejects.toMatchObject(refused);
    await expect(create({ ChecksumAlgorithm: "SHA256", ChecksumType: "FULL_OBJECT" })).rejects.toMatchObject(refused);
    const { input } = await upload("types", [Buffer.from("a")], { ChecksumAlgorithm: "CRC32" });
    const complete = new CompleteMultipartUploadCommand({ ...input, ChecksumType: "FULL_OBJECT" });
    await expect(s3.send(complete)).rejects.toMatchObject(refusal("InvalidRequest", 400, /same checksum mode/));
  });

  test("one over parts has another type in every version, and a copy has one of its bytes and their MD5", async () => {
    const { input } = await upload("composite", [large, Buffer.from("end")], { ChecksumAlgorithm: "CRC32" });
    await s3.send(new CompleteMultipartUploadCommand(input));
    expect(await head("composite")).toMatchObject({ ChecksumCRC32: expect.stringMatching(/-2$/), ChecksumType: "COMPOSITE" });
    const { CopyObjectResult: copied } = await s3.send(
      new CopyObjectCommand({ Bucket, Key: "one", CopySource: `${Bucket}/composite` }),
    );
    const { value } = checksumOf("CRC32", whole);
    expect(copied).toMatchObject({ ChecksumCRC32: value, ChecksumType: "FULL_OBJECT", ETag: expect.not.stringContaining("-") });
    expect(await head("one")).toMatchObject({ ETag: copied?.ETag, ChecksumCRC32: value });
  });

  test("a copied part has one as a sent one has", async () => {
    await put("part", { Body: "12345" });
    const at = { Bucket, Key: "of-copies" };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ChecksumAlgorithm: "CRC32" }));
    const part = { ...at, UploadId, PartNumber: 1, CopySource: `${Bucket}/part` };
    const { CopyPartResult } = await s3.send(new UploadPartCopyCommand(part));
    expect(CopyPartResult?.ChecksumCRC32).toBe(checksumOf("CRC32", Buffer.from("12345")).value);
  });
});

describe("headers and tags", () => {
  test("a copy with REPLACE has the given headers only, and the default type and class", async () => {
    await put("from", { ContentType: "text/css", ContentEncoding: "br", CacheControl: "no-store", StorageClass: "STANDARD_IA" });
    await s3.send(new CopyObjectCommand({ Bucket, Key: "to", CopySource: `${Bucket}/from`, MetadataDirective: "REPLACE" }));
    const { ContentType, ContentEncoding, CacheControl, StorageClass } = await head("to");
    expect({ ContentType, ContentEncoding, CacheControl, StorageClass }).toEqual({ ContentType: "binary/octet-stream" });
  });

  test("a copy keeps headers and metadata, and not the redirect", async () => {
    const Metadata = { a: "1" };
    await put("from", { ContentType: "text/css", Metadata, WebsiteRedirectLocation: "/elsewhere" });
    await s3.send(new CopyObjectCommand({ Bucket, Key: "to", CopySource: `${Bucket}/from` }));
    const { ContentType, Metadata: copied, WebsiteRedirectLocation } = await head("to");
    expect({ ContentType, copied, WebsiteRedirectLocation }).toEqual({ ContentType: "text/css", copied: Metadata });
  });

  test.each([
    ["", undefined],
    ["gzip", "gzip"],
  ])("Content-Encoding %j is answered as %j", async (ContentEncoding, expected) => {
    await put("encoded", { ContentEncoding });
    expect((await head("encoded")).ContentEncoding).toBe(expected);
  });

  test("an upload gives its object its tags, and a new object has none of the one before it", async () => {
    const tagsOf = async () => (await s3.send(new GetObjectTaggingCommand({ Bucket, Key: "tagged" }))).TagSet;
    const { input } = await upload("tagged", [Buffer.from("a")], { Tagging: "a=1&b=%E4%B8%AD" });
    await s3.send(new CompleteMultipartUploadCommand(input));
    expect(await tagsOf()).toEqual([{ Key: "a", Value: "1" }, { Key: "b", Value: "中" }]); // biome-ignore format: one line
    await put("tagged");
    expect(await tagsOf()).toEqual([]);
  });
});

describe("permissions", () => {
  test("a missing key is forbidden to users who may not list the bucket", async () => {
    await put("there");
    const reader = await local.userWith("s3:GetObject");
    await get("there", reader);
    const absent = { Bucket, Key: "not-there" };
    await expect(reader.send(new GetObjectCommand(absent))).rejects.toMatchObject(refusal("AccessDenied", 403));
    await expect(reader.send(new HeadObjectCommand(absent))).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const lister = await local.userWith("s3:GetObject", "s3:ListBucket");
    await expect(lister.send(new GetObjectCommand(absent))).rejects.toMatchObject(refusal("NoSuchKey", 404));
  });

  test("tags at a write need s3:PutObjectTagging, and an etag to match needs s3:GetObject", async () => {
    const { ETag } = await put("guarded");
    const denied = refusal("AccessDenied", 403);
    const at = { Bucket, Key: "guarded" };
    const writer = await local.userWith("s3:PutObject", "s3:DeleteObject");
    await expect(writer.send(new PutObjectCommand({ ...at, Body: "x", Tagging: "a=1" }))).rejects.toMatchObject(denied);
    await expect(writer.send(new CreateMultipartUploadCommand({ ...at, Tagging: "a=1" }))).rejects.toMatchObject(denied);
    await expect(writer.send(new PutObjectCommand({ ...at, Body: "x", IfMatch: ETag }))).rejects.toMatchObject(denied);
    await expect(writer.send(new DeleteObjectCommand({ ...at, IfMatch: ETag }))).rejects.toMatchObject(denied);
    const other = await local.userWith("s3:PutObject", "s3:PutObjectTagging", "s3:GetObject");
    await other.send(new PutObjectCommand({ ...at, Body: "x", Tagging: "a=1", IfMatch: ETag }));
  });

  test("the number of tags is answered to users who may read tags", async () => {
    await put("counted", { Tagging: "a=1&b=2" });
    const counts = async (client: S3Client, Key: string) => [
      (await client.send(new HeadObjectCommand({ Bucket, Key }))).TagCount,
      (await get(Key, client)).TagCount,
    ];
    const reader = await local.userWith("s3:GetObject", "s3:GetObjectTagging");
    expect(await counts(reader, "counted")).toEqual([2, 2]);
    await put("plain");
    expect(await counts(reader, "plain")).toEqual([undefined, undefined]);
    expect(await counts(await local.userWith("s3:GetObject"), "counted")).toEqual([undefined, undefined]);
  });
});

describe("events", () => {
  interface Event {
    eventName: string;
    userIdentity: { principalId: string };
    s3: { object: Record<string, unknown> };
  }

  /** A bucket with a queue for these events, and the events that arrive. */
  async function watched(...Events: string[]) {
    const sqs = new SQSClient(clientConfig(local.partition));
    const bucket = await local.bucket(true);
    const QueueName = `events-of-${bucket}`;
    const Statement = {
      Effect: "Allow",
      Principal: { Service: "s3.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: `arn:aws:sqs:us-east-1:111111111111:${QueueName}`,
    };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { Policy } }));
    const QueueConfigurations = [{ QueueArn: Statement.Resource, Events: Events as never[] }];
    const NotificationConfiguration = { QueueConfigurations };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: bucket, NotificationConfiguration }));
    const next = async (): Promise<Event> => {
      for (;;) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
        const records = Messages.flatMap(({ Body = "{}" }) => (JSON.parse(Body) as { Records?: Event[] }).Records ?? []);
        if (records[0] !== undefined) return records[0];
      }
    };
    return { bucket, next };
  }

  test("a change of tags alone is an event that names the version and the caller", async () => {
    const { bucket, next } = await watched("s3:ObjectTagging:*");
    const at = { Bucket: bucket, Key: "a b" };
    const { ETag = "", VersionId } = await s3.send(new PutObjectCommand({ ...at, Body: "x" }));
    const user = await local.userWith("s3:PutObjectTagging", "s3:DeleteObjectTagging");
    await user.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: [{ Key: "a", Value: "1" }] } }));
    const put = await next();
    expect(put).toMatchObject({
      eventName: "ObjectTagging:Put",
      userIdentity: { principalId: expect.stringMatching(/^AWS:AIDA/) },
      s3: { object: { key: "a+b", eTag: ETag.replaceAll('"', ""), versionId: VersionId } },
    });
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html: only writes and removals have one.
    expect(put.s3.object).not.toHaveProperty("sequencer");
    expect(put.s3.object).not.toHaveProperty("size");
    await user.send(new DeleteObjectTaggingCommand(at));
    expect(await next()).toMatchObject({ eventName: "ObjectTagging:Delete" });
  });

  test("a key with a newline has an event, and a user whose policy has a pattern reads it", async () => {
    const { bucket, next } = await watched("s3:ObjectCreated:*");
    const at = { Bucket: bucket, Key: "new\nline\ttab" };
    await s3.send(new PutObjectCommand({ ...at, Body: "x" }));
    expect(await next()).toMatchObject({ eventName: "ObjectCreated:Put", s3: { object: { key: "new%0Aline%09tab" } } });
    const user = await local.userWith("s3:GetObject");
    expect(await (await user.send(new GetObjectCommand(at))).Body?.transformToString()).toBe("x");
  });
});
