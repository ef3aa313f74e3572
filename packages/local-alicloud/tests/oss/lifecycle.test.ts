/** Rules as the suites of oss2, aliyun-oss-go-sdk and ali-oss put them. */
import { type OssFixture, startFixture } from "./oss-fixture";
import { sendSigned } from "./raw-request";

const BUCKET = "lifecycle-of-tests";
let fixture: OssFixture;
beforeAll(async () => {
  fixture = await startFixture();
  await fixture.bucket(BUCKET);
});
afterAll(() => fixture.stop());

const ask = (method: string, body = "", headers: Record<string, string> = {}) =>
  sendSigned(fixture, { method, body, headers }, { bucket: BUCKET, queries: { lifecycle: "" } });
const rule = (fields: string, { id = "rule", prefix = "log/", status = "Enabled" } = {}) =>
  `<Rule><ID>${id}</ID><Prefix>${prefix}</Prefix><Status>${status}</Status>${fields}</Rule>`;
const put = (rules: string, headers?: Record<string, string>) =>
  ask("PUT", `<LifecycleConfiguration>${rules}</LifecycleConfiguration>`, headers);

const expiration = (when: string) => `<Expiration>${when}</Expiration>`;
const days = (count: number | string) => `<Days>${count}</Days>`;
const before = (day: string) => `<CreatedBeforeDate>${day}T00:00:00.000Z</CreatedBeforeDate>`;
const transition = (when: string, storageClass: string) =>
  `<Transition>${when}<StorageClass>${storageClass}</StorageClass></Transition>`;
const noncurrent = (count: number, storageClass: string) =>
  `<NoncurrentVersionTransition><NoncurrentDays>${count}</NoncurrentDays><StorageClass>${storageClass}</StorageClass></NoncurrentVersionTransition>`;
const tag = (key: string, value: string) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
const abort = (when: string) => `<AbortMultipartUpload>${when}</AbortMultipartUpload>`;

test("rules are stored, returned and deleted", async () => {
  expect(await ask("GET")).toMatchObject({ status: 404, code: "NoSuchLifecycle" });
  const stored = rule(abort(days(1)));
  expect((await put(stored)).status).toBe(200);
  expect((await ask("GET")).body.toString()).toContain(stored);
  expect((await ask("DELETE")).status).toBe(204);
  expect(await ask("GET")).toMatchObject({ code: "NoSuchLifecycle" });
});

test("a rule without an id gets one", async () => {
  await put(`<Rule><Prefix/><Status>Enabled</Status>${expiration(days(1))}</Rule>`);
  expect((await ask("GET")).body.toString()).toMatch(/<ID>[0-9a-f-]{36}<\/ID>/);
});

test.each<[string, string]>([
  ["by days", rule(expiration(days(356)))],
  ["by a date", rule(expiration("<Date>2016-12-25T00:00:00.000Z</Date>"))],
  ["with transitions in their order", rule(transition(days(3), "IA") + transition(days(30), "Archive") + abort(days(30)))],
  ["with dates in any order", rule(expiration(before("2016-12-20")) + transition(before("2016-12-25"), "IA"))],
  ["with a date and an abortion by days", rule(expiration(before("2016-12-25")) + abort(days(356)))],
  [
    "of versions",
    rule(
      `${expiration("<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>")}<NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration>${noncurrent(12, "IA")}${noncurrent(20, "Archive")}`,
    ),
  ],
  ["with a tag whose key is too long, which then fits no object", rule(expiration(days(1)) + tag("a".repeat(129), "x"))],
  ["for different prefixes", rule(expiration(days(1))) + rule(expiration(days(2)), { id: "other", prefix: "two/" })],
  ["of different kinds for one prefix", rule(expiration(days(1))) + rule(abort(days(2)), { id: "other" })],
  ["with an id of 255 bytes", rule(expiration(days(1)), { id: "i".repeat(255) })],
])("a rule %s is taken", async (_what, rules) => {
  expect((await put(rules)).status).toBe(200);
});

test.each<[string, string, string, string]>([
  [
    "a transition after the expiration",
    "InvalidArgument",
    "0014-00000082",
    rule(expiration(days(3)) + transition(days(4), "IA")),
  ],
  [
    "Archive before IA",
    "InvalidArgument",
    "0014-00000082",
    rule(expiration(days(6)) + transition(days(5), "IA") + transition(days(2), "Archive")),
  ],
  ["versions in Archive before IA", "InvalidArgument", "0014-00000082", rule(noncurrent(20, "IA") + noncurrent(12, "Archive"))],
  ["a date beside days", "InvalidRequest", "0014-00000080", rule(expiration(before("2016-12-25")) + transition(days(356), "IA"))],
  ["a transition to Standard", "InvalidArgument", "0000-00000000", rule(expiration(days(6)) + transition(days(5), "Standard"))],
  ["a tag's key with other characters", "InvalidTag", "0000-00000000", rule(expiration(days(1)) + tag("%&amp;", "test"))],
  ["a tag's value with other characters", "InvalidTag", "0000-00000000", rule(expiration(days(1)) + tag("test", ")%"))],
  ["an unknown status", "MalformedXML", "0014-00000024", rule(expiration(days(30)), { status: "Invalid" })],
  ["days below zero", "InvalidArgument", "0000-00000000", rule(abort(days(-30)))],
  ["no days", "InvalidArgument", "0000-00000000", rule(abort(days(0)))],
  ["a date that is none", "InvalidArgument", "0000-00000000", rule(expiration("<CreatedBeforeDate>soon</CreatedBeforeDate>"))],
  ["two times", "MalformedXML", "0031-00000001", rule(expiration(days(1) + before("2016-12-25")))],
  ["no time", "MalformedXML", "0031-00000001", rule(abort(""))],
  ["no action", "MalformedXML", "0031-00000001", rule("")],
  ["an id of 256 bytes", "InvalidArgument", "0000-00000000", rule(expiration(days(1)), { id: "é".repeat(128) })],
  [
    "an id that is given twice",
    "InvalidArgument",
    "0000-00000000",
    rule(expiration(days(1))) + rule(abort(days(1)), { prefix: "b" }),
  ],
  ["no rule", "MalformedXML", "0014-00000013", ""],
  ["another element", "MalformedXML", "0014-00000015", `${rule(expiration(days(1)))}<Other/>`],
  ["a missing end", "MalformedXML", "0014-00000011", "<Rule>"],
  [
    "two expirations for one prefix",
    "InvalidRequest",
    "0014-00000084",
    rule(expiration(days(200)), { prefix: "test" }) + rule(expiration(days(100)), { id: "other", prefix: "test/log" }),
  ],
  [
    "two abortions, one of the whole bucket",
    "InvalidRequest",
    "0014-00000084",
    rule(abort(days(3))) + rule(abort(days(14)), { id: "other", prefix: "" }),
  ],
  [
    "two transitions to one class for one prefix",
    "InvalidRequest",
    "0014-00000079",
    rule(transition(days(30), "IA"), { prefix: "test" }) + rule(transition(days(60), "IA"), { id: "other", prefix: "test/log" }),
  ],
])("rules with %s are refused", async (_what, code, ec, rules) => {
  expect(await put(rules)).toMatchObject({ status: 400, code, ec });
});

test.each([{}, { "x-oss-allow-same-action-overlap": "true" }])(
  "the order holds across rules that overlap, with %j",
  async (headers) => {
    const warm = rule(transition(days(45), "IA"), { prefix: "test" });
    const cold = (after: number) => rule(transition(days(after), "Archive"), { id: "other", prefix: "test/log" });
    expect(await put(warm + cold(40), headers)).toMatchObject({ status: 400, code: "InvalidArgument", ec: "0014-00000082" });
    expect(await put(warm + rule(expiration(days(45)), { id: "other", prefix: "" }), headers)).toMatchObject({
      ec: "0014-00000082",
    });
    expect((await put(warm + cold(46), headers)).status).toBe(200);
    expect((await put(warm + cold(40).replace("Enabled", "Disabled"), headers)).status).toBe(200);
  },
);

test("a rule that is based on access times needs access monitoring, which cannot be disabled then", async () => {
  const byAccess = rule(
    "<Transition><Days>30</Days><StorageClass>IA</StorageClass><IsAccessTime>true</IsAccessTime><ReturnToStdWhenVisit>true</ReturnToStdWhenVisit></Transition>",
  );
  const monitor = (status: string) =>
    sendSigned(
      fixture,
      { method: "PUT", body: `<AccessMonitorConfiguration><Status>${status}</Status></AccessMonitorConfiguration>` },
      { bucket: BUCKET, queries: { accessmonitor: "" } },
    );
  expect(await put(byAccess)).toMatchObject({ status: 400, ec: "0014-00000016" });
  expect((await monitor("Enabled")).status).toBe(200);
  expect((await put(byAccess)).status).toBe(200);
  expect(await monitor("Disabled")).toMatchObject({ status: 400, ec: "0036-00000005" });
  expect((await ask("DELETE")).status).toBe(204);
  expect((await monitor("Disabled")).status).toBe(200);
});

test("overlapping rules are taken where the request allows them", async () => {
  const rules =
    rule(expiration(days(200)), { prefix: "test" }) + rule(expiration(days(100)), { id: "other", prefix: "test/log" });
  expect((await put(rules, { "x-oss-allow-same-action-overlap": "true" })).status).toBe(200);
});
