/** Rules of Alibaba Cloud and its provider that apply during a deployment, on the local OSS. */
import { OssApi } from "../../../../local/provider/alicloud/oss-api";
import type { Properties } from "../../../../local/provider/values";
import { ACCOUNT, type AlicloudFixture, OTHER_REGION, REGION, startFixture } from "./alicloud-fixture";
import { LifecycleClient } from "./lifecycle-client";
import { OTHER_ZIP, policy as policyOf, STORIES, trust } from "./stories";

const BUCKET = "alicloud:oss/bucket:Bucket";
const VERSIONING = "alicloud:oss/bucketVersioning:BucketVersioning";
const FUNCTION = "alicloud:fc/v3Function:V3Function";
const ROLE = "alicloud:ram/role:Role";
const POLICY = "alicloud:ram/policy:Policy";
const ATTACHMENT = "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment";

let fixture: AlicloudFixture;
let provider: LifecycleClient;
let elsewhere: LifecycleClient;
beforeAll(async () => {
  fixture = await startFixture();
  [provider, elsewhere] = await Promise.all([fixture.provider(), fixture.provider(OTHER_REGION)]);
});
afterAll(() => fixture.stop());

const firstOf = (type: string): Properties => STORIES.find((story) => story.type === type)?.first ?? {};

describe("a bucket", () => {
  test("that exists is not adopted", async () => {
    await provider.create(BUCKET, { bucket: "taken" }, false);
    await expect(provider.create(BUCKET, { bucket: "taken" }, false)).rejects.toThrow(/bucket taken is there already/);
    await expect(elsewhere.create(BUCKET, { bucket: "taken" }, false)).rejects.toThrow(/bucket taken is there already/);
  });

  test("without a name gets a name of the provider, not of the resource", async () => {
    const { inputs } = await provider.check(BUCKET, {}, { name: "source" });
    expect(inputs).toEqual({});
    const { id, outputs } = await provider.create(BUCKET, inputs, false);
    expect(id).toMatch(/^tf-oss-bucket-[0-9a-f]{26}$/);
    expect(outputs.bucket).toBe(id);
  });

  test("is in the region of its provider", async () => {
    const { outputs } = await elsewhere.create(BUCKET, { bucket: "far-away" }, false);
    const endpoints = fixture.cloud.oss.endpoints[OTHER_REGION];
    expect(outputs).toMatchObject({
      location: "oss-us-west-1",
      extranetEndpoint: `127.0.0.1:${new URL(endpoints?.public ?? "").port}`,
      intranetEndpoint: `127.0.0.1:${new URL(endpoints?.internal ?? "").port}`,
    });
  });

  test("with an acl of its own is open until the next update", async () => {
    const open = await provider.create(BUCKET, { bucket: "open-to-all", acl: "public-read" }, false);
    expect(open.outputs).toMatchObject({ acl: "public-read" });
    const olds = { bucket: "open-to-all", acl: "public-read" };
    const closed = await provider.update(BUCKET, open.id, olds, { ...olds, acl: "private" }, open.outputs);
    expect(closed.acl).toBe("private");
  });

  test.each([true, false])("with objects is deleted only with forceDestroy; versioned: %s", async (versioned) => {
    const bucket = `full-${versioned}`;
    await provider.create(BUCKET, { bucket }, false);
    if (versioned) await provider.create(VERSIONING, { bucket, status: "Enabled" }, false);
    const client = fixture.bucket(bucket);
    for (const key of ["a b+c", "a b+c", "<&>/ü%41"]) await client.put(key, Buffer.from("x"));
    if (versioned) await client.delete("a b+c");
    await expect(provider.delete(BUCKET, bucket, { bucket })).rejects.toThrow(/BucketNotEmpty/);
    await provider.delete(BUCKET, bucket, { bucket, forceDestroy: true });
    expect(await provider.read(BUCKET, bucket, { bucket }, {})).toBeUndefined();
  });

  test("with an unfinished upload is not deleted: forceDestroy does not end uploads", async () => {
    const bucket = "unfinished";
    await provider.create(BUCKET, { bucket }, false);
    const client = fixture.bucket(bucket);
    const { uploadId } = await client.initMultipartUpload("large");
    await expect(provider.delete(BUCKET, bucket, { bucket, forceDestroy: true })).rejects.toThrow(/MalformedXML/);
    await client.abortMultipartUpload("large", uploadId);
    await provider.delete(BUCKET, bucket, { bucket, forceDestroy: true });
  });

  // The provider stops after about 33 rounds.
  test("with more versions than the rounds delete stays, with the rest of them", async () => {
    const { ram, caPath, endpointsOf } = fixture.cloud;
    const { accessKeyId, accessKeySecret: secretAccessKey } = ram.root;
    const endpoint = endpointsOf(REGION).oss.public;
    const api = new OssApi({ endpoint, region: REGION, caPath, credentials: { accessKeyId, secretAccessKey } });
    await provider.create(BUCKET, { bucket: "crowded" }, false);
    const client = fixture.bucket("crowded");
    await Promise.all(Array.from({ length: 205 }, (_, index) => client.put(`key-${index}`, Buffer.from("x"))));
    await expect(api.emptyAndDelete("crowded", 2)).rejects.toMatchObject({ code: "BucketNotEmpty" });
    expect((await client.listV2({ "max-keys": "1000" }, {})).objects).toHaveLength(5);
    await api.emptyAndDelete("crowded", 1);
    expect(await provider.read(BUCKET, "crowded", { bucket: "crowded" }, {})).toBeUndefined();
  });

  // https://github.com/aliyun/terraform-provider-alicloud/blob/v1.285.0/alicloud/resource_alicloud_oss_bucket_replication.go
  test("with a rule of somebody else for the destination: its first rule is taken over, and deleted with the stack", async () => {
    const type = "alicloud:oss/bucketReplication:BucketReplication";
    for (const bucket of ["shared", "other-target"]) await provider.create(BUCKET, { bucket }, false);
    const to = (bucket: string) => ({ bucket, location: "oss-cn-shanghai" });
    const stranger = { bucket: "shared", destination: to("other-target"), syncRole: "stranger" };
    const first = await provider.create(type, stranger, false);
    await provider.create(BUCKET, { bucket: "my-target" }, false);
    const mine = { bucket: "shared", destination: to("my-target"), syncRole: "replicator" };
    // Also somebody else's, but not the first.
    const second = await provider.create(type, mine, false);
    expect(second.id).not.toBe(first.id);
    const adopted = await provider.create(type, mine, false);
    expect(adopted.id).toBe(first.id);
    // So a program can see that it is not its own.
    expect(adopted.outputs).toMatchObject({ destination: { bucket: "other-target" }, syncRole: "stranger" });
    await provider.delete(type, adopted.id, mine);
    expect(await provider.read(type, first.id, stranger, {})).toBeUndefined();
    expect(await provider.read(type, second.id, mine, {})).toBeDefined();
  });

  test("has one replication rule for a destination", async () => {
    const type = "alicloud:oss/bucketReplication:BucketReplication";
    await provider.create(BUCKET, { bucket: "replicated" }, false);
    const destination = { bucket: "far-away", location: "oss-us-west-1", transferType: "oss_acc" };
    const inputs = { bucket: "replicated", destination, syncRole: "replicator" };
    const { id } = await provider.create(type, inputs, false);
    expect((await provider.create(type, inputs, false)).id).toBe(id);
    await provider.delete(type, id, inputs);
    expect((await provider.create(type, inputs, false)).id).not.toBe(id);
  });

  test("is found by name, with details in the provider's region only", async () => {
    await provider.create(BUCKET, { bucket: "adopted", storageClass: "IA" }, false);
    await provider.create(VERSIONING, { bucket: "adopted", status: "Enabled" }, false);
    const ask = async (client: LifecycleClient) =>
      (await client.invoke("alicloud:oss/getBuckets:getBuckets", { nameRegex: "^adopted$" })).result;
    const { extranetEndpoint, intranetEndpoint } = await provider
      .read(BUCKET, "adopted", { bucket: "adopted" }, {})
      .then((found) => found ?? {});
    expect(await ask(provider)).toMatchObject({
      names: ["adopted"],
      buckets: [
        {
          name: "adopted",
          location: "oss-cn-shanghai",
          storageClass: "IA",
          acl: "private",
          owner: ACCOUNT,
          versioning: { status: "Enabled" },
          extranetEndpoint,
          intranetEndpoint,
        },
      ],
    });
    expect((await ask(elsewhere)).buckets).toEqual([{ name: "adopted", location: "oss-cn-shanghai" }]);
    const none = await provider.invoke("alicloud:oss/getBuckets:getBuckets", { nameRegex: "^nothing$" });
    expect(none.result).toMatchObject({ names: [], buckets: [] });
  });
});

describe("a function", () => {
  const inputs = { ...firstOf(FUNCTION), functionName: "copier", role: `acs:ram::${ACCOUNT}:role/copier` };
  let outputs: Properties;
  beforeAll(async () => {
    const { ram } = fixture.cloud;
    ram.createRole({ roleName: "copier", assumeRolePolicyDocument: trust("fc.aliyuncs.com") });
    ram.createPolicy({ policyName: "copier", policyDocument: policyOf("oss:GetObject") });
    ram.attachPolicyToRole("copier", "copier");
    ({ outputs } = await provider.create(FUNCTION, inputs, false));
  });

  test("gets changed code, also if nothing else changed", async () => {
    expect(await fixture.invoke("copier")).toBe("first");
    const alone = { ...inputs, code: { zipFile: OTHER_ZIP } };
    await provider.update(FUNCTION, "copier", inputs, alone, outputs);
    expect(await fixture.invoke("copier")).toBe("second");
  });

  test("loses what an update of its asynchronous invocations does not send: the update has only what changed", async () => {
    const type = "alicloud:fc/v3AsyncInvokeConfig:V3AsyncInvokeConfig";
    const destination = "acs:mns:cn-shanghai:3333333333333333:/queues/dead/messages";
    const config = { functionName: "copier", maxAsyncRetryAttempts: 3, destinationConfig: { onFailure: { destination } } };
    const made = await provider.create(type, config, false);
    await provider.update(type, made.id, config, { ...config, maxAsyncRetryAttempts: 8 }, made.outputs);
    expect(fixture.cloud.fc.getAsyncInvokeConfig(REGION, "copier")).toEqual({ maxAsyncRetryAttempts: 8 });
  });

  test("cannot lose its role in place", async () => {
    const { role: _, ...without } = inputs;
    await expect(provider.update(FUNCTION, "copier", inputs, without, outputs)).rejects.toThrow(/role cannot be taken away/);
  });

  test("with triggers is not deleted", async () => {
    const type = "alicloud:fc/v3Trigger:V3Trigger";
    const trigger = { ...firstOf(type), functionName: "copier" };
    const { id } = await provider.create(type, trigger, false);
    await expect(provider.delete(FUNCTION, "copier", inputs)).rejects.toThrow(/FunctionNotEmpty/);
    await provider.delete(type, id, trigger);
    await provider.delete(FUNCTION, "copier", inputs);
  });

  test("is invoked by a time trigger, which has no URL and changes in place", async () => {
    const type = "alicloud:fc/v3Trigger:V3Trigger";
    const timed = { ...inputs, functionName: "timed" };
    await provider.create(FUNCTION, timed, false);
    const configOf = (everyMinutes: number) =>
      JSON.stringify({ cronExpression: `CRON_TZ=UTC 0 */${everyMinutes} * * * *`, enable: true, payload: "" });
    const first = { functionName: "timed", triggerName: "clock", triggerType: "timer", qualifier: "LATEST" };
    const { id, outputs: made } = await provider.create(type, { ...first, triggerConfig: configOf(5) }, false);
    expect(id).toBe("timed:clock");
    expect(made).not.toHaveProperty("httpTrigger");
    const changed = { ...first, triggerConfig: configOf(10) };
    await provider.update(type, id, { ...first, triggerConfig: configOf(5) }, changed, made);
    expect(fixture.cloud.fc.getTrigger(REGION, "timed", "clock")).toMatchObject({
      triggerType: "timer",
      triggerConfig: configOf(10),
    });
    await provider.delete(type, id, changed);
    await provider.delete(FUNCTION, "timed", timed);
  });

  test("must exist before its configuration", async () => {
    const config = { functionName: "nobody", maxAsyncRetryAttempts: 1 };
    const type = "alicloud:fc/v3AsyncInvokeConfig:V3AsyncInvokeConfig";
    await expect(provider.create(type, config, false)).rejects.toThrow(/FunctionNotFound/);
  });
});

describe("RAM", () => {
  const role = { ...firstOf(ROLE), roleName: "worker" };
  const policy = { ...firstOf(POLICY), policyName: "worker-may" };
  const attachment = { roleName: "worker", policyName: "worker-may", policyType: "Custom" };
  beforeAll(async () => {
    await provider.create(ROLE, role, false);
    await provider.create(POLICY, policy, false);
    await provider.create(ATTACHMENT, attachment, false);
  });

  test("attaches a policy once", async () => {
    await expect(provider.create(ATTACHMENT, attachment, false)).rejects.toThrow(/EntityAlreadyExists.Role.Policy/);
  });

  test("changes a policy's description in place", async () => {
    await provider.update(POLICY, "worker-may", policy, { ...policy, description: "new" }, {});
    expect(fixture.cloud.ram.getPolicy("worker-may")?.description).toBe("new");
  });

  test("keeps a role with policies, and a policy with roles", async () => {
    await expect(provider.delete(POLICY, "worker-may", policy)).rejects.toThrow(/DeleteConflict.Policy.Role/);
    await expect(provider.delete(ROLE, "worker", role)).rejects.toThrow(/DeleteConflict.Role.Policy/);
  });

  test("deletes a policy that was changed, with its older version", async () => {
    const inputs = { ...policy, policyName: "changed" };
    const { id, outputs } = await provider.create(POLICY, inputs, false);
    const changed = { ...inputs, policyDocument: policyOf("oss:DeleteObject") };
    await provider.update(POLICY, id, inputs, changed, outputs);
    await provider.delete(POLICY, id, changed);
    expect(await provider.read(POLICY, id, changed, {})).toBeUndefined();
  });

  test("detaches a policy with force", async () => {
    await provider.create(POLICY, { ...policy, policyName: "held" }, false);
    await provider.create(ATTACHMENT, { ...attachment, policyName: "held" }, false);
    await provider.delete(POLICY, "held", { ...policy, policyName: "held", force: true });
    expect(fixture.cloud.ram.policiesOfRole("worker").map(({ policyName }) => policyName)).toEqual(["worker-may"]);
  });

  test("detaches a role with force", async () => {
    await provider.delete(ROLE, "worker", { ...role, force: true });
    await provider.delete(POLICY, "worker-may", policy);
    expect(await provider.read(ATTACHMENT, "role:worker-may:Custom:worker", attachment, {})).toBeUndefined();
  });
});

test("an existing secret parameter is not overwritten", async () => {
  const type = "alicloud:oos/secretParameter:SecretParameter";
  const inputs = { secretParameterName: "token", value: "mine" };
  await provider.create(type, inputs, false);
  await expect(provider.create(type, { ...inputs, value: "theirs" }, false)).rejects.toThrow(/EntityAlreadyExists.Parameter/);
  expect(fixture.cloud.secrets.get(REGION, "token")?.value).toBe("mine");
  // Another region has its own parameters.
  await elsewhere.create(type, { ...inputs, value: "theirs" }, false);
});

test("a changed number of shards is no change of a log store", async () => {
  const type = "alicloud:log/store:Store";
  const inputs = { projectName: "sharded", logstoreName: "store", shardCount: 1 };
  await provider.create("alicloud:log/project:Project", { projectName: "sharded" }, false);
  const { id, outputs } = await provider.create(type, inputs, false);
  const more = { ...inputs, shardCount: 2 };
  expect(await provider.diff(type, inputs, more)).toMatchObject({ diffs: [], replaces: [] });
  const longer = { ...more, retentionPeriod: 7 };
  expect(await provider.diff(type, inputs, longer)).toMatchObject({ diffs: ["retentionPeriod"], replaces: [] });
  expect(await provider.update(type, id, inputs, longer, outputs)).toMatchObject({ shardCount: 1, retentionPeriod: 7 });
  expect(fixture.cloud.records.logStores.get(REGION, id)?.settings).toMatchObject({ shardCount: 1, retentionPeriod: 7 });
});

test("a log store needs its project, an index its store", async () => {
  const store = { projectName: "no-project", logstoreName: "store" };
  await expect(provider.create("alicloud:log/store:Store", store, false)).rejects.toThrow(/ProjectNotExist/);
  const index = { project: "no-project", logstore: "store", fullText: {} };
  await expect(provider.create("alicloud:log/storeIndex:StoreIndex", index, false)).rejects.toThrow(/ProjectNotExist/);
});

describe("a provider", () => {
  test.each([
    [{ region: "cn-beijing" }, /no region cn-beijing; it has cn-shanghai, us-west-1/],
    [{ region: REGION, accountId: "1111111111111111" }, /account 3333333333333333 of the local .* 1111111111111111/],
  ])("configured with %j is refused", async (config, reason) => {
    const client = new LifecycleClient(fixture.port);
    await expect(client.configure(config)).rejects.toThrow(reason);
    client.close();
  });

  test("reports the account and the regions", async () => {
    const account = await provider.invoke("alicloud:index/getAccount:getAccount", {});
    expect(account.result).toEqual({ id: ACCOUNT });
    const regions = await provider.invoke("alicloud:index/getRegions:getRegions", {});
    expect(regions.result.ids).toEqual([REGION, OTHER_REGION]);
    await expect(provider.invoke("alicloud:index/getRegions:getRegions", { name: "cn-beijing" })).rejects.toThrow(/no region/);
  });
});
