import {
  ACCOUNT,
  type Client,
  NOBODY,
  type OssFixture,
  refusal,
  SHANGHAI,
  SILICON_VALLEY,
  STRANGER,
  startFixture,
} from "./oss-fixture";
import { send, sendSigned } from "./raw-request";

const BUCKET = "buckets-of-tests";
let fixture: OssFixture;
let client: Client;
beforeEach(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
});
afterEach(() => fixture.stop());

const setting = (method: string, name: string, body = "", more: Record<string, string> = {}) =>
  sendSigned(fixture, { method, body }, { bucket: BUCKET, queries: { [name]: "", ...more } });
const accelerate = (enabled: boolean) =>
  setting(
    "PUT",
    "transferAcceleration",
    `<TransferAccelerationConfiguration><Enabled>${enabled}</Enabled></TransferAccelerationConfiguration>`,
  );
const block = (on: boolean) =>
  setting(
    "PUT",
    "publicAccessBlock",
    `<PublicAccessBlockConfiguration><BlockPublicAccess>${on}</BlockPublicAccess></PublicAccessBlockConfiguration>`,
  );
const anonymous = (method: string, key: string, secure = true) =>
  send(fixture, { method, path: `/${BUCKET}/${key}`, secure, headers: { "content-length": "0" } });

describe("buckets", () => {
  test("are created, described, listed and deleted", async () => {
    expect((await client.getBucketInfo(BUCKET)).bucket).toMatchObject({
      Name: BUCKET,
      Location: `oss-${SHANGHAI}`,
      TransferAcceleration: "Disabled",
      BlockPublicAccess: "true",
      AccessControlList: { Grant: "private" },
    });
    expect(await client.getBucketLocation(BUCKET)).toMatchObject({ location: `oss-${SHANGHAI}` });
    expect(
      ((await client.listBuckets({})) as unknown as { buckets: { name: string }[] }).buckets.map(({ name }) => name),
    ).toEqual([BUCKET]);
    await client.put("key", Buffer.from("x"));
    expect(await refusal(client.deleteBucket(BUCKET))).toEqual({ status: 409, code: "BucketNotEmpty" });
    await client.delete("key");
    await client.deleteBucket(BUCKET);
    expect(await refusal(client.getBucketInfo(BUCKET))).toEqual({ status: 404, code: "NoSuchBucket" });
  });

  test("are listed by their tags", async () => {
    await fixture.bucket("untagged-bucket");
    await client.putBucketTags(BUCKET, { a: "1", b: "2" });
    const listed = async (queries: Record<string, string>) => {
      const { body } = await sendSigned(fixture, { method: "GET" }, { queries });
      return [...body.toString().matchAll(/<Name>(.*?)<\/Name>/g)].map(([, name]) => name);
    };
    expect(await listed({})).toEqual([BUCKET, "untagged-bucket"]);
    expect(await listed({ "tag-key": "a" })).toEqual([BUCKET]);
    expect(await listed({ "tag-key": "a", "tag-value": "2" })).toEqual([]);
    expect(await listed({ tagging: '"a":"1","b":"2"' })).toEqual([BUCKET]);
    expect(await listed({ tagging: '"a":"1","b":"3"' })).toEqual([]);
    const { body } = await sendSigned(fixture, { method: "GET" }, { queries: { tagging: '"a":"1"' } });
    expect(body.toString()).toContain("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag>");
    for (const queries of [{ tagging: "a" }, { "tag-value": "1" }])
      expect(await sendSigned(fixture, { method: "GET" }, { queries })).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("are created with an empty ACL header, which aliyun-oss-go-sdk sends", async () => {
    const empty = { method: "PUT", body: "", headers: { "x-oss-acl": "" } };
    expect((await sendSigned(fixture, empty, { bucket: "empty-acl-bucket" })).status).toBe(200);
    expect((await client.getBucketACL("empty-acl-bucket")).acl).toBe("private");
    await block(false);
    await client.putBucketACL(BUCKET, "public-read");
    expect((await sendSigned(fixture, empty, { bucket: BUCKET })).status).toBe(200);
    expect((await client.getBucketACL(BUCKET)).acl).toBe("public-read");
  });

  test("that do not exist are reported to everyone, also to a wrong key", async () => {
    const absent = { status: 404, code: "NoSuchBucket" };
    const wrong = fixture.client({ accessKeyId: "LTAIWRONG", accessKeySecret: "x", bucket: "not-there-at-all" });
    expect(await refusal(wrong.get("key"))).toEqual(absent);
    expect(await refusal(wrong.getBucketInfo("not-there-at-all"))).toEqual(absent);
    expect(await refusal(wrong.getBucketInfo(BUCKET))).toEqual({ status: 403, code: "InvalidAccessKeyId" });
    expect(await refusal(fixture.client(NOBODY).getBucketInfo("not-there-at-all"))).toEqual(absent);
  });

  test("have one namespace: a name that another account or region has is refused", async () => {
    expect((await client.putBucket(BUCKET)).res.status).toBe(200);
    expect(await refusal(fixture.client(STRANGER).putBucket(BUCKET))).toEqual({ status: 409, code: "BucketAlreadyExists" });
    const elsewhere = fixture.client({ region: `oss-${SILICON_VALLEY}` });
    expect(await refusal(elsewhere.putBucket(BUCKET))).toEqual({ status: 409, code: "BucketAlreadyExists" });
    expect(await sendSigned(fixture, { method: "PUT", body: "" }, { bucket: "Upper-Case" })).toMatchObject({
      status: 400,
      code: "InvalidBucketName",
    });
    expect(
      await sendSigned(fixture, { method: "PUT", body: "", headers: { "x-oss-acl": "open" } }, { bucket: "other-bucket" }),
    ).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("answer in their own region only", async () => {
    const elsewhere = fixture.client({ bucket: BUCKET, region: `oss-${SILICON_VALLEY}`, authorizationV4: false } as object);
    expect(await refusal(elsewhere.list({ "max-keys": 1 }, {}))).toEqual({ status: 403, code: "AccessDenied" });
    const internal = fixture.client({ bucket: BUCKET, kind: "internal" });
    expect((await internal.put("key", Buffer.from("x"))).res.status).toBe(200);
    expect(fixture.requests.at(-1)).toMatchObject({ action: "oss:PutObject", endpoint: "internal" });
  });

  test("can be named by the host", async () => {
    await client.put("key", Buffer.from("x"));
    const at = (host: string, path: string) => send(fixture, { method: "GET", path, headers: { host } });
    // The caller and the bucket exist; only the permission is missing.
    expect(await at(`${BUCKET}.oss-${SHANGHAI}.aliyuncs.com`, "/key")).toMatchObject({ status: 403, code: "AccessDenied" });
    expect(await at(`nothing-here.oss-${SHANGHAI}.aliyuncs.com`, "/key")).toMatchObject({ status: 404, code: "NoSuchBucket" });
    expect(await at(`oss-${SHANGHAI}.aliyuncs.com`, `/${BUCKET}/key`)).toMatchObject({
      status: 403,
      code: "SecondLevelDomainForbidden",
    });
    expect(await at("files.example.com", "/key")).toMatchObject({ status: 404, code: "NoSuchCname" });
  });
});

describe("transfer acceleration", () => {
  test("is refused until it is enabled, and for operations of buckets", async () => {
    const fast = fixture.client({ bucket: BUCKET, kind: "accelerate" });
    expect(await setting("GET", "transferAcceleration")).toMatchObject({
      status: 404,
      code: "NoSuchTransferAccelerationConfiguration",
    });
    expect(await refusal(fast.put("key", Buffer.from("x")))).toEqual({ status: 403, code: "AccessDenied" });
    expect((await accelerate(true)).status).toBe(200);
    await fast.put("key", Buffer.from("fast"));
    expect((await client.get("key")).content.toString()).toBe("fast");
    expect(fixture.requests.some(({ endpoint, action }) => endpoint === "accelerate" && action === "oss:PutObject")).toBe(true);
    for (const call of [
      fast.list({ "max-keys": 1 }, {}),
      fast.getBucketInfo(BUCKET),
      fast.listBuckets({}),
      fast.putBucket("another-one"),
    ])
      expect(await refusal(call)).toEqual({ status: 403, code: "AccessDenied" });
    await accelerate(false);
    expect(await refusal(fast.get("key"))).toEqual({ status: 403, code: "AccessDenied" });
  });

  test("needs a signature for the bucket's region", async () => {
    await accelerate(true);
    const wrong = fixture.client({ bucket: BUCKET, kind: "accelerate", region: `oss-${SILICON_VALLEY}` });
    expect(await refusal(wrong.put("key", Buffer.from("x")))).toEqual({ status: 400, code: "InvalidArgument" });
  });
});

describe("access", () => {
  test("by ACL, once Block Public Access is off", async () => {
    await client.put("key", Buffer.from("open"));
    expect(await refusal(client.putBucketACL(BUCKET, "public-read"))).toEqual({ status: 403, code: "AccessDenied" });
    await block(false);
    await client.putBucketACL(BUCKET, "public-read");
    expect(await anonymous("GET", "key")).toMatchObject({ status: 200, body: Buffer.from("open") });
    expect(await anonymous("PUT", "key")).toMatchObject({ status: 403, code: "AccessDenied" });
    await client.putACL("key", "private");
    expect(await anonymous("GET", "key")).toMatchObject({ status: 403 });
    expect((await client.getACL("key")).acl).toBe("private");
    await client.putACL("key", "default" as never);
    expect((await anonymous("GET", "key")).status).toBe(200);
    await block(true);
    expect(await anonymous("GET", "key")).toMatchObject({ status: 403, code: "AccessDenied" });
  });

  const statement = (more: object) => ({
    Version: "1",
    Statement: [
      {
        Effect: "Allow",
        Principal: ["*"],
        Action: ["oss:GetObject"],
        Resource: [`acs:oss:*:${ACCOUNT}:${BUCKET}/open/*`],
        ...more,
      },
    ],
  });

  test("by bucket policy, also for other accounts", async () => {
    await client.put("open/key", Buffer.from("x"));
    await client.put("closed/key", Buffer.from("x"));
    const stranger = fixture.client({ ...STRANGER, bucket: BUCKET });
    await client.putBucketPolicy(BUCKET, statement({ Principal: ["9999999999999999"] }));
    expect((await stranger.get("open/key")).res.status).toBe(200);
    expect(await refusal(stranger.get("closed/key"))).toEqual({ status: 403, code: "AccessDenied" });
    expect(await refusal(stranger.put("open/key", Buffer.from("y")))).toEqual({ status: 403, code: "AccessDenied" });
    expect(await refusal(fixture.client({ ...NOBODY, bucket: BUCKET }).get("open/key"))).toEqual({
      status: 403,
      code: "AccessDenied",
    });
    expect((await client.getBucketPolicy(BUCKET)).policy).toEqual(statement({ Principal: ["9999999999999999"] }));
    await client.deleteBucketPolicy(BUCKET);
    expect(await setting("GET", "policy")).toMatchObject({ status: 404, code: "NoSuchBucketPolicy" });
    expect(await refusal(stranger.get("open/key"))).toEqual({ status: 403, code: "AccessDenied" });
  });

  test("for everyone is refused under Block Public Access, also when it was allowed before", async () => {
    await client.put("open/key", Buffer.from("x"));
    expect(await refusal(client.putBucketPolicy(BUCKET, statement({})))).toEqual({ status: 403, code: "AccessDenied" });
    await block(false);
    await client.putBucketPolicy(BUCKET, statement({}));
    expect((await anonymous("GET", "open/key")).status).toBe(200);
    await block(true);
    expect(await anonymous("GET", "open/key")).toMatchObject({ status: 403 });
  });

  // The suites of the Go and Python SDKs put such policies, after they turned Block Public Access off.
  test("for everyone is what a policy without a principal allows", async () => {
    const text = JSON.stringify(statement({ Principal: undefined }), null, 2);
    await client.put("open/key", Buffer.from("x"));
    expect(await setting("PUT", "policy", text)).toMatchObject({ status: 403, code: "AccessDenied" });
    await block(false);
    expect((await setting("PUT", "policy", text)).status).toBe(200);
    expect((await setting("GET", "policy")).body.toString()).toBe(text);
    expect((await setting("GET", "policyStatus")).body.toString()).toContain("<IsPublic>true</IsPublic>");
    expect((await anonymous("GET", "open/key")).status).toBe(200);
    const denial = statement({ Principal: undefined, Effect: "Deny" });
    await client.putBucketPolicy(BUCKET, denial);
    expect(await refusal(client.get("open/key"))).toEqual({ status: 403, code: "AccessDenied" });
  });

  test("for everyone can be blocked for all buckets of the account", async () => {
    const all = (method: string, body = "", signing: object = {}) =>
      sendSigned(fixture, { method, body }, { queries: { publicAccessBlock: "" }, ...signing });
    const on = (value: boolean) =>
      `<PublicAccessBlockConfiguration><BlockPublicAccess>${value}</BlockPublicAccess></PublicAccessBlockConfiguration>`;
    await block(false);
    await client.put("key", Buffer.from("x"));
    await client.putBucketACL(BUCKET, "public-read");
    expect((await all("PUT", on(true))).status).toBe(200);
    expect((await all("GET")).body.toString()).toContain(on(true));
    expect((await all("GET", "", STRANGER)).body.toString()).toContain(on(false));
    expect(await anonymous("GET", "key")).toMatchObject({ status: 403, code: "AccessDenied" });
    expect(await refusal(client.putBucketACL(BUCKET, "public-read-write"))).toEqual({ status: 403, code: "AccessDenied" });
    await fixture.restart();
    expect((await all("GET")).body.toString()).toContain(on(true));
    expect((await all("DELETE")).status).toBe(204);
    expect(await all("PUT", on(true), NOBODY)).toMatchObject({ status: 403, code: "AccessDenied" });
  });

  test("over http is refused by a policy that denies it", async () => {
    await client.put("key", Buffer.from("x"));
    const plain = { method: "GET", secure: false };
    expect(await sendSigned(fixture, plain, { bucket: BUCKET, key: "key" })).toMatchObject({ status: 200 });
    await client.putBucketPolicy(
      BUCKET,
      statement({
        Effect: "Deny",
        Action: ["oss:*"],
        Resource: [`acs:oss:*:*:${BUCKET}`, `acs:oss:*:*:${BUCKET}/*`],
        Condition: { Bool: { "acs:SecureTransport": ["false"] } },
      }),
    );
    expect(await sendSigned(fixture, plain, { bucket: BUCKET, key: "key" })).toMatchObject({ status: 403, code: "AccessDenied" });
    expect((await client.get("key")).res.status).toBe(200);
  });

  test("from other addresses is refused by a policy that denies them", async () => {
    const deny = (range: string) =>
      client.putBucketPolicy(
        BUCKET,
        statement({
          Effect: "Deny",
          Action: ["oss:PutObject"],
          Resource: [`acs:oss:*:*:${BUCKET}/*`],
          Condition: { NotIpAddress: { "acs:SourceIp": [range] } },
        }),
      );
    await deny("127.0.0.0/8");
    expect((await client.put("key", Buffer.from("x"))).res.status).toBe(200);
    await deny("10.0.0.0/8");
    expect(await refusal(client.put("key", Buffer.from("x")))).toEqual({ status: 403, code: "AccessDenied" });
  });

  test.each<[string, string]>([
    ["no JSON", "{"],
    ["no version", '{"Statement":[]}'],
    ["an unknown effect", JSON.stringify(statement({ Effect: "Maybe" }))],
    ["a principal and its opposite", JSON.stringify(statement({ NotPrincipal: ["1"] }))],
    ["a resource of another service", JSON.stringify(statement({ Resource: ["*"] }))],
    ["a condition that cannot be enforced", JSON.stringify(statement({ Condition: { BinaryEquals: { a: "b" } } }))],
  ])("a policy with %s is refused", async (_what, body) => {
    expect(await setting("PUT", "policy", body)).toMatchObject({ status: 400, code: "MalformedPolicy" });
  });

  test("over an old TLS version is refused by the bucket's https configuration", async () => {
    await client.put("key", Buffer.from("x"));
    const versions = (version: string) =>
      setting(
        "PUT",
        "httpsConfig",
        `<HttpsConfiguration><TLS><Enable>true</Enable><TLSVersion>${version}</TLSVersion></TLS></HttpsConfiguration>`,
      );
    await versions("TLSv1.3");
    expect((await client.get("key")).res.status).toBe(200);
    expect(
      await setting("PUT", "httpsConfig", "<HttpsConfiguration><TLS><Enable>true</Enable></TLS></HttpsConfiguration>"),
    ).toMatchObject({ status: 400, code: "MalformedXML" });
    expect(await versions("SSLv3")).toMatchObject({ status: 400, code: "MalformedXML" });
    await versions("TLSv1.2");
    expect(await refusal(client.get("key"))).toEqual({ status: 403, code: "AccessDenied" });
  });
});

describe("settings", () => {
  test("encryption is returned and applied to new objects", async () => {
    expect(await refusal(client.getBucketEncryption(BUCKET))).toEqual({ status: 404, code: "NoSuchServerSideEncryptionRule" });
    await client.putBucketEncryption(BUCKET, { SSEAlgorithm: "AES256" });
    await client.put("key", Buffer.from("x"));
    expect((await client.head("key")).res.headers).toMatchObject({ "x-oss-server-side-encryption": "AES256" });
    expect(await refusal(client.putBucketEncryption(BUCKET, { SSEAlgorithm: "DES" }))).toMatchObject({ status: 400 });
    await client.deleteBucketEncryption(BUCKET);
    await client.put("plain", Buffer.from("x"));
    expect((await client.head("plain")).res.headers).not.toHaveProperty("x-oss-server-side-encryption");
  });

  test("tags", async () => {
    await client.putBucketTags(BUCKET, { stage: "dev" });
    expect((await client.getBucketTags(BUCKET)).tag).toEqual({ stage: "dev" });
    expect(await setting("PUT", "tagging", "<Tagging/>")).toMatchObject({ status: 400, code: "MalformedXML" });
    // The suites put these, and delete some tags by their keys.
    const odd = { "%@abc": "abc", "123++": "++123%", 键: "值" };
    await client.putBucketTags(BUCKET, odd);
    expect((await client.getBucketTags(BUCKET)).tag).toEqual(odd);
    const some = { method: "DELETE" };
    expect((await sendSigned(fixture, some, { bucket: BUCKET, queries: { tagging: "123++,键" } })).status).toBe(204);
    expect((await client.getBucketTags(BUCKET)).tag).toEqual({ "%@abc": "abc" });
    expect((await setting("DELETE", "tagging")).status).toBe(204);
    expect((await client.getBucketTags(BUCKET)).tag).toEqual({});
  });

  test.each<[string, [string, string][]]>([
    ["21 tags", Array.from({ length: 21 }, (_, index) => [`k${index}`, "v"])],
    ["a key of 65 characters", [["k".repeat(65), "v"]]],
    ["a value of 129 characters", [["k", "v".repeat(129)]]],
    ["a key of Alibaba Cloud's own", [["aliyun-key", "v"]]],
    [
      "a key that is given twice",
      [
        ["k", "1"],
        ["k", "2"],
      ],
    ],
  ])("tags with %s are refused", async (_what, tags) => {
    const fields = tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join("");
    expect(await setting("PUT", "tagging", `<Tagging><TagSet>${fields}</TagSet></Tagging>`)).toMatchObject({
      status: 400,
      code: "InvalidArgument",
    });
  });

  test("that are changed at the same time are all stored", async () => {
    const answers = await Promise.all([
      accelerate(true),
      client.putBucketTags(BUCKET, { stage: "dev" }),
      client.putBucketEncryption(BUCKET, { SSEAlgorithm: "AES256" }),
      client.putBucketVersioning(BUCKET, "Enabled"),
      block(false),
    ]);
    expect(answers).toHaveLength(5);
    const info = (await client.getBucketInfo(BUCKET)).bucket;
    expect(info).toMatchObject({ TransferAcceleration: "Enabled", BlockPublicAccess: "false", Versioning: "Enabled" });
    expect(info).toMatchObject({ ServerSideEncryptionRule: { SSEAlgorithm: "AES256" } });
    expect((await client.getBucketTags(BUCKET)).tag).toEqual({ stage: "dev" });
  });

  test("versioning takes two values", async () => {
    expect(
      await setting("PUT", "versioning", "<VersioningConfiguration><Status>Off</Status></VersioningConfiguration>"),
    ).toMatchObject({ status: 400, code: "MalformedXML" });
    await client.putBucketVersioning(BUCKET, "Enabled");
    expect((await client.getBucketVersioning(BUCKET)).versionStatus).toBe("Enabled");
  });
});
