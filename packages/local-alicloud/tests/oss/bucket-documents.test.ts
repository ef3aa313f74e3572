/** Settings that are stored and returned, the regions, and the counters of a bucket. */
import { Readable } from "node:stream";
import { ACCOUNT, type Client, NOBODY, type OssFixture, refusal, SHANGHAI, SILICON_VALLEY, startFixture } from "./oss-fixture";
import { type RawAnswer, send, sendSigned } from "./raw-request";

const BUCKET = "documents-of-tests";
let fixture: OssFixture;
let client: Client;
beforeEach(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
});
afterEach(() => fixture.stop());

const ask = (method: string, name: string, body = ""): Promise<RawAnswer> =>
  sendSigned(fixture, { method, body }, { bucket: BUCKET, queries: { [name]: "" } });
const text = async (name: string) => (await ask("GET", name)).body.toString();

describe("a bucket where nothing was put", () => {
  test.each([
    ["cors", "NoSuchCORSConfiguration"],
    ["website", "NoSuchWebsiteConfiguration"],
    ["userDefinedLogFieldsConfig", "NoSuchUserDefinedLogFieldsConfig"],
    ["worm", "NoSuchWORMConfiguration"],
    ["policy", "NoSuchBucketPolicy"],
    ["lifecycle", "NoSuchLifecycle"],
    ["encryption", "NoSuchServerSideEncryptionRule"],
    ["replication", "NoSuchReplicationConfiguration"],
  ])("has no ?%s", async (name, code) => {
    expect(await ask("GET", name)).toMatchObject({ status: 404, code });
  });

  test.each([
    ["logging", "<BucketLoggingStatus></BucketLoggingStatus>"],
    [
      "referer",
      "<AllowEmptyReferer>true</AllowEmptyReferer><AllowTruncateQueryString>true</AllowTruncateQueryString><TruncatePath>false</TruncatePath><RefererList></RefererList>",
    ],
    ["requestPayment", "<Payer>BucketOwner</Payer>"],
    ["accessmonitor", "<Status>Disabled</Status>"],
    ["qos", "<StorageCapacity>-1</StorageCapacity>"],
    ["resourceGroup", "<ResourceGroupId>rg-acfm"],
  ])("has the default ?%s", async (name, document) => {
    expect(await text(name)).toContain(document);
  });
});

test("CORS rules are put, replaced and deleted, also twice", async () => {
  const rules = [{ allowedOrigin: "*", allowedMethod: ["GET", "HEAD"], allowedHeader: "*", maxAgeSeconds: "1000" }];
  await client.putBucketCORS(BUCKET, rules as never);
  expect((await client.getBucketCORS(BUCKET)).rules).toMatchObject(rules);
  expect(await text("cors")).toContain("<ResponseVary>false</ResponseVary>");
  for (let count = 0; count < 2; count++) expect((await ask("DELETE", "cors")).status).toBe(204);
  expect(await ask("GET", "cors")).toMatchObject({ code: "NoSuchCORSConfiguration" });
});

const corsRule = (fields: string) => `<CORSConfiguration><CORSRule>${fields}</CORSRule></CORSConfiguration>`;
const ORIGIN = "<AllowedOrigin>https://*.example.com</AllowedOrigin>";

test.each<[string, string, string]>([
  ["no rule", "MalformedXML", "<CORSConfiguration/>"],
  ["no method", "MalformedXML", corsRule(ORIGIN)],
  ["an unknown method", "InvalidArgument", corsRule(`${ORIGIN}<AllowedMethod>LIST</AllowedMethod>`)],
  ["two stars", "InvalidArgument", corsRule("<AllowedOrigin>*.*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>")],
  [
    "an age below zero",
    "InvalidArgument",
    corsRule(`${ORIGIN}<AllowedMethod>GET</AllowedMethod><MaxAgeSeconds>-1</MaxAgeSeconds>`),
  ],
  [
    "eleven rules",
    "CORSRuleBeyondLimit",
    `<CORSConfiguration>${`<CORSRule>${ORIGIN}<AllowedMethod>GET</AllowedMethod></CORSRule>`.repeat(11)}</CORSConfiguration>`,
  ],
])("CORS with %s is refused", async (_what, code, body) => {
  expect(await ask("PUT", "cors", body)).toMatchObject({ status: 400, code });
});

test("a browser learns from OPTIONS and from answers what the CORS rules allow", async () => {
  const options = (headers: Record<string, string>, path = `/${BUCKET}/key`) =>
    send(fixture, { method: "OPTIONS", path, headers });
  const wanted = { origin: "https://a.example.com", "access-control-request-method": "PUT" };
  expect(await options(wanted)).toMatchObject({ status: 403, code: "AccessForbidden" });
  const allowed = "<AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-oss-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>";
  expect((await ask("PUT", "cors", corsRule(`${ORIGIN}${allowed}<MaxAgeSeconds>60</MaxAgeSeconds>`))).status).toBe(200);
  expect(await options({ ...wanted, "access-control-request-headers": "x-oss-meta-a" })).toMatchObject({
    status: 200,
    headers: {
      "access-control-allow-origin": "https://a.example.com",
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "x-oss-meta-a",
      "access-control-expose-headers": "ETag",
      "access-control-max-age": "60",
      vary: "Origin",
    },
  });
  for (const other of [
    { origin: "https://example.org" },
    { "access-control-request-method": "DELETE" },
    { "access-control-request-headers": "authorization" },
  ])
    expect(await options({ ...wanted, ...other })).toMatchObject({ status: 403, code: "AccessForbidden" });
  expect(await options({ origin: wanted.origin })).toMatchObject({ status: 400, code: "BadRequest" });
  expect(await options(wanted, "/absent-bucket/key")).toMatchObject({ status: 404, code: "NoSuchBucket" });
  const put = { method: "PUT", body: "x", headers: { origin: wanted.origin } };
  expect((await sendSigned(fixture, put, { bucket: BUCKET, key: "key" })).headers).toMatchObject({
    "access-control-allow-origin": "https://a.example.com",
  });
  const get = await sendSigned(fixture, { ...put, method: "GET", body: "" }, { bucket: BUCKET, key: "key" });
  expect(get.headers).not.toHaveProperty("access-control-allow-origin");
});

test("a website configuration is put, returned and deleted", async () => {
  const put = (fields: string) => ask("PUT", "website", `<WebsiteConfiguration>${fields}</WebsiteConfiguration>`);
  const fields =
    "<IndexDocument><Suffix>index.html</Suffix><SupportSubDir>true</SupportSubDir><Type>0</Type></IndexDocument>" +
    "<ErrorDocument><Key>error.html</Key><HttpStatus>404</HttpStatus></ErrorDocument>";
  expect((await put(fields)).status).toBe(200);
  expect(await text("website")).toContain(fields);
  expect(await put("")).toMatchObject({ status: 400, code: "MalformedXML" });
  expect(await put("<IndexDocument><Suffix>a/b</Suffix></IndexDocument>")).toMatchObject({
    status: 400,
    code: "InvalidArgument",
  });
  expect((await ask("DELETE", "website")).status).toBe(204);
  expect(await ask("GET", "website")).toMatchObject({ code: "NoSuchWebsiteConfiguration" });
});

test("logging names a bucket of the same owner and region", async () => {
  await client.putBucketLogging(BUCKET, "日志+/");
  expect(await text("logging")).toContain(
    `<LoggingEnabled><TargetBucket>${BUCKET}</TargetBucket><TargetPrefix>日志+/</TargetPrefix></LoggingEnabled>`,
  );
  await client.deleteBucketLogging(BUCKET);
  expect(await text("logging")).not.toContain("LoggingEnabled");
  await fixture.bucket("logs-elsewhere", SILICON_VALLEY);
  const to = (bucket: string) =>
    ask(
      "PUT",
      "logging",
      `<BucketLoggingStatus><LoggingEnabled><TargetBucket>${bucket}</TargetBucket></LoggingEnabled></BucketLoggingStatus>`,
    );
  for (const bucket of ["absent-bucket", "XX", "logs-elsewhere"])
    expect(await to(bucket)).toMatchObject({ status: 400, code: "InvalidTargetBucketForLogging" });
});

test("a referer list is replaced as a whole, and has no deletion", async () => {
  await client.putBucketReferer(BUCKET, false, ["https://a.example", "https://b.example"]);
  expect(await client.getBucketReferer(BUCKET)).toMatchObject({
    allowEmpty: false,
    referers: ["https://a.example", "https://b.example"],
  });
  expect(await text("referer")).toContain("<AllowTruncateQueryString>true</AllowTruncateQueryString>");
  await client.deleteBucketReferer(BUCKET);
  expect(await client.getBucketReferer(BUCKET)).toMatchObject({ allowEmpty: true, referers: null });
  // As every operation that this server lacks.
  expect(await ask("DELETE", "referer")).toMatchObject({ status: 501 });
  expect(await ask("PUT", "referer", "<RefererConfiguration/>")).toMatchObject({ status: 400, code: "MalformedXML" });
});

test("other settings are put and returned, and their values are checked", async () => {
  const put = (name: string, root: string, field: string, value: string) =>
    ask("PUT", name, `<${root}><${field}>${value}</${field}></${root}>`);
  const payer = (value: string) => put("requestPayment", "RequestPaymentConfiguration", "Payer", value);
  expect((await payer("Requester")).status).toBe(200);
  expect(await text("requestPayment")).toContain("<Payer>Requester</Payer>");
  expect(await payer("Nobody")).toMatchObject({ status: 400, code: "MalformedXML" });
  expect((await put("accessmonitor", "AccessMonitorConfiguration", "Status", "Enabled")).status).toBe(200);
  expect(await text("bucketInfo")).toContain("<AccessMonitor>Enabled</AccessMonitor>");
  const capacity = (value: string) => put("qos", "BucketUserQos", "StorageCapacity", value);
  expect((await capacity("100")).status).toBe(200);
  expect(await text("qos")).toContain("<StorageCapacity>100</StorageCapacity>");
  expect(await capacity("-2")).toMatchObject({ status: 400, code: "InvalidArgument" });
  const [, id = ""] = /<ResourceGroupId>(.*?)</.exec(await text("resourceGroup")) ?? [];
  const group = (value: string) => put("resourceGroup", "BucketResourceGroupConfiguration", "ResourceGroupId", value);
  for (const known of [id, ""]) expect((await group(known)).status).toBe(200);
  expect(await text("resourceGroup")).toContain(`<ResourceGroupId>${id}</ResourceGroupId>`);
  expect(await group("rg-unknown")).toMatchObject({ status: 400, code: "ResourceGroupIdPreCheckError", ec: "0039-00000003" });
});

test("settings survive a restart, each needs its own permission, and what is missing is refused", async () => {
  await client.putBucketReferer(BUCKET, false, ["https://a.example"]);
  await fixture.restart();
  expect(await text("referer")).toContain("<Referer>https://a.example</Referer>");
  fixture.requests.length = 0;
  await ask("GET", "logging");
  await ask("DELETE", "website");
  await ask("GET", "stat");
  const resource = `acs:oss:${SHANGHAI}:${ACCOUNT}:${BUCKET}`;
  expect(fixture.requests.map((one) => `${one.action} ${one.resource}`)).toEqual(
    ["oss:GetBucketLogging", "oss:DeleteBucketWebsite", "oss:GetBucketStat"].map((action) => `${action} ${resource}`),
  );
  const nobody = fixture.client({ ...NOBODY, bucket: BUCKET });
  expect(await refusal(nobody.getBucketReferer(BUCKET))).toEqual({ status: 403, code: "AccessDenied" });
  for (const name of ["style", "accessPoint", "bucketArchiveDirectRead", "overwriteConfig"])
    expect(await ask("GET", name)).toMatchObject({ status: 501, code: "NotImplemented" });
});

test("inventories are put, listed by pages of a hundred, and deleted", async () => {
  const inventory = (method: string, id?: string, body = "", more: Record<string, string> = {}) =>
    sendSigned(
      fixture,
      { method, body },
      { bucket: BUCKET, queries: { inventory: "", ...(id === undefined ? {} : { inventoryId: id }), ...more } },
    );
  const destination =
    "<Destination><OSSBucketDestination><Format>CSV</Format><AccountId>1</AccountId><RoleArn>acs:ram::1:role/r</RoleArn>" +
    `<Bucket>acs:oss:::${BUCKET}</Bucket></OSSBucketDestination></Destination>`;
  const document = (id: string, frequency = "Daily") =>
    `<InventoryConfiguration><Id>${id}</Id><IsEnabled>true</IsEnabled>${destination}<Schedule><Frequency>${frequency}</Frequency></Schedule>` +
    "<IncludedObjectVersions>All</IncludedObjectVersions></InventoryConfiguration>";
  expect(await inventory("GET")).toMatchObject({ status: 404, code: "NoSuchInventory" });
  expect(await inventory("PUT", "a", document("b"))).toMatchObject({ status: 400, code: "MalformedXML" });
  expect(await inventory("PUT", "a", document("a", "Hourly"))).toMatchObject({ status: 400, code: "MalformedXML" });
  expect(await inventory("PUT", "a b", document("a b"))).toMatchObject({ status: 400, code: "InvalidArgument" });
  const ids = Array.from({ length: 101 }, (_, index) => `r${index}`);
  for (const id of ids) expect((await inventory("PUT", id, document(id))).status).toBe(200);
  expect(await inventory("PUT", "r0", document("r0"))).toMatchObject({ status: 409, code: "InventoryAlreadyExist" });
  expect((await inventory("GET", "r0")).body.toString()).toContain(document("r0"));
  const first = (await inventory("GET")).body.toString();
  expect(first.match(/<InventoryConfiguration>/g)).toHaveLength(100);
  expect(first).toContain("<IsTruncated>true</IsTruncated><NextContinuationToken>r98</NextContinuationToken>");
  const rest = (await inventory("GET", undefined, "", { "continuation-token": "r98" })).body.toString();
  expect(rest).toContain("<Id>r99</Id>");
  expect(rest).toContain("<IsTruncated>false</IsTruncated><ContinuationToken>r98</ContinuationToken>");
  for (let count = 0; count < 2; count++) expect((await inventory("DELETE", "r0")).status).toBe(204);
  expect(await inventory("GET", "r0")).toMatchObject({ status: 404, code: "NoSuchInventory" });
});

test("a bucket has no live channel", async () => {
  expect(await text("live")).toMatch(
    /<ListLiveChannelResult><Prefix><\/Prefix><Marker><\/Marker><MaxKeys>100<\/MaxKeys><IsTruncated>false<\/IsTruncated>/,
  );
});

test("?stat counts objects, versions and uploads", async () => {
  expect(await text("stat")).toMatch(/<Storage>0<.*<ObjectCount>0<.*<LastModifiedTime>0</);
  await client.put("standard", Buffer.from("content"));
  await client.put("cold", Buffer.from("x"), { headers: { "x-oss-storage-class": "IA" } });
  await client.put("frozen", Buffer.alloc(70_000), { headers: { "x-oss-storage-class": "Archive" } });
  const { uploadId } = await client.initMultipartUpload("unfinished");
  await client._uploadPart("unfinished", uploadId, 1, { stream: Readable.from([Buffer.from("part")]), size: 4 });
  const stat = await text("stat");
  for (const [name, value] of Object.entries({
    Storage: 70_008,
    ObjectCount: 3,
    MultipartUploadCount: 1,
    MultipartPartCount: 1,
    LiveChannelCount: 0,
    StandardStorage: 7,
    StandardObjectCount: 1,
    // A cold object counts at least 64 KiB.
    InfrequentAccessStorage: 65_536,
    InfrequentAccessRealStorage: 1,
    InfrequentAccessObjectCount: 1,
    ArchiveStorage: 70_000,
    ArchiveRealStorage: 70_000,
    ColdArchiveObjectCount: 0,
    DeleteMarkerCount: 0,
  }))
    expect(stat).toContain(`<${name}>${value}</${name}>`);
  expect(stat).toMatch(/<LastModifiedTime>\d{10}</);
  await client.putBucketVersioning(BUCKET, "Enabled");
  await client.put("standard", Buffer.from("more"));
  await client.delete("standard");
  expect(await text("stat")).toMatch(/<ObjectCount>4<.*<DeleteMarkerCount>1</);
});

test("?regions describes the regions of the server", async () => {
  const regions = (value: string, signing: object = {}) =>
    sendSigned(fixture, { method: "GET" }, { queries: { regions: value }, ...signing });
  const all = (await regions("")).body.toString();
  expect(all.match(/<RegionInfo>/g)).toHaveLength(2);
  expect((await regions("oss-us-west-1")).body.toString()).toContain(
    "<RegionInfoList><RegionInfo><Region>oss-us-west-1</Region><InternetEndpoint>oss-us-west-1.aliyuncs.com</InternetEndpoint>" +
      "<InternalEndpoint>oss-us-west-1-internal.aliyuncs.com</InternalEndpoint>" +
      "<AccelerateEndpoint>oss-accelerate.aliyuncs.com</AccelerateEndpoint></RegionInfo></RegionInfoList>",
  );
  expect(await regions("aaa")).toMatchObject({ status: 404, code: "NoSuchRegion" });
  expect(await regions("", { accessKeyId: "ak" })).toMatchObject({ status: 403, code: "InvalidAccessKeyId" });
  expect(fixture.requests.at(-1)).toMatchObject({ action: "oss:DescribeRegions", resource: `acs:oss:${SHANGHAI}:${ACCOUNT}:*` });
});
