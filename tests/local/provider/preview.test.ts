import { DiffResponse } from "@pulumi/pulumi/proto/provider_pb";
import { serveAwsProvider } from "../../../local/provider/aws-provider";
import type { ServedProvider } from "../../../local/provider/server";
import { UNKNOWN } from "../../../local/provider/values";
import { ProviderClient } from "./provider-client";

const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
const BUCKET = "aws:s3/bucket:Bucket";
const VERSIONING = "aws:s3/bucketVersioning:BucketVersioning";
const QUEUE = "aws:sqs/queue:Queue";

let served: ServedProvider;
let global: ProviderClient;
let china: ProviderClient;

beforeAll(async () => {
  served = await serveAwsProvider({ partitions: "preview" });
  [global, china] = [new ProviderClient(served.port), new ProviderClient(served.port)];
  await Promise.all([
    global.configure({ region: "eu-west-1", defaultTags: JSON.stringify({ tags: { team: "bridge" } }) }),
    china.configure({ region: "cn-northwest-1" }),
  ]);
});

afterAll(async () => {
  global.close();
  china.close();
  await served.close();
});

describe("the local cloud refuses what it does not support", () => {
  test("a resource type", async () => {
    await expect(global.check("aws:redshift/cluster:Cluster", {})).rejects.toThrow(
      /no resource type aws:redshift\/cluster:Cluster; it has .*aws:s3\/bucket:Bucket/,
    );
  });

  test("a data source", async () => {
    await expect(global.invoke("aws:index/getBillingServiceAccount:getBillingServiceAccount", {})).rejects.toThrow(
      /no data source aws:index\/getBillingServiceAccount/,
    );
  });

  test.each([
    ["an input", BUCKET, { acl: "private" }, "acl", /no input acl here; it has .*bucket/],
    [
      "a nested input",
      VERSIONING,
      { bucket: "b", versioningConfiguration: { status: "Enabled", mfaDelete: "Enabled" } },
      "versioningConfiguration.mfaDelete",
      /no input versioningConfiguration.mfaDelete/,
    ],
    ["a required input left out", VERSIONING, { bucket: "b" }, "versioningConfiguration", /is required/],
    ["a value of another type", QUEUE, { delaySeconds: "5" }, "delaySeconds", /must be a number, not "5"/],
    ["a policy that is no JSON", "aws:s3/bucketPolicy:BucketPolicy", { bucket: "b", policy: "{" }, "policy", /must be a json/],
    ["a REST API by its body", "aws:apigateway/restApi:RestApi", { body: "{}" }, "body", /no input body/],
    [
      "a region of the other partition",
      QUEUE,
      { region: "cn-north-1" },
      "region",
      /in the partition aws-cn, but this provider is in aws/,
    ],
    ["a bucket name that S3 refuses", BUCKET, { bucket: "No_Good" }, "bucket", /3 to 63/],
    [
      "an ARN of the other partition",
      "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
      { role: "r", policyArn: "arn:aws-cn:iam::aws:policy/ReadOnlyAccess" },
      "policyArn",
      /names an ARN of the partition aws-cn, but this provider is in aws/,
    ],
  ])("%s", async (_, type, inputs, property, reason) => {
    const { failures } = await global.check(type, inputs);
    expect(failures).toEqual([{ property, reason: expect.stringMatching(reason) }]);
  });

  test("a configuration", async () => {
    const client = new ProviderClient(served.port);
    await expect(client.configure({ region: "eu-west-1", shoeSize: "44" })).rejects.toThrow(/no input shoeSize/);
    await expect(client.configure({})).rejects.toThrow(/needs a region/);
    await expect(client.configure({ region: "us-gov-west-1" })).rejects.toThrow(/partitions aws and aws-cn only/);
    await expect(client.check(QUEUE, {})).rejects.toThrow(/not configured/);
    client.close();
  });

  test("a deployment without a cloud", async () => {
    await expect(global.create(QUEUE, { name: "q" }, false)).rejects.toThrow(/only serves previews/);
  });
});

describe("check", () => {
  test("names a resource once and keeps the name", async () => {
    const first = await global.check(QUEUE, {}, { name: "events", seed: "one" });
    expect(first.inputs.name).toMatch(/^events-[0-9a-f]{7}$/);
    const again = await global.check(QUEUE, {}, { name: "events", seed: "two", olds: first.inputs });
    expect(again.inputs.name).toBe(first.inputs.name);
    const other = await global.check(QUEUE, {}, { name: "events", seed: "two" });
    expect(other.inputs.name).not.toBe(first.inputs.name);
  });

  test("keeps automatic names within the service's limit", async () => {
    const { inputs, failures } = await global.check(BUCKET, {}, { name: "a".repeat(90) });
    expect(failures).toEqual([]);
    expect(String(inputs.bucket)).toHaveLength(63);
  });

  test("adds the provider's default tags, which the resource's tags override", async () => {
    const { inputs } = await global.check(QUEUE, { name: "q", tags: { team: "other", a: "b" } });
    expect(inputs).toMatchObject({ tags: { team: "other", a: "b" }, tagsAll: { team: "other", a: "b" } });
    expect((await global.check(QUEUE, { name: "q" })).inputs.tagsAll).toEqual({ team: "bridge" });
  });

  test("takes a policy as an object, and one with an unknown part as unknown", async () => {
    const type = "aws:s3/bucketPolicy:BucketPolicy";
    const known = await global.check(type, { bucket: "b", policy: { Version: "2012-10-17" } });
    expect(known).toMatchObject({ failures: [], inputs: { policy: '{"Version":"2012-10-17"}' } });
    const unknown = await global.check(type, { bucket: UNKNOWN, policy: { Version: UNKNOWN } });
    expect(unknown).toMatchObject({ failures: [], inputs: { bucket: UNKNOWN, policy: UNKNOWN } });
  });
});

describe("diff", () => {
  test("no change when a document differs only in its formatting", async () => {
    const old = { queueUrl: "u", policy: '{"a":1,"b":[2]}' };
    const diff = await global.diff("aws:sqs/queuePolicy:QueuePolicy", old, { ...old, policy: '{ "b": [2], "a": 1 }' });
    expect(diff).toEqual({ changes: DIFF_NONE, diffs: [], replaces: [], deleteBeforeReplace: false });
  });

  test("in place", async () => {
    const diff = await global.diff(QUEUE, { name: "q", delaySeconds: 1 }, { name: "q", visibilityTimeoutSeconds: 60 });
    expect(diff).toMatchObject({ changes: DIFF_SOME, replaces: [] });
    expect(diff.diffs.sort()).toEqual(["delaySeconds", "visibilityTimeoutSeconds"]);
  });

  test.each([
    ["another name: creates the new one first", QUEUE, { name: "q" }, { name: "p" }, ["name"], false],
    ["the same identity: deletes the old one first", VERSIONING, { bucket: "a" }, { bucket: "b" }, ["bucket"], true],
    [
      "a type that never changes",
      "aws:apigateway/deployment:Deployment",
      { restApi: "a" },
      { restApi: "a", triggers: { x: "1" } },
      ["triggers"],
      false,
    ],
    ["an unknown value", QUEUE, { name: "q" }, { name: UNKNOWN }, ["name"], false],
  ])("replaces for %s", async (_, type, olds, news, replaces, deleteBeforeReplace) => {
    expect(await global.diff(type, olds, news)).toMatchObject({ changes: DIFF_SOME, replaces, deleteBeforeReplace });
  });

  test("compares files by content, not by path", async () => {
    const code = (hash: string, path: string) => ({ name: "f", code: { kind: "archive", hash, path } });
    const type = "aws:lambda/function:Function";
    expect(await global.diff(type, code("one", "a"), code("one", "b"))).toMatchObject({ changes: DIFF_NONE });
    expect(await global.diff(type, code("one", "a"), code("two", "a"))).toMatchObject({ diffs: ["code"], replaces: [] });
  });
});

describe("preview of a create", () => {
  test("shows inputs and defaults; outputs that the cloud decides are unknown", async () => {
    const { id, outputs } = await global.create(QUEUE, { name: "q", delaySeconds: 7 }, true);
    expect(id).toBe("");
    expect(outputs).toMatchObject({ name: "q", delaySeconds: 7, visibilityTimeoutSeconds: 30, arn: UNKNOWN, url: UNKNOWN });
  });
});

describe("data sources answer for the partition of the provider", () => {
  test("partition", async () => {
    const token = "aws:index/getPartition:getPartition";
    expect((await global.invoke(token, {})).result).toMatchObject({ partition: "aws", dnsSuffix: "amazonaws.com" });
    expect((await china.invoke(token, {})).result).toMatchObject({ partition: "aws-cn", dnsSuffix: "amazonaws.com.cn" });
  });

  test.each([
    ["lambda", "lambda.amazonaws.com", "lambda.amazonaws.com"],
    ["ec2", "ec2.amazonaws.com", "ec2.amazonaws.com.cn"],
    ["logs", "logs.amazonaws.com", "logs.cn-northwest-1.amazonaws.com.cn"],
  ])("service principal of %s", async (serviceName, inGlobal, inChina) => {
    const token = "aws:index/getServicePrincipal:getServicePrincipal";
    expect((await global.invoke(token, { serviceName })).result.name).toBe(inGlobal);
    expect((await china.invoke(token, { serviceName })).result.name).toBe(inChina);
  });

  test("caller, region, zones and an adopted bucket", async () => {
    const caller = await china.invoke("aws:index/getCallerIdentity:getCallerIdentity", {});
    expect(caller.result).toMatchObject({ accountId: "222222222222", arn: "arn:aws-cn:iam::222222222222:root" });
    expect((await china.invoke("aws:index/getRegion:getRegion", {})).result).toMatchObject({ region: "cn-northwest-1" });
    const zones = await global.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", { state: "available" });
    expect(zones.result.names).toEqual(["eu-west-1a", "eu-west-1b"]);
    const bucket = await china.invoke("aws:s3/getBucket:getBucket", { bucket: "there" });
    expect(bucket.result).toMatchObject({
      arn: "arn:aws-cn:s3:::there",
      bucketRegionalDomainName: "there.s3.cn-northwest-1.amazonaws.com.cn",
    });
  });

  test("wrong arguments", async () => {
    expect((await global.invoke("aws:s3/getBucket:getBucket", { name: "b" })).failures).toEqual([
      expect.stringMatching(/no input name/),
      expect.stringMatching(/bucket is required/),
    ]);
  });

  test("a policy document", async () => {
    const { result } = await global.invoke("aws:iam/getPolicyDocument:getPolicyDocument", {
      statements: [
        {
          sid: "one",
          actions: ["s3:GetObject"],
          resources: ["*"],
          principals: [{ type: "Service", identifiers: ["lambda.amazonaws.com"] }],
          conditions: [
            { test: "StringEquals", variable: "aws:a", values: ["1"] },
            { test: "StringEquals", variable: "aws:b", values: ["2"] },
          ],
        },
      ],
    });
    expect(JSON.parse(String(result.json))).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "one",
          Effect: "Allow",
          Action: ["s3:GetObject"],
          Resource: ["*"],
          Principal: { Service: ["lambda.amazonaws.com"] },
          Condition: { StringEquals: { "aws:a": ["1"], "aws:b": ["2"] } },
        },
      ],
    });
  });
});

test("a preview shows the account of allowedAccountIds", async () => {
  const client = new ProviderClient(served.port);
  await client.configure({ region: "eu-west-1", allowedAccountIds: JSON.stringify(["444455556666"]) });
  const { result } = await client.invoke("aws:index/getCallerIdentity:getCallerIdentity", {});
  expect(result.accountId).toBe("444455556666");
  client.close();
});
