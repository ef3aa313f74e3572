import { randomBytes } from "node:crypto";
import { ACCOUNT, type Client, NOBODY, type OssFixture, refusal, SHANGHAI, startFixture } from "./oss-fixture";

const BUCKET = "events-of-tests";
let fixture: OssFixture;
let client: Client;
beforeEach(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
  fixture.requests.length = 0;
});
afterEach(() => fixture.stop());

const names = () =>
  fixture.events.map(({ eventName, oss }) => `${eventName} ${oss.object.key} ${oss.object.size} ${oss.object.deltaSize}`);
const needed = () => fixture.requests.map(({ action, resource }) => `${action} ${resource}`);

test("an event has the shape that OSS documents", async () => {
  const { res } = await client.put("dir/a +é", Buffer.from("hello"));
  expect(fixture.events).toEqual([
    {
      eventName: "ObjectCreated:PutObject",
      eventSource: "acs:oss",
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      eventVersion: "1.0",
      region: SHANGHAI,
      oss: {
        bucket: { arn: `acs:oss:${SHANGHAI}:${ACCOUNT}:${BUCKET}`, name: BUCKET, ownerIdentity: ACCOUNT },
        object: { deltaSize: 5, eTag: "5D41402ABC4B2A76B9719D911017C592", key: "dir/a +é", size: 5 },
        ossSchemaVersion: "1.0",
        ruleId: "",
      },
      requestParameters: { sourceIPAddress: "127.0.0.1" },
      responseElements: { requestId: (res.headers as Record<string, string>)["x-oss-request-id"] },
      userIdentity: { principalId: ACCOUNT },
    },
  ]);
});

test("each change of an object emits its event", async () => {
  await client.put("a", Buffer.from("123"));
  await client.put("a", Buffer.from("1"));
  await client.copy("b", "a");
  await client.append("c", Buffer.from("12"));
  await client.append("c", Buffer.from("3"), { position: "2" });
  await client.multipartUpload("d", randomBytes(250_000), { partSize: 200_000, parallel: 1 });
  await client.putSymlink("e", "a", {} as never);
  await client.delete("a");
  await client.deleteMulti(["b", "c"]);
  const { uploadId } = await client.initMultipartUpload("f");
  await client.abortMultipartUpload("f", uploadId);
  expect(names()).toEqual([
    "ObjectCreated:PutObject a 3 3",
    "ObjectCreated:PutObject a 1 -2",
    "ObjectCreated:CopyObject b 1 1",
    "ObjectCreated:AppendObject c 2 2",
    "ObjectCreated:AppendObject c 3 1",
    "ObjectCreated:InitiateMultipartUpload d 0 0",
    "ObjectCreated:UploadPart d 200000 200000",
    "ObjectCreated:UploadPart d 50000 50000",
    "ObjectCreated:CompleteMultipartUpload d 250000 250000",
    "ObjectCreated:PutSymlink e 0 0",
    "ObjectRemoved:DeleteObject a 0 -1",
    "ObjectRemoved:DeleteObjects b 0 -1",
    "ObjectRemoved:DeleteObjects c 0 -3",
    "ObjectCreated:InitiateMultipartUpload f 0 0",
    "ObjectRemoved:AbortMultipartUpload f 0 0",
  ]);
});

test("refused requests and changes of tags emit no event", async () => {
  await refusal(client.put("a", Buffer.from("x"), { headers: { "Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA==" } }));
  await refusal(client.append("a", Buffer.from("x"), { position: "5" }));
  expect(fixture.events).toEqual([]);
  await client.put("a", Buffer.from("x"));
  await client.putObjectTagging("a", { t: "1" });
  expect(names()).toEqual(["ObjectCreated:PutObject a 1 1"]);
});

test("each request records the permissions that it needed", async () => {
  const bucket = `acs:oss:${SHANGHAI}:${ACCOUNT}:${BUCKET}`;
  await client.put("a", Buffer.from("x"), { headers: { "x-oss-tagging": "t=1" } });
  await client.head("a");
  await client.copy("b", "a");
  await client.list({ "max-keys": 1 }, {});
  await client.putBucketVersioning(BUCKET, "Enabled");
  await client.delete("b");
  await client.multipartUpload("d", randomBytes(150_000), { partSize: 100 * 1024, parallel: 1 });
  expect(needed()).toEqual([
    `oss:PutObject ${bucket}/a`,
    `oss:PutObjectTagging ${bucket}/a`,
    `oss:GetObject ${bucket}/a`,
    `oss:PutObject ${bucket}/b`,
    `oss:GetObject ${bucket}/a`,
    `oss:GetObjectTagging ${bucket}/a`,
    `oss:PutObjectTagging ${bucket}/b`,
    `oss:ListObjects ${bucket}`,
    `oss:PutBucketVersioning ${bucket}`,
    `oss:DeleteObject ${bucket}/b`,
    ...Array.from({ length: 4 }, () => `oss:PutObject ${bucket}/d`),
  ]);
  expect(fixture.requests.every(({ allowed, principal }) => allowed && principal?.arn === `acs:ram::${ACCOUNT}:root`)).toBe(true);
});

test("RAM gets the session policy and the request's conditions", async () => {
  const asked: unknown[] = [];
  const strict = await startFixture({
    credentials: {
      find: () => ({
        secret: "s",
        principal: { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:assumed-role/r/s` },
        sessionToken: "t",
        policy: { only: "reads" },
      }),
    },
    authorize: (principal, action, resource, context) => {
      asked.push([
        principal.arn,
        action,
        resource,
        context.sessionPolicy,
        context.conditions["acs:SecureTransport"],
        context.conditions["acs:SourceIp"],
      ]);
      return action === "oss:PutBucket" ? "allow" : "deny";
    },
  });
  const session = strict.client({ accessKeyId: "STS.x", accessKeySecret: "s", stsToken: "t", bucket: "strict-bucket" });
  await session.putBucket("strict-bucket");
  expect(await refusal(session.put("key", Buffer.from("x")))).toEqual({ status: 403, code: "AccessDenied" });
  const arn = `acs:ram::${ACCOUNT}:assumed-role/r/s`;
  const resource = `acs:oss:${SHANGHAI}:${ACCOUNT}:strict-bucket`;
  expect(asked).toEqual([
    [arn, "oss:PutBucket", resource, { only: "reads" }, "true", "127.0.0.1"],
    [arn, "oss:PutObject", `${resource}/key`, { only: "reads" }, "true", "127.0.0.1"],
  ]);
  expect(strict.requests.at(-1)).toMatchObject({ action: "oss:PutObject", allowed: false });
  await strict.stop();
});

test("a bucket is deleted with the permission to delete it alone", async () => {
  const deleter = await startFixture({
    authorize: ({ arn }, action) => (arn.endsWith(":root") || action === "oss:DeleteBucket" ? "allow" : "none"),
  });
  const bucket = "deleted-by-nobody";
  try {
    await deleter.bucket(bucket);
    expect(await refusal(deleter.client(NOBODY).getBucketInfo(bucket))).toMatchObject({ code: "AccessDenied" });
    await deleter.client(NOBODY).deleteBucket(bucket);
    expect(await refusal(deleter.client().getBucketInfo(bucket))).toMatchObject({ code: "NoSuchBucket" });
  } finally {
    await deleter.stop();
  }
});
