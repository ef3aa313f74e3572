import { readFileSync } from "node:fs";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { Dispatcher } from "undici";
import { clientConfig } from "../../../../local/aws/client-config";
import { type LocalAws, startLocalAws } from "../../../../local/aws/local-aws";
import { createAgent } from "../../../../runtime/http/agent";
import type { ObjectStore } from "../../../../runtime/stores/object-store";
import { readAll } from "../../../../runtime/stores/read-all";
import { createS3Store, S3_CAPABILITIES, type S3StoreOptions } from "../../../../runtime/stores/s3/store";
import { expectKind, someBytes } from "../../../conformance/object-store/context";
import { objectStoreConformance } from "../../../conformance/object-store-conformance";

let local: LocalAws;
let dispatcher: Dispatcher | undefined;
let credentials: { accessKeyId: string; secretAccessKey: string };
beforeAll(async () => {
  local = await startLocalAws();
  credentials = await createUser();
}, 300_000);
afterAll(async () => {
  await dispatcher?.destroy();
  await local.stop();
});

/** The signatures of the account's own key are not checked; those of a user are. */
async function createUser(): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const iam = new IAMClient(clientConfig(local.aws));
  const UserName = "conformance";
  // A pattern, and not "*" alone, so that the policy is compared with every key.
  const Statement = [{ Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::*" }];
  await iam.send(new CreateUserCommand({ UserName }));
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "s3", PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  iam.destroy();
  return { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
}

/** The vendor's client, for calls about buckets. */
function localClient(): S3Client {
  return new S3Client({ ...clientConfig(local.aws), credentials, forcePathStyle: true });
}

function localStore(bucket: string, options: Partial<S3StoreOptions> = {}): ObjectStore {
  const { endpoint, region, caPath } = local.aws;
  dispatcher ??= createAgent({ ca: readFileSync(caPath) });
  return createS3Store({ bucket, endpoint, region, credentials: () => credentials, dispatcher, ...options });
}

/** `fetch` would normalise `.` and `..` in the path. */
function getRaw(url: string, headers: Record<string, string>): Promise<{ status: number; body: Buffer }> {
  const [, host = "", port = "", path = ""] = /^https:\/\/([^:/]+):(\d+)(\/.*)$/.exec(url) ?? [];
  return new Promise((resolve, reject) => {
    request({ host, port, path, headers, ca: readFileSync(local.aws.caPath) }, (response) => {
      readAll(response, 1024 ** 2).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
      .on("error", reject)
      .end();
  });
}

for (const { bucket, versioned } of [
  { bucket: "unversioned", versioned: false },
  { bucket: "versioned", versioned: true },
])
  objectStoreConformance({
    name: `S3 on ministack, ${bucket}`,
    capabilities: S3_CAPABILITIES,
    versioned,
    make: async () => {
      const client = localClient();
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      if (versioned)
        await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }));
      return {
        store: localStore(bucket),
        fetch: getRaw,
        // The server signs against the real clock.
        elapse: (ms) => sleep(ms),
        cleanup: async () => client.destroy(),
      };
    },
  });

test("a tampered presigned URL is refused, and so is one for another key", async () => {
  const store = localStore("versioned");
  for (const key of ["signed", "other"])
    await store.put(key, Buffer.from(key), { attributes: { headers: {}, metadata: {}, tags: {} }, sizeBytes: key.length });
  const url = await store.presignGet("signed", { expiresInSeconds: 60 });
  expect((await getRaw(url, {})).status).toBe(200);
  const forged = [
    url.replace("/signed?", "/other?"),
    url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"),
    url.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
  ];
  for (const changed of forged) {
    expect(changed).not.toBe(url);
    expect((await getRaw(changed, {})).status).toBe(403);
  }
});

test("a bucket whose policy refuses writes without a named encryption takes puts, streams and uploads", async () => {
  const bucket = "names-encryption";
  const client = localClient();
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const Statement = {
    Effect: "Deny",
    Principal: "*",
    Action: "s3:PutObject",
    Resource: `arn:aws:s3:::${bucket}/*`,
    Condition: { StringNotEquals: { "s3:x-amz-server-side-encryption": "AES256" } },
  };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  const attributes = { headers: {}, metadata: {}, tags: {} };
  const fresh = () => localStore(bucket);
  await fresh().put("small", Buffer.from("1"), { attributes, sizeBytes: 1 });
  expect((await fresh().head("small"))?.sizeBytes).toBe(1);
  const store = fresh();
  const { uploadId } = await store.createUpload("parts", { attributes });
  await store.completeUpload("parts", uploadId, [
    await store.uploadPart("parts", { uploadId, partNumber: 1 }, Buffer.from("12")),
  ]);
  expect((await store.head("parts"))?.sizeBytes).toBe(2);
  client.destroy();
});

test("tags can be put on one version", async () => {
  const store = localStore("versioned");
  const attributes = { headers: {}, metadata: {}, tags: {} };
  const { versionId } = await store.put("tagged", Buffer.from("1"), { attributes, sizeBytes: 1 });
  await store.put("tagged", Buffer.from("2"), { attributes, sizeBytes: 1 });
  await store.putTags("tagged", { a: "1" }, { versionId: versionId as string });
  expect(await store.getTags("tagged")).toEqual({});
});

test("an object too large for one copy is touched in parts, and is left alone when its etag differs", async () => {
  const client = localClient();
  const bucket = "touched";
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const store = localStore(bucket);
  const bytes = someBytes(11 * 1024 ** 2);
  const attributes = { headers: { contentType: "a/b", expires: "0" }, metadata: { "x.y": "文件" }, tags: {} };
  const put = await store.put("large", bytes, { attributes, sizeBytes: bytes.length });
  const copyLimits = { maxCopyBytes: 6 * 1024 ** 2, partSizeBytes: 5 * 1024 ** 2 };
  const inParts = localStore(bucket, { copyLimits });
  const touched = await inParts.touch("large", { ifMatch: put.etag });
  expect(touched.etag).toMatch(/-3$/);
  expect(await store.head("large")).toMatchObject({ ...touched, headers: attributes.headers, metadata: attributes.metadata });
  expect((await readAll((await store.get("large")).body, bytes.length)).equals(bytes)).toBe(true);
  await expectKind(inParts.touch("large", { ifMatch: put.etag }), "PreconditionFailed");
  expect((await store.head("large"))?.versionId).toBe(touched.versionId);
  client.destroy();
});

test("head reports the native replication, and a touch starts it for an older object", async () => {
  const client = localClient();
  const [from, to] = ["replicated-from", "replicated-to"];
  for (const Bucket of [from, to]) {
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  }
  const [source, destination] = [localStore(from), localStore(to)];
  const attributes = { headers: {}, metadata: { a: "1" }, tags: { t: "1" } };
  await source.put("before", Buffer.from("x"), { attributes, sizeBytes: 1 });
  const Rules = [
    {
      ID: "all",
      Priority: 1,
      Status: "Enabled" as const,
      Filter: { Prefix: "" },
      DeleteMarkerReplication: { Status: "Disabled" as const },
      Destination: { Bucket: `arn:aws:s3:::${to}` },
    },
  ];
  const Role = "arn:aws:iam::111111111111:role/replication";
  await client.send(new PutBucketReplicationCommand({ Bucket: from, ReplicationConfiguration: { Role, Rules } }));
  expect(await source.head("before")).not.toHaveProperty("replication");
  expect(await destination.head("before")).toBeUndefined();
  const { versionId } = await source.touch("before");
  expect(await source.head("before")).toMatchObject({ versionId, replication: "COMPLETED" });
  expect(await destination.head("before")).toMatchObject({ metadata: { a: "1" }, replication: "REPLICA" });
  const { head, body } = await destination.get("before");
  body.destroy();
  expect(head.replication).toBe("REPLICA");
  expect(await destination.getTags("before")).toEqual({ t: "1" });
  client.destroy();
});
