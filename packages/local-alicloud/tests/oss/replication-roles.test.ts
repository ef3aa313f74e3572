import { once } from "node:events";
import { EventEmitter } from "node:stream";
import { ACCOUNT, type Client, type OssFixture, SILICON_VALLEY } from "./oss-fixture";
import { contentOf, HANGZHOU, progress, type RuleFields, replicate, ruleTo, startReplicating } from "./replication-fixture";

const SOURCE = { bucket: "roles-source" };
const DESTINATION = "roles-destination";
const ROLE = `acs:ram::${ACCOUNT}:role/replication`;
const PRINCIPAL = { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:assumed-role/replication/oss` };
const FROM = `acs:oss:cn-shanghai:${ACCOUNT}:${SOURCE.bucket}`;
const TO = `acs:oss:${HANGZHOU}:${ACCOUNT}:${DESTINATION}`;
const ALL = ["oss:ReplicateList", "oss:ReplicateGet", "oss:ReplicatePut", "oss:ReplicateDelete"];

let fixture: OssFixture;
let source: Client;
let destination: Client;
let trusted: boolean;
let rights: string[];
const changes = new EventEmitter();
/** So long that only the test starts another attempt. */
let replicationRetryMs = 3_600_000;

async function start(): Promise<void> {
  fixture = await startReplicating({
    authorize: ({ arn }, action) =>
      arn.endsWith(":root") || (arn === PRINCIPAL.arn && rights.includes(action)) ? "allow" : "none",
    assumeRole: (arn) => (trusted && arn === ROLE ? PRINCIPAL : undefined),
    replicationRetryMs,
    onEvent: ({ eventName }) => void changes.emit(eventName),
  });
  source = await fixture.bucket(SOURCE.bucket);
  destination = await fixture.bucket(DESTINATION, HANGZHOU);
}

beforeEach(async () => {
  trusted = true;
  rights = ALL;
  await start();
});
afterEach(() => fixture.stop());

const put = (key: string, text = "x") => source.put(key, Buffer.from(text));
const forward = (more: RuleFields = {}) => replicate(fixture, SOURCE, ruleTo(DESTINATION, more));
/** The permissions that the role needed since the last call. */
const asked = () =>
  fixture.requests
    .splice(0)
    .filter(({ principal }) => principal?.arn === PRINCIPAL.arn)
    .map(({ action, resource, allowed, endpoint }) => `${allowed ? "" : "refused "}${action} ${resource} ${endpoint}`);

test("each step needs its own permission and no other", async () => {
  await put("old");
  await forward({ HistoricalObjectReplication: "enabled" });
  await fixture.oss.settled();
  const copied = (key: string) => [
    `oss:ReplicateGet ${FROM}/${key} internal`,
    `oss:ReplicateGet ${TO}/${key} internal`,
    `oss:ReplicatePut ${TO}/${key} internal`,
  ];
  expect(asked()).toEqual([`oss:ReplicateList ${FROM} internal`, ...copied("old")]);
  await put("new");
  await fixture.oss.settled();
  expect(asked()).toEqual(copied("new"));
  await source.delete("new");
  await fixture.oss.settled();
  expect(asked()).toEqual([`oss:ReplicateDelete ${TO}/new internal`]);
});

test("a rule that does not delete needs no oss:ReplicateDelete, also for delete markers", async () => {
  rights = ["oss:ReplicateGet", "oss:ReplicatePut"];
  await source.putBucketVersioning(SOURCE.bucket, "Enabled");
  await destination.putBucketVersioning(DESTINATION, "Enabled");
  await forward({ Action: "PUT" });
  await put("key");
  await source.delete("key");
  await fixture.oss.settled();
  expect(asked().every((line) => !line.startsWith("refused"))).toBe(true);
  expect((await destination.getBucketVersions({})).deleteMarker).toHaveLength(1);
});

test("across the border the accelerated link is used", async () => {
  await fixture.bucket("roles-abroad", SILICON_VALLEY);
  const rule = ruleTo("roles-abroad", { location: "oss-us-west-1", TransferType: "oss_acc" });
  await replicate(fixture, SOURCE, rule);
  await put("key");
  await fixture.oss.settled();
  expect(asked().at(-1)).toBe(`oss:ReplicatePut acs:oss:us-west-1:${ACCOUNT}:roles-abroad/key accelerate`);
});

test("a role that OSS may not assume replicates nothing until OSS may", async () => {
  trusted = false;
  const id = await forward();
  const before = new Date().toISOString();
  await put("key");
  await fixture.oss.settled();
  expect(await contentOf(destination, "key")).toBeUndefined();
  const shown = await progress(fixture, SOURCE, id);
  expect(shown).toContain("<Status>doing</Status>");
  const written = (await source.head("key")).res.headers as { "last-modified": string };
  const until = /<NewObject>(.+?)<\/NewObject>/.exec(shown)?.[1] ?? "";
  expect(until >= before && until <= new Date(Date.parse(written["last-modified"]) + 999).toISOString()).toBe(true);
  trusted = true;
  await fixture.oss.settled();
  expect(await contentOf(destination, "key")).toBe("x");
});

test("without oss:ReplicateDelete only deletions wait", async () => {
  rights = ALL.slice(0, 3);
  await forward();
  await put("key");
  await fixture.oss.settled();
  await source.delete("key");
  await put("other");
  await fixture.oss.settled();
  expect([await contentOf(destination, "key"), await contentOf(destination, "other")]).toEqual(["x", "x"]);
  rights = ALL;
  await fixture.oss.settled();
  expect(await contentOf(destination, "key")).toBeUndefined();
});

test("an object that the bucket's policy denies is not replicated", async () => {
  await destination.putBucketPolicy(DESTINATION, {
    Version: "1",
    Statement: [{ Effect: "Deny", Principal: ["*"], Action: ["oss:ReplicatePut"], Resource: [`acs:oss:*:*:${DESTINATION}/*`] }],
  });
  await forward();
  await put("key");
  await fixture.oss.settled();
  expect(await contentOf(destination, "key")).toBeUndefined();
  expect(asked().at(-1)).toBe(`refused oss:ReplicatePut ${TO}/key internal`);
});

test("a permission that is given later takes effect without another write", async () => {
  await fixture.stop();
  replicationRetryMs = 5;
  await start();
  rights = [];
  await forward();
  const refused = once(changes, "ObjectCreated:PutObject");
  await put("key");
  await refused;
  await fixture.oss.settled();
  const replicated = once(changes, "ObjectReplication:ObjectCreated");
  rights = ALL;
  await replicated;
  expect(await contentOf(destination, "key")).toBe("x");
});

test("refused replications and deletions are still pending after a restart", async () => {
  await forward();
  await put("gone");
  await fixture.oss.settled();
  rights = [];
  await put("key");
  await source.delete("gone");
  await fixture.oss.settled();
  rights = ALL;
  await fixture.restart();
  await fixture.oss.settled();
  destination = fixture.client({ bucket: DESTINATION, region: `oss-${HANGZHOU}` });
  expect([await contentOf(destination, "key"), await contentOf(destination, "gone")]).toEqual(["x", undefined]);
});

describe("encryption of the replica", () => {
  const under = (algorithm?: string, keyId?: string) => ({
    ...(algorithm === undefined ? {} : { "x-oss-server-side-encryption": algorithm }),
    ...(keyId === undefined ? {} : { "x-oss-server-side-encryption-key-id": keyId }),
  });
  /** Every object under KMS names a key; this one is not the customer's. */
  const MANAGED = expect.stringMatching(/^[0-9a-f]{8}-/) as string;
  const KEY_ALLOWED = {
    SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } },
    EncryptionConfiguration: { ReplicaKmsKeyID: "replica-key" },
  };

  test.each<[string, object, object | undefined, RuleFields, object | undefined]>([
    ["none", under(), undefined, {}, under()],
    ["none", under(), { SSEAlgorithm: "AES256" }, {}, under("AES256")],
    ["none", under(), { SSEAlgorithm: "KMS" }, {}, under("KMS", MANAGED)],
    ["none", under(), { SSEAlgorithm: "KMS", KMSMasterKeyID: "its-key" }, {}, undefined],
    ["none", under(), { SSEAlgorithm: "KMS", KMSMasterKeyID: "its-key" }, KEY_ALLOWED, under("KMS", "its-key")],
    ["AES256", under("AES256"), { SSEAlgorithm: "KMS" }, {}, under("AES256")],
    ["KMS", under("KMS"), undefined, {}, under("KMS", MANAGED)],
    ["KMS with a key", under("KMS", "own-key"), undefined, {}, undefined],
    ["KMS with a key", under("KMS", "own-key"), undefined, KEY_ALLOWED, under("KMS", "replica-key")],
  ])("of %s (%j) in a bucket with %j under %j is %j", async (_name, headers, fallback, rule, wanted) => {
    if (fallback !== undefined) await destination.putBucketEncryption(DESTINATION, fallback);
    await forward(rule);
    await source.put("key", Buffer.from("x"), { headers } as object);
    await fixture.oss.settled();
    if (wanted === undefined) {
      expect(await contentOf(destination, "key")).toBeUndefined();
      return;
    }
    const told = (await destination.head("key")).res.headers as Record<string, string>;
    expect(Object.fromEntries(Object.entries(told).filter(([name]) => name.includes("server-side")))).toEqual(wanted);
  });
});
