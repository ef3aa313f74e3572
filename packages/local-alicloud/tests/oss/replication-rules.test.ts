import type { XmlFields } from "../../src/oss/xml";
import { type Client, NOBODY, type OssFixture, SILICON_VALLEY, STRANGER } from "./oss-fixture";
import {
  addRule,
  ask,
  deleteRule,
  getRules,
  HANGZHOU,
  progress,
  type RuleFields,
  replicate,
  ruleTo,
  startReplicating,
} from "./replication-fixture";

const SOURCE = { bucket: "rules-source" };
const NEAR = "rules-near";
const ABROAD = "rules-abroad";
const TWIN = "rules-twin";
let fixture: OssFixture;
let source: Client;
beforeEach(async () => {
  fixture = await startReplicating();
  source = await fixture.bucket(SOURCE.bucket);
  await fixture.bucket(NEAR, HANGZHOU);
  await fixture.bucket(ABROAD, SILICON_VALLEY);
  await fixture.bucket(TWIN);
});
afterEach(() => fixture.stop());

const abroad = (more: RuleFields = {}) => ruleTo(ABROAD, { location: `oss-${SILICON_VALLEY}`, TransferType: "oss_acc", ...more });

test("a rule is returned as it was put, with an id and its status", async () => {
  const rule = abroad({
    ID: "mine",
    PrefixSet: { Prefix: ["a/", "b/"] },
    Action: "PUT",
    SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } },
    EncryptionConfiguration: { ReplicaKmsKeyID: "key-1" },
  });
  expect(await replicate(fixture, SOURCE, rule)).toBe("mine");
  expect(await getRules(fixture, SOURCE)).toContain(
    "<ReplicationConfiguration><Rule><ID>mine</ID><PrefixSet><Prefix>a/</Prefix><Prefix>b/</Prefix></PrefixSet><Action>PUT</Action>" +
      `<Destination><Bucket>${ABROAD}</Bucket><Location>oss-us-west-1</Location><TransferType>oss_acc</TransferType></Destination>` +
      "<Status>doing</Status><HistoricalObjectReplication>disabled</HistoricalObjectReplication><SyncRole>replication</SyncRole>" +
      "<SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>" +
      "<EncryptionConfiguration><ReplicaKmsKeyID>key-1</ReplicaKmsKeyID></EncryptionConfiguration></Rule></ReplicationConfiguration>",
  );
  expect((await source.getBucketInfo(SOURCE.bucket)).bucket).toMatchObject({ CrossRegionReplication: "Enabled" });
});

test("missing elements have the documented defaults", async () => {
  const { HistoricalObjectReplication: _left, ...rule } = ruleTo(NEAR);
  const id = await replicate(fixture, SOURCE, rule);
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(await getRules(fixture, SOURCE)).toContain(
    `<Rule><ID>${id}</ID><Action>ALL</Action><Destination><Bucket>${NEAR}</Bucket><Location>oss-cn-hangzhou</Location></Destination>` +
      "<Status>doing</Status><HistoricalObjectReplication>enabled</HistoricalObjectReplication>",
  );
});

test("several rules go to several buckets, one to each", async () => {
  await replicate(fixture, SOURCE, ruleTo(NEAR, { ID: "1" }));
  expect(await addRule(fixture, SOURCE, ruleTo(NEAR))).toMatchObject({ status: 400, code: "BucketReplicationAlreadyExist" });
  expect(await addRule(fixture, SOURCE, abroad({ ID: "1" }))).toMatchObject({ status: 400, code: "InvalidArgument" });
  await replicate(fixture, SOURCE, abroad());
  await replicate(fixture, SOURCE, ruleTo(TWIN, { location: "oss-cn-shanghai" }));
  expect((await getRules(fixture, SOURCE)).match(/<Rule>/g)).toHaveLength(3);
});

test.each<[string, string, XmlFields | XmlFields[]]>([
  ["two rules", "TooManyReplicationRules", [ruleTo(NEAR), ruleTo(TWIN)]],
  ["the bucket itself", "InvalidTargetBucket", ruleTo(SOURCE.bucket, { location: "oss-cn-shanghai" })],
  ["a bucket that is not there", "InvalidTargetBucket", ruleTo("nowhere-at-all")],
  ["another location than the bucket's", "InvalidTargetLocation", ruleTo(NEAR, { location: "oss-cn-shanghai" })],
  ["a location without oss-", "InvalidTargetLocation", ruleTo(NEAR, { location: HANGZHOU })],
  ["a location that does not exist", "BadReplicationLocation", ruleTo(NEAR, { location: "oss-mars-1" })],
  ["no destination", "MalformedXML", { SyncRole: "replication" }],
  ["an element that rules do not have", "MalformedXML", ruleTo(NEAR, { Priority: 1 })],
  ["the plain link across the border", "InvalidArgument", abroad({ TransferType: "internal" })],
  ["acceleration inside the mainland", "InvalidArgument", ruleTo(NEAR, { TransferType: "oss_acc" })],
  ["an unknown link", "InvalidArgument", ruleTo(NEAR, { TransferType: "pigeon" })],
  ["an unknown action", "InvalidArgument", ruleTo(NEAR, { Action: "SET" })],
  ["deletions alone", "InvalidArgument", ruleTo(NEAR, { Action: "DELETE" })],
  ["an unknown history", "InvalidArgument", ruleTo(NEAR, { HistoricalObjectReplication: "open" })],
  ["eleven prefixes", "InvalidArgument", ruleTo(NEAR, { PrefixSet: { Prefix: [..."abcdefghijk"] } })],
  ["a long prefix", "InvalidArgument", ruleTo(NEAR, { PrefixSet: { Prefix: ["é".repeat(512)] } })],
  ["a long id", "InvalidArgument", ruleTo(NEAR, { ID: "i".repeat(256) })],
  ["a role's ARN for its name", "InvalidArgument", ruleTo(NEAR, { SyncRole: "acs:ram::1234567890123456:role/replication" })],
  [
    "no key for replicas under KMS",
    "MissingArgument",
    ruleTo(NEAR, { SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } } }),
  ],
  ["RTC across the border", "ReplicationLocationNotSupportRtc", abroad({ RTC: { Status: "enabled" } })],
])("%s: %s", async (_what, code, rule) => {
  expect(await addRule(fixture, SOURCE, rule)).toMatchObject({ status: 400, code });
  expect(await ask(fixture, "GET", SOURCE, { replication: "" })).toMatchObject({ code: "NoSuchReplicationConfiguration" });
});

test("across the border a rule that names no link gets the accelerated one", async () => {
  await replicate(fixture, SOURCE, ruleTo(ABROAD, { location: "oss-us-west-1" }));
  expect(await getRules(fixture, SOURCE)).toContain("<TransferType>oss_acc</TransferType>");
});

test("a new rule is starting for a while, and a deleted one closing, at most until a restart", async () => {
  let now = Date.now();
  const slow = await startReplicating({ now: () => now, replicationStateMs: 300 });
  try {
    await slow.bucket(SOURCE.bucket);
    await slow.bucket(NEAR, HANGZHOU);
    const id = await replicate(slow, SOURCE, ruleTo(NEAR));
    expect(await getRules(slow, SOURCE)).toContain("<Status>starting</Status>");
    expect(await progress(slow, SOURCE, id)).not.toContain("<Progress>");
    now += 300;
    expect(await getRules(slow, SOURCE)).toContain("<Status>doing</Status>");
    expect((await deleteRule(slow, SOURCE, id)).status).toBe(200);
    expect(await getRules(slow, SOURCE)).toContain("<Status>closing</Status>");
    expect(await progress(slow, SOURCE, id)).toContain("<Status>closing</Status>");
    expect(await addRule(slow, SOURCE, ruleTo(NEAR))).toMatchObject({ code: "BucketReplicationAlreadyExist" });
    await slow.restart();
    await slow.oss.settled();
    expect(await ask(slow, "GET", SOURCE, { replication: "" })).toMatchObject({ code: "NoSuchReplicationConfiguration" });
  } finally {
    await slow.stop();
  }
});

test("inside a region both links are taken", async () => {
  const rule = ruleTo(TWIN, { location: "oss-cn-shanghai", TransferType: "oss_acc", PrefixSet: { Prefix: ["p".repeat(1023)] } });
  await replicate(fixture, SOURCE, rule);
  expect(await getRules(fixture, SOURCE)).toContain("<TransferType>oss_acc</TransferType>");
  await source.put("p".repeat(1023), Buffer.from("x"));
  await fixture.oss.settled();
  expect((await fixture.client({ bucket: TWIN }).head("p".repeat(1023))).res.status).toBe(200);
});

test("without a role, OSS replicates for the owner and ignores what the rule says of KMS", async () => {
  fixture.requests.length = 0;
  await replicate(
    fixture,
    SOURCE,
    ruleTo(NEAR, { SyncRole: "", SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } } }),
  );
  expect(fixture.requests.map(({ action }) => action)).toEqual(["oss:PutBucketReplication"]);
  expect(await getRules(fixture, SOURCE)).not.toMatch(/SyncRole|Kms/);
  await source.put("key", Buffer.from("x"));
  await fixture.oss.settled();
  expect((await fixture.client({ bucket: NEAR, region: `oss-${HANGZHOU}` }).head("key")).res.status).toBe(200);
});

test("the owners must be the same", async () => {
  await fixture.client({ ...STRANGER, region: `oss-${HANGZHOU}` }).putBucket("rules-stranger");
  expect(await addRule(fixture, SOURCE, ruleTo("rules-stranger"))).toMatchObject({ code: "InvalidTargetBucket" });
});

describe("versioning", () => {
  const near = () => fixture.client({ bucket: NEAR, region: `oss-${HANGZHOU}` });

  test("must be the same on both sides and not suspended", async () => {
    await source.putBucketVersioning(SOURCE.bucket, "Enabled");
    expect(await addRule(fixture, SOURCE, ruleTo(NEAR))).toMatchObject({ status: 400, code: "InvalidRequest" });
    await source.putBucketVersioning(SOURCE.bucket, "Suspended");
    await near().putBucketVersioning(NEAR, "Suspended");
    expect(await addRule(fixture, SOURCE, ruleTo(NEAR))).toMatchObject({ status: 400, code: "InvalidRequest" });
    await source.putBucketVersioning(SOURCE.bucket, "Enabled");
    await near().putBucketVersioning(NEAR, "Enabled");
    expect(await addRule(fixture, SOURCE, ruleTo(NEAR))).toMatchObject({ status: 200 });
  });

  test("cannot change on either side while there is a rule", async () => {
    const id = await replicate(fixture, SOURCE, ruleTo(NEAR));
    const enable = (where: { bucket: string; region?: string }) =>
      ask(fixture, "PUT", where, { versioning: "" }, { root: "VersioningConfiguration", fields: { Status: "Enabled" } });
    const refused = { status: 400, code: "InvalidRequest" };
    expect(await enable(SOURCE)).toMatchObject(refused);
    expect(await enable({ bucket: NEAR, region: HANGZHOU })).toMatchObject(refused);
    await deleteRule(fixture, SOURCE, id);
    expect(await enable(SOURCE)).toMatchObject({ status: 200 });
  });
});

test("the destination's acceleration cannot be turned off under a rule that uses it", async () => {
  const id = await replicate(fixture, SOURCE, abroad());
  const turnOff = () =>
    ask(
      fixture,
      "PUT",
      { bucket: ABROAD, region: SILICON_VALLEY },
      { transferAcceleration: "" },
      { root: "TransferAccelerationConfiguration", fields: { Enabled: false } },
    );
  const refused = await turnOff();
  expect(refused).toMatchObject({ status: 409, code: "TransferAccAlreadyInUse" });
  expect(refused.body.toString()).toContain(
    `<SourceBucket>${SOURCE.bucket}</SourceBucket><DestinationBucket>${ABROAD}</DestinationBucket>`,
  );
  await deleteRule(fixture, SOURCE, id);
  expect((await turnOff()).status).toBe(200);
});

test("a rule is deleted by its id", async () => {
  expect((await deleteRule(fixture, SOURCE, "any")).status).toBe(200);
  const id = await replicate(fixture, SOURCE, ruleTo(NEAR));
  expect(await deleteRule(fixture, SOURCE, "other")).toMatchObject({ status: 404, code: "NoSuchReplicationRule" });
  expect(await deleteRule(fixture, SOURCE, [id, "other"])).toMatchObject({ status: 400, code: "TooManyReplicationRules" });
  expect(await deleteRule(fixture, SOURCE, [])).toMatchObject({ status: 400, code: "MalformedXML" });
  expect((await deleteRule(fixture, SOURCE, id)).status).toBe(200);
  expect(await ask(fixture, "GET", SOURCE, { replication: "" })).toMatchObject({
    status: 404,
    code: "NoSuchReplicationConfiguration",
  });
  expect((await source.getBucketInfo(SOURCE.bucket)).bucket).toMatchObject({ CrossRegionReplication: "Disabled" });
});

test("progress is returned for a rule by its id", async () => {
  const id = await replicate(fixture, SOURCE, ruleTo(NEAR));
  expect(await progress(fixture, SOURCE, id)).toMatch(
    /<ReplicationProgress><Rule><ID>.+<Status>doing<\/Status>.*<Progress><NewObject>\d{4}-\d\d-\d\dT[\d:.]+Z<\/NewObject><\/Progress><\/Rule>/,
  );
  expect(await ask(fixture, "GET", SOURCE, { replicationProgress: "", "rule-id": "other" })).toMatchObject({
    status: 404,
    code: "NoSuchReplicationRule",
  });
  expect(await ask(fixture, "GET", SOURCE, { replicationProgress: "" })).toMatchObject({ status: 400, code: "InvalidArgument" });
});

test("the locations say where acceleration is needed", async () => {
  const { body } = await ask(fixture, "GET", SOURCE, { replicationLocation: "" });
  expect(body.toString()).toContain(
    "<Location>oss-cn-shanghai</Location><Location>oss-cn-hangzhou</Location><Location>oss-us-west-1</Location>" +
      "<LocationTransferTypeConstraint><LocationTransferType><Location>oss-us-west-1</Location><TransferTypes><Type>oss_acc</Type>" +
      "</TransferTypes></LocationTransferType></LocationTransferTypeConstraint>" +
      "<LocationRTCConstraint><Location>oss-cn-hangzhou</Location></LocationRTCConstraint>",
  );
});

test("RTC is turned on and off in the regions that have it", async () => {
  const near = await replicate(fixture, SOURCE, ruleTo(NEAR, { RTC: { Status: "enabled" } }));
  const far = await replicate(fixture, SOURCE, abroad());
  const put = (ID: string, Status: string) =>
    ask(fixture, "PUT", SOURCE, { rtc: "" }, { root: "ReplicationRule", fields: { RTC: { Status }, ID } });
  expect(await getRules(fixture, SOURCE)).toContain("<RTC><Status>enabled</Status></RTC>");
  expect((await put(near, "disabled")).status).toBe(200);
  expect(await getRules(fixture, SOURCE)).toContain("<RTC><Status>disabled</Status></RTC>");
  expect(await put(near, "soon")).toMatchObject({ status: 400, code: "InvalidArgument" });
  expect(await put(far, "enabled")).toMatchObject({ status: 400, code: "ReplicationLocationNotSupportRtc" });
  expect(await put("other", "enabled")).toMatchObject({ status: 404, code: "NoSuchReplicationRule" });
});

test("each call needs its own permission, and PutBucketReplication that of both buckets", async () => {
  fixture.requests.length = 0;
  const id = await replicate(fixture, SOURCE, ruleTo(NEAR));
  await getRules(fixture, SOURCE);
  await progress(fixture, SOURCE, id);
  await deleteRule(fixture, SOURCE, id);
  const of = (bucket: string, region: string) => `acs:oss:${region}:1234567890123456:${bucket}`;
  expect(fixture.requests.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
    `oss:PutBucketReplication ${of(SOURCE.bucket, "cn-shanghai")}`,
    `oss:ReplicateGet ${of(SOURCE.bucket, "cn-shanghai")}`,
    `oss:ReplicateGet ${of(NEAR, HANGZHOU)}`,
    `oss:GetBucketReplication ${of(SOURCE.bucket, "cn-shanghai")}`,
    `oss:GetBucketReplicationProgress ${of(SOURCE.bucket, "cn-shanghai")}`,
    `oss:DeleteBucketReplication ${of(SOURCE.bucket, "cn-shanghai")}`,
  ]);
  expect(await addRule(fixture, SOURCE, ruleTo(NEAR), NOBODY)).toMatchObject({ status: 403, code: "AccessDenied" });
});
