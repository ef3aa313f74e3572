import { DiffResponse } from "@pulumi/pulumi/proto/provider_pb";
import { serveAlicloudProvider } from "../../../../local/provider/alicloud-provider";
import type { ServedProvider } from "../../../../local/provider/server";
import { type Properties, UNKNOWN } from "../../../../local/provider/values";
import { ProviderClient } from "../provider-client";
import { ZIP } from "./stories";

const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
const BUCKET = "alicloud:oss/bucket:Bucket";
const VERSIONING = "alicloud:oss/bucketVersioning:BucketVersioning";
const POLICY = "alicloud:oss/bucketPolicy:BucketPolicy";
const REPLICATION = "alicloud:oss/bucketReplication:BucketReplication";
const FUNCTION = "alicloud:fc/v3Function:V3Function";
const TRIGGER = "alicloud:fc/v3Trigger:V3Trigger";
const ASYNC = "alicloud:fc/v3AsyncInvokeConfig:V3AsyncInvokeConfig";
const FLOW = "alicloud:fnf/flow:Flow";
const ROLE = "alicloud:ram/role:Role";
const RAM_POLICY = "alicloud:ram/policy:Policy";
const QUEUE = "alicloud:message/serviceQueue:ServiceQueue";
const SECRET = "alicloud:oos/secretParameter:SecretParameter";
const ALARM = "alicloud:cms/alarm:Alarm";

const fn = { functionName: "f", handler: "index.handler", runtime: "nodejs20", cpu: 1, memorySize: 1024, timeout: 60 };
const flow = { definition: "Type: StateMachine", description: "", type: "FDL" };
const alarm = { project: "acs_fc", metric: "errors", contactGroups: ["ops"], metricDimensions: "[]" };

let served: ServedProvider;
let provider: ProviderClient;

beforeAll(async () => {
  served = await serveAlicloudProvider({ cloud: "preview" });
  provider = new ProviderClient(served.port);
  await provider.configure({ region: "cn-shanghai", profile: "bridge" });
});

afterAll(async () => {
  provider.close();
  await served.close();
});

describe("the local cloud refuses what it does not support", () => {
  test("a resource type", async () => {
    const call = provider.check("alicloud:ecs/instance:Instance", {});
    await expect(call).rejects.toThrow(/no resource type alicloud:ecs\/instance:Instance; it has .*alicloud:oss\/bucket:Bucket/);
  });

  test("a data source", async () => {
    await expect(provider.invoke("alicloud:ecs/getInstances:getInstances", {})).rejects.toThrow(/no data source/);
  });

  test.each<[string, string, Properties, string, RegExp]>([
    ["an input", BUCKET, { website: {} }, "website", /no input website here; it has .*bucket/],
    [
      "a nested input",
      FUNCTION,
      { ...fn, code: { zipFile: ZIP, ossBucketName: "b" } },
      "code.ossBucketName",
      /no input code.ossBucketName/,
    ],
    ["a required input left out", VERSIONING, { bucket: "b" }, "status", /is required/],
    ["a deprecated name", ROLE, { name: "r", roleName: "r", assumeRolePolicyDocument: "{}" }, "name", /no input name/],
    ["a value of another type", QUEUE, { queueName: "q", delaySeconds: "5" }, "delaySeconds", /must be a number, not "5"/],
    ["a policy that is no JSON", POLICY, { bucket: "b", policy: "{" }, "policy", /must be a json/],
    ["a bucket name with a dot", BUCKET, { bucket: "no.dots" }, "bucket", /3 to 63/],
    ["a storage class of S3", BUCKET, { bucket: "bucket", storageClass: "GLACIER" }, "storageClass", /one of Standard, IA/],
    ["a lifecycle rule without an action", BUCKET, { lifecycleRules: [{ enabled: true }] }, "lifecycleRules[0]", /no action/],
    [
      "a lifecycle rule with two times",
      BUCKET,
      { lifecycleRules: [{ enabled: true, expirations: [{ days: 1, date: "2030-01-01" }] }] },
      "lifecycleRules[0].expirations",
      /one of days and dates/,
    ],
    ["code that is no zip file", FUNCTION, { ...fn, code: { zipFile: "bm8gemlw" } }, "code.zipFile", /zip file in base64/],
    ["a trigger of another kind", TRIGGER, trigger({ triggerType: "mns_topic" }), "triggerType", /one of oss, http, timer/],
    ["a trigger of a version", TRIGGER, trigger({ qualifier: "1" }), "qualifier", /one of LATEST/],
    // Function Compute accepts 7 days, the provider only one.
    [
      "an event age over a day",
      ASYNC,
      { functionName: "f", maxAsyncEventAgeInSeconds: 604_800 },
      "maxAsyncEventAgeInSeconds",
      /86400/,
    ],
    ["more than 8 retries", ASYNC, { functionName: "f", maxAsyncRetryAttempts: 9 }, "maxAsyncRetryAttempts", /0 to 8/],
    ["a message size over 64 KiB", QUEUE, { queueName: "q", maximumMessageSize: 65_537 }, "maximumMessageSize", /1024 to 65536/],
    [
      "a vendor's own policy",
      "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment",
      { roleName: "r", policyName: "AliyunOSSFullAccess", policyType: "System" },
      "policyType",
      /Custom policies/,
    ],
    ["a tag that is reserved", QUEUE, { queueName: "q", tags: { "acs:mine": "1" } }, "tags", /"acs:mine" is no tag key/],
    ["a secret's name that is reserved", SECRET, { secretParameterName: "acs/token", value: "v" }, "secretParameterName", /180/],
    ["a replication to itself", REPLICATION, replication("b"), "destination.bucket", /does not replicate to itself/],
    ["an alarm that never rises", ALARM, { ...alarm, name: "a" }, "escalationsCritical", /has one of/],
    [
      "a threshold that is no number",
      ALARM,
      { ...alarm, name: "a", escalationsCritical: { threshold: "many" } },
      "escalationsCritical.threshold",
      /must be a number/,
    ],
    [
      "a rotation that RAM does not have",
      RAM_POLICY,
      { policyName: "p", policyDocument: "{}", rotateStrategy: "DeleteOldest" },
      "rotateStrategy",
      /one of None, DeleteOldestNonDefaultVersionWhenLimitExceeded/,
    ],
    [
      "a rule for the beginning of log entries that does not exist",
      FUNCTION,
      { ...fn, code: { zipFile: ZIP }, logConfig: { project: "p", logstore: "s", logBeginRule: "Regex" } },
      "logConfig.logBeginRule",
      /one of None, DefaultRegex/,
    ],
    [
      "a replication prefix of 1,024 bytes",
      REPLICATION,
      { ...replication("c"), prefixSet: { prefixes: [`${"字".repeat(341)}/`] } },
      "prefixSet.prefixes.length",
      /is 1024; Alibaba Cloud allows 0 to 1023/,
    ],
    [
      "a lifecycle id of 256 bytes",
      BUCKET,
      { lifecycleRules: [{ id: "i".repeat(256), enabled: true, expirations: [{ days: 1 }] }] },
      "lifecycleRules[0].id.length",
      /0 to 255/,
    ],
    ["a flow of another kind", FLOW, { ...flow, name: "f", type: "EXPRESS" }, "type", /one of FDL/],
  ])("%s", async (_, type, inputs, property, reason) => {
    const { failures } = await provider.check(type, inputs);
    expect(failures).toEqual([{ property, reason: expect.stringMatching(reason) }]);
  });

  test("a secret's value is in no reason", async () => {
    const { failures } = await provider.check(SECRET, { secretParameterName: "t1", value: "hush".repeat(2000) });
    expect(failures).toEqual([{ property: "value", reason: expect.not.stringContaining("hush") }]);
  });

  test("a configuration", async () => {
    const client = new ProviderClient(served.port);
    await expect(client.configure({ region: "cn-shanghai", shoeSize: "44" })).rejects.toThrow(/no input shoeSize/);
    await expect(client.configure({})).rejects.toThrow(/needs a region/);
    await expect(client.configure({ region: "Shanghai" })).rejects.toThrow(/no region of Alibaba Cloud/);
    await expect(client.check(QUEUE, {})).rejects.toThrow(/not configured/);
    client.close();
  });

  test("a deployment without a cloud", async () => {
    await expect(provider.create(QUEUE, { queueName: "q" }, false)).rejects.toThrow(/only serves previews/);
  });
});

function trigger(more: Properties): Properties {
  return { functionName: "f", triggerName: "t", triggerType: "oss", qualifier: "LATEST", triggerConfig: "{}", ...more };
}

function replication(bucket: string): Properties {
  return { bucket: "b", destination: { bucket, location: "oss-us-west-1" }, syncRole: "replicator" };
}

describe("check", () => {
  test.each([
    [FLOW, flow],
    [ALARM, { ...alarm, escalationsCritical: { threshold: "1" } }],
  ])("names %s once and keeps the name", async (type, inputs) => {
    const first = await provider.check(type, inputs, { name: "push", seed: "one" });
    expect(first.inputs.name).toMatch(/^push-[0-9a-f]{7}$/);
    const again = await provider.check(type, inputs, { name: "push", seed: "two", olds: first.inputs });
    expect(again.inputs.name).toBe(first.inputs.name);
  });

  test.each([
    [ROLE, "roleName", { assumeRolePolicyDocument: "{}" }],
    [FUNCTION, "functionName", { ...fn, functionName: undefined, code: { zipFile: ZIP } }],
  ])("generates no name for %s, like the provider", async (type, property, inputs) => {
    const { failures } = await provider.check(type, inputs, { name: "thing" });
    expect(failures).toEqual([{ property, reason: `${property} is required` }]);
  });

  test("takes a policy as an object, and one with an unknown part as unknown", async () => {
    const known = await provider.check(POLICY, { bucket: "b", policy: { Version: "1" } });
    expect(known).toMatchObject({ failures: [], inputs: { policy: '{"Version":"1"}' } });
    const unknown = await provider.check(POLICY, { bucket: UNKNOWN, policy: { Version: UNKNOWN } });
    expect(unknown).toMatchObject({ failures: [], inputs: { bucket: UNKNOWN, policy: UNKNOWN } });
  });
});

describe("diff", () => {
  test("no change when a document differs only in its formatting", async () => {
    const old = { bucket: "b", policy: '{"a":1,"b":[2]}' };
    const diff = await provider.diff(POLICY, old, { ...old, policy: '{ "b": [2], "a": 1 }' });
    expect(diff).toEqual({ changes: DIFF_NONE, diffs: [], replaces: [], deleteBeforeReplace: false });
  });

  // Optional inputs that the provider also computes.
  test.each<[string, string, Properties, Properties]>([
    ["a bucket's acl", BUCKET, { bucket: "a", acl: "private" }, { bucket: "a" }],
    ["a bucket's name", BUCKET, { bucket: "a" }, {}],
    ["a queue's delay", QUEUE, { queueName: "q", delaySeconds: 7 }, { queueName: "q" }],
    ["a trigger's source", TRIGGER, trigger({ sourceArn: "a" }), trigger({})],
    ["an alarm's level", ALARM, { ...alarm, escalationsInfo: { threshold: "1" } }, alarm],
    ["a function's disk", FUNCTION, { ...fn, diskSize: 512 }, fn],
    [
      "a secret's tags",
      SECRET,
      { secretParameterName: "t", value: "v", tags: { a: "1" } },
      { secretParameterName: "t", value: "v" },
    ],
  ])("no change when %s is left out", async (_, type, olds, news) => {
    expect(await provider.diff(type, olds, news)).toMatchObject({ changes: DIFF_NONE, diffs: [], replaces: [] });
  });

  // Inputs that are ForceNew in the provider.
  test.each<[string, string, Properties, Properties, string[], boolean]>([
    ["a bucket's name", BUCKET, { bucket: "a" }, { bucket: "b" }, ["bucket"], false],
    ["a bucket's storage class", BUCKET, { bucket: "a" }, { bucket: "a", storageClass: "IA" }, ["storageClass"], false],
    ["a bucket's tags", BUCKET, { bucket: "a", tags: { a: "1" } }, { bucket: "a" }, [], false],
    [
      "the bucket of a setting",
      VERSIONING,
      { bucket: "a", status: "Enabled" },
      { bucket: "b", status: "Enabled" },
      ["bucket"],
      false,
    ],
    ["anything of a replication", REPLICATION, replication("c"), { ...replication("c"), action: "PUT" }, ["action"], false],
    ["a function's timeout", FUNCTION, { ...fn, timeout: 1 }, fn, [], false],
    ["a trigger's source", TRIGGER, trigger({ sourceArn: "a" }), trigger({ sourceArn: "b" }), ["sourceArn"], false],
    ["a trigger's configuration", TRIGGER, trigger({}), trigger({ triggerConfig: '{"events":[]}' }), [], false],
    ["an alarm's metric", ALARM, { ...alarm, name: "a" }, { ...alarm, name: "a", metric: "b" }, ["metric"], true],
    ["an alarm's name", ALARM, { ...alarm, name: "a" }, { ...alarm, name: "b" }, [], false],
    ["an unknown value", QUEUE, { queueName: "q" }, { queueName: UNKNOWN }, ["queueName"], false],
  ])("of %s", async (_, type, olds, news, replaces, deleteBeforeReplace) => {
    const diff = await provider.diff(type, olds, news);
    expect(diff).toMatchObject({ changes: DIFF_SOME, replaces });
    if (replaces.length > 0) expect(diff.deleteBeforeReplace).toBe(deleteBeforeReplace);
  });
});

describe("preview of a create", () => {
  test("shows inputs and defaults; outputs that the cloud decides are unknown", async () => {
    const { id, outputs } = await provider.create(QUEUE, { queueName: "q", delaySeconds: 7 }, true);
    expect(id).toBe("");
    expect(outputs).toMatchObject({ queueName: "q", delaySeconds: 7, visibilityTimeout: UNKNOWN });
    const bucket = await provider.create(BUCKET, { bucket: "b" }, true);
    expect(bucket.outputs).toMatchObject({ bucket: "b", extranetEndpoint: UNKNOWN, storageClass: "Standard" });
    const web = await provider.create(TRIGGER, trigger({ triggerType: "http" }), true);
    expect(web.outputs).toMatchObject({ triggerName: "t", httpTrigger: UNKNOWN });
  });
});

describe("data sources", () => {
  test("account, caller and region", async () => {
    const id = "3333333333333333";
    expect((await provider.invoke("alicloud:index/getAccount:getAccount", {})).result).toEqual({ id });
    const caller = await provider.invoke("alicloud:index/getCallerIdentity:getCallerIdentity", {});
    expect(caller.result).toMatchObject({ accountId: id, arn: `acs:ram::${id}:root`, identityType: "Account" });
    const regions = await provider.invoke("alicloud:index/getRegions:getRegions", { current: true });
    expect(regions.result).toMatchObject({ ids: ["cn-shanghai"], regions: [{ id: "cn-shanghai", regionId: "cn-shanghai" }] });
  });

  test("the configured account", async () => {
    const client = new ProviderClient(served.port);
    await client.configure({ region: "us-west-1", accountId: "4444555566667777" });
    expect((await client.invoke("alicloud:index/getAccount:getAccount", {})).result).toEqual({ id: "4444555566667777" });
    client.close();
  });

  test("an adopted bucket, with the hosts of the real OSS", async () => {
    const { result } = await provider.invoke("alicloud:oss/getBuckets:getBuckets", { nameRegex: "^adopted-one$" });
    expect(result).toMatchObject({
      names: ["adopted-one"],
      buckets: [
        {
          name: "adopted-one",
          location: "oss-cn-shanghai",
          extranetEndpoint: "oss-cn-shanghai.aliyuncs.com",
          intranetEndpoint: "oss-cn-shanghai-internal.aliyuncs.com",
        },
      ],
    });
  });

  test("wrong arguments", async () => {
    const { failures } = await provider.invoke("alicloud:oss/getBuckets:getBuckets", { outputFile: "buckets.json" });
    expect(failures).toEqual([expect.stringMatching(/no input outputFile/)]);
  });
});
