/** Creates, reads, updates and deletes every resource type of the table over gRPC. */
import { DiffResponse } from "@pulumi/pulumi/proto/provider_pb";
import { RESOURCES } from "../../../../local/provider/alicloud/registry";
import type { Properties } from "../../../../local/provider/values";
import { type AlicloudFixture, OTHER_REGION, REGION, startFixture } from "./alicloud-fixture";
import type { LifecycleClient } from "./lifecycle-client";
import { BUCKET, REPLICATED, STORIES } from "./stories";

const { DIFF_NONE, DIFF_SOME } = DiffResponse.DiffChanges;
let fixture: AlicloudFixture;
let provider: LifecycleClient;

interface Made {
  id: string;
  inputs: Properties;
  outputs: Properties;
}
const made = new Map<string, Made>();
const madeOf = (type: string): Made => {
  const found = made.get(type);
  if (found === undefined) throw new Error(`${type} was not made`);
  return found;
};

beforeAll(async () => {
  fixture = await startFixture();
  provider = await fixture.provider();
  await fixture.bucket(REPLICATED.source).putBucket(REPLICATED.source);
  await fixture.bucket(REPLICATED.destination, OTHER_REGION).putBucket(REPLICATED.destination);
});
afterAll(() => fixture.stop());

async function checked(type: string, inputs: Properties): Promise<Properties> {
  const answer = await provider.check(type, inputs);
  expect(answer.failures).toEqual([]);
  return answer.inputs;
}

/** A setting of the bucket as XML or JSON. */
async function settingOf(name: string, bucket = BUCKET): Promise<string> {
  const client = fixture.bucket(bucket) as unknown as { request(request: object): Promise<{ data: Buffer }> };
  const { data } = await client.request({ method: "GET", bucket, subres: { [name]: "" }, successStatuses: [200] });
  return data.toString();
}

test("the stories have every type of the table", () => {
  expect(STORIES.map(({ type }) => type).sort()).toEqual(RESOURCES.map(({ token }) => token).sort());
});

// The tests run in order: each starts with the state that the previous one left.
describe("create and read", () => {
  test.each(STORIES)("$type", async ({ type, first, id: wanted, outputs: expected = {}, instead = {} }) => {
    const inputs = await checked(type, first);
    const { id, outputs } = await provider.create(type, inputs, false);
    expect(id).toEqual(wanted instanceof RegExp ? expect.stringMatching(wanted) : wanted);
    expect(outputs).toMatchObject({ ...first, ...instead, ...expected });
    expect(await provider.read(type, id, inputs, outputs)).toEqual(outputs);
    expect(await provider.diff(type, inputs, inputs)).toMatchObject({ changes: DIFF_NONE });
    made.set(type, { id, inputs, outputs });
  });

  test("a preview shows every output that the cloud gave", async () => {
    for (const { type } of STORIES) {
      const { inputs, outputs } = madeOf(type);
      const shown = await provider.create(type, inputs, true);
      expect([type, Object.keys(shown.outputs).sort()]).toEqual([type, Object.keys(outputs).sort()]);
    }
  });
});

test("the cloud has the declared values", async () => {
  const { fc, messages, secrets, ram, flow } = fixture.cloud;
  expect(await settingOf("lifecycle")).toMatch(/<ID>parts<\/ID>.*<AbortMultipartUpload><Days>7</);
  expect(await settingOf("tagging")).toContain("<Key>stage</Key><Value>dev</Value>");
  expect(await settingOf("bucketInfo")).toMatch(/<BlockPublicAccess>false.*Acceleration>Enabled.*<Versioning>Enabled.*AES256/);
  expect(await settingOf("policy")).toContain("oss:GetObject");
  expect(await settingOf("replication", REPLICATED.source)).toMatch(/<Prefix>a\/<\/Prefix><Prefix>b\/<\/Prefix>.*oss_acc/);
  expect(ram.policiesOfRole("sender").map(({ policyName }) => policyName)).toEqual(["sender-reads"]);
  expect(fc.getFunction(REGION, "sender")).toMatchObject({ cpu: 0.5, timeout: 60, environmentVariables: {} });
  expect(await fixture.invoke("sender")).toBe("first");
  expect(fc.getTrigger(REGION, "sender", "web")?.triggerConfig).toContain("POST");
  expect(flow.getFlow(REGION, "push")).toMatchObject({ type: "FDL", definition: expect.stringContaining("Name: first") });
  expect(messages.getQueue(REGION, "dead")).toMatchObject({ delaySeconds: 5, messageRetentionPeriod: 345_600 });
  expect(secrets.get(REGION, "bridge/token")?.value).toBe("whsec_one");
});

describe("update in place", () => {
  test.each(STORIES.filter(({ second }) => second !== undefined))("$type", async ({ type, second = {}, instead = {} }) => {
    const before = madeOf(type);
    const inputs = await checked(type, second);
    expect(await provider.diff(type, before.inputs, inputs)).toMatchObject({ changes: DIFF_SOME, replaces: [] });
    const outputs = await provider.update(type, before.id, before.inputs, inputs, before.outputs);
    expect(outputs).toMatchObject({ ...second, ...instead });
    expect(await provider.read(type, before.id, inputs, outputs)).toEqual(outputs);
    made.set(type, { id: before.id, inputs, outputs });
  });

  test("the cloud has the new values", async () => {
    const { fc, messages, secrets, ram, flow, records } = fixture.cloud;
    await expect(settingOf("lifecycle")).rejects.toMatchObject({ status: 404 });
    expect(await settingOf("tagging")).toContain("<Key>more</Key>");
    expect(await settingOf("bucketInfo")).toMatch(
      /<BlockPublicAccess>true.*Acceleration>Disabled.*<Versioning>Suspended.*>KMS<.*>key-1</,
    );
    expect(await settingOf("policy")).toContain("oss:*");
    expect(await settingOf("cname")).toContain("<CertId>1-cn-shanghai</CertId>");
    expect(await settingOf("httpsConfig")).toContain("<TLSVersion>TLSv1.2</TLSVersion><TLSVersion>TLSv1.3</TLSVersion>");
    expect(await settingOf("replication", REPLICATED.source)).toContain("<RTC><Status>disabled</Status></RTC>");
    expect(ram.getRole("sender")).toMatchObject({ description: "new", assumeRolePolicyDocument: expect.stringContaining("fnf") });
    expect(ram.getPolicy("sender-reads")?.policyDocument).toContain("oss:PutObject");
    expect(fc.getFunction(REGION, "sender")).toMatchObject({ timeout: 90, environmentVariables: { LEVEL: "debug" } });
    expect(await fixture.invoke("sender")).toBe("second");
    expect(fc.getTrigger(REGION, "sender", "web")).toMatchObject({
      description: "new",
      triggerConfig: expect.stringContaining("PUT"),
    });
    expect(fc.getAsyncInvokeConfig(REGION, "sender")).toEqual({
      maxAsyncRetryAttempts: 8,
      maxAsyncEventAgeInSeconds: 86_400,
      onFailure: "acs:mns:cn-shanghai:3333333333333333:/queues/dead/messages",
    });
    expect(fc.getConcurrency(REGION, "sender")).toBe(6);
    expect(flow.getFlow(REGION, "push")).toMatchObject({ description: "new" });
    // An input that the provider also reads keeps its value when it is left out.
    expect(messages.getQueue(REGION, "dead")).toMatchObject({ delaySeconds: 5, messageRetentionPeriod: 604_800 });
    expect(secrets.get(REGION, "bridge/token")).toMatchObject({ value: "whsec_two", description: "rotated" });
    expect(records.logStores.get(REGION, "logs-of-tests:functions")?.settings).toMatchObject({ retentionPeriod: 7 });
  });
});

describe("delete", () => {
  test.each([...STORIES].reverse())("$type, and once more", async ({ type }) => {
    const { id, inputs, outputs } = madeOf(type);
    await provider.delete(type, id, inputs);
    await provider.delete(type, id, inputs);
    // The provider keeps these settings; OSS deletes them with the bucket.
    const stays = /:Bucket(Versioning|TransferAcceleration|HttpsConfig|PublicAccessBlock|CnameToken)$/.test(type);
    if (!stays) expect(await provider.read(type, id, inputs, outputs)).toBeUndefined();
  });

  test("the kept settings are deleted with the bucket", async () => {
    for (const { type } of STORIES) {
      const { id, inputs, outputs } = madeOf(type);
      expect([type, await provider.read(type, id, inputs, outputs)]).toEqual([type, undefined]);
    }
  });
});
