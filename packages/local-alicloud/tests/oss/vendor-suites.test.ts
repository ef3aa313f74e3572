/** Answers that the vendor's own suites expect (`npm run test:judges` runs them), where the documentation says nothing or something else. */
import { createHash, createHmac } from "node:crypto";
import { Readable } from "node:stream";
import { type Client, NOBODY, type OssFixture, ROOT, refusal, STRANGER, startFixture } from "./oss-fixture";
import { type RawAnswer, send, sendBytes, sendSigned, signed } from "./raw-request";

const BUCKET = "vendor-suites";
let fixture: OssFixture;
let client: Client;
beforeEach(async () => {
  fixture = await startFixture();
  client = fixture.client({ bucket: BUCKET });
  await client.putBucket(BUCKET);
});
afterEach(() => fixture.stop());

interface Ask {
  method: string;
  key?: string;
  queries: Record<string, string>;
  body?: string;
  headers?: Record<string, string>;
  bucket?: string;
}

const ask = ({ method, key = "", queries, body = "", headers = {}, bucket = BUCKET }: Ask): Promise<RawAnswer> =>
  sendSigned(fixture, { method, body, headers }, { bucket, key, queries });
const setting = (method: string, name: string, body = "") => ask({ method, queries: { [name]: "" }, body });
const textOf = async (name: string) => (await setting("GET", name)).body.toString();

test("the ETag of an upload is the digest of its parts' ETags as text in upper case", async () => {
  const { uploadId } = await client.initMultipartUpload("key");
  const parts = [Buffer.alloc(100 * 1024, "a"), Buffer.from("b")];
  const named = [];
  for (const [index, part] of parts.entries()) {
    const data = { stream: Readable.from([part]), size: part.length };
    const { etag } = await client._uploadPart("key", uploadId, index + 1, data);
    named.push({ number: index + 1, etag });
  }
  await client.completeMultipartUpload("key", uploadId, named);
  const md5 = (bytes: Buffer | string) => createHash("md5").update(bytes).digest("hex").toUpperCase();
  const { res } = await client.head("key");
  expect((res.headers as Record<string, string>).etag).toBe(`"${md5(parts.map(md5).join(""))}-2"`);
});

describe("an append", () => {
  const append = (position: number, headers: Record<string, string> = {}) =>
    ask({ method: "POST", key: "log", queries: { append: "", position: String(position) }, body: "x", headers });

  test("after the first one sets the ACL and nothing else", async () => {
    await append(0, { "x-oss-object-acl": "private", "x-oss-meta-a": "1" });
    expect(await append(1, { "x-oss-object-acl": "public-read", "x-oss-meta-a": "2" })).toMatchObject({ status: 200 });
    expect((await client.getACL("log")).acl).toBe("public-read");
    expect((await client.head("log")).meta).toEqual({ a: "1" });
  });

  test("after a delete marker creates a version", async () => {
    await client.putBucketVersioning(BUCKET, "Enabled");
    await append(0);
    await client.delete("log");
    expect(await append(0)).toMatchObject({ status: 200 });
    expect((await client.getBucketVersions({})).objects).toHaveLength(2);
  });
});

test("the restore of a version answers its id, and a listing shows the restore", async () => {
  await client.putBucketVersioning(BUCKET, "Enabled");
  const { res } = await client.put("cold", Buffer.from("x"), { headers: { "x-oss-storage-class": "Archive" } });
  const versionId = (res.headers as Record<string, string>)["x-oss-version-id"];
  expect((await ask({ method: "POST", key: "cold", queries: { restore: "" } })).headers["x-oss-version-id"]).toBe(versionId);
  const shown = "<RestoreInfo>ongoing-request=&quot;true&quot;</RestoreInfo>";
  for (const queries of [{ "list-type": "2" }, { prefix: "" }, { versions: "" }])
    expect((await ask({ method: "GET", queries })).body.toString().replaceAll('"', "&quot;")).toContain(shown);
});

test("a restore of an Archive object takes no tier", async () => {
  await client.put("cold", Buffer.from("x"), { headers: { "x-oss-storage-class": "Archive" } });
  const body = "<RestoreRequest><Days>1</Days><JobParameters><Tier>Bulk</Tier></JobParameters></RestoreRequest>";
  const restore = { method: "POST", key: "cold", queries: { restore: "" }, body };
  expect(await ask(restore)).toMatchObject({ status: 400, code: "MalformedXML" });
});

test("a symlink is deleted, also with the parameter that names it", async () => {
  await client.putSymlink("link", "target", {} as never);
  expect((await ask({ method: "DELETE", key: "link", queries: { symlink: "" } })).status).toBe(204);
  expect(await refusal(client.getSymlink("link"))).toMatchObject({ status: 404 });
});

test("a website has routing rules and no index", async () => {
  const rule = "<RoutingRule><RuleNumber>1</RuleNumber><Condition><KeyPrefixEquals>a</KeyPrefixEquals></Condition></RoutingRule>";
  const website = (rules: string) =>
    `<WebsiteConfiguration><IndexDocument><Suffix></Suffix></IndexDocument>${rules}</WebsiteConfiguration>`;
  expect(await setting("PUT", "website", website(`<RoutingRules>${rule}</RoutingRules>`))).toMatchObject({ status: 200 });
  expect(await setting("PUT", "website", website(""))).toMatchObject({ status: 400, code: "InvalidArgument" });
});

test("booleans in stored settings come back in lower case", async () => {
  const body =
    "<WebsiteConfiguration><IndexDocument><Suffix>i.html</Suffix><SupportSubDir>True</SupportSubDir></IndexDocument></WebsiteConfiguration>";
  await setting("PUT", "website", body);
  expect(await textOf("website")).toContain("<SupportSubDir>true</SupportSubDir>");
});

test("a TLS version that is named twice is kept once", async () => {
  const version = "<TLSVersion>TLSv1.3</TLSVersion>";
  await setting(
    "PUT",
    "httpsConfig",
    `<HttpsConfiguration><TLS><Enable>true</Enable>${version}${version}</TLS></HttpsConfiguration>`,
  );
  expect(await textOf("httpsConfig")).toContain(`<Enable>true</Enable>${version}</TLS>`);
});

test("the cipher suites of the https configuration come back", async () => {
  const suites =
    "<Enable>true</Enable><StrongCipherSuite>false</StrongCipherSuite><CustomCipherSuite>ECDHE-RSA-AES128-GCM-SHA256</CustomCipherSuite>";
  const tls = "<TLS><Enable>true</Enable><TLSVersion>TLSv1.3</TLSVersion></TLS>";
  const read = async () => (await setting("GET", "httpsConfig")).body.toString();
  await setting("PUT", "httpsConfig", `<HttpsConfiguration>${tls}<CipherSuite>${suites}</CipherSuite></HttpsConfiguration>`);
  expect(await read()).toContain(`<CipherSuite>${suites}</CipherSuite>`);
  await setting("PUT", "httpsConfig", `<HttpsConfiguration>${tls}</HttpsConfiguration>`);
  expect(await read()).not.toContain("CipherSuite");
});

test("public access is open in new buckets of a server that does not block it", async () => {
  const older = await startFixture({ newBucketsBlockPublicAccess: false });
  try {
    const owner = older.client({ bucket: BUCKET });
    await owner.putBucket(BUCKET);
    await owner.putBucketACL(BUCKET, "public-read");
    expect((await owner.getBucketInfo(BUCKET)).bucket).toMatchObject({ BlockPublicAccess: "false" });
  } finally {
    await older.stop();
  }
});

test("transfer acceleration is deleted", async () => {
  await setting(
    "PUT",
    "transferAcceleration",
    "<TransferAccelerationConfiguration><Enabled>true</Enabled></TransferAccelerationConfiguration>",
  );
  expect((await setting("DELETE", "transferAcceleration")).status).toBe(204);
  expect(await setting("GET", "transferAcceleration")).toMatchObject({ code: "NoSuchTransferAccelerationConfiguration" });
});

test("a CORS rule names headers in lower case", async () => {
  const rule = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>X-Name</AllowedHeader>";
  await setting("PUT", "cors", `<CORSConfiguration><CORSRule>${rule}</CORSRule></CORSConfiguration>`);
  expect(await textOf("cors")).toContain("<AllowedHeader>x-name</AllowedHeader>");
});

test("PutBucketAcl creates a bucket that does not exist, with both permissions", async () => {
  const created = fixture.client({ bucket: "by-its-acl" });
  await created.putBucketACL("by-its-acl", "public-read");
  expect(fixture.requests.slice(-2).map(({ action }) => action)).toEqual(["oss:PutBucketAcl", "oss:PutBucket"]);
  expect((await created.getBucketInfo("by-its-acl")).bucket).toMatchObject({ AccessControlList: { Grant: "public-read" } });
  expect(await refusal(fixture.client(STRANGER).putBucketACL("by-its-acl", "private"))).toMatchObject({ code: "AccessDenied" });
  expect(await refusal(fixture.client(NOBODY).putBucketACL("by-nobody", "private"))).toMatchObject({ code: "AccessDenied" });
  const wrong = fixture.client({ accessKeyId: "LTAIWRONG", accessKeySecret: "x" });
  expect(await refusal(wrong.putBucketACL("by-nobody", "private"))).toMatchObject({ code: "InvalidAccessKeyId" });
});

test("an ACL that is put answers the bucket", async () => {
  expect(((await client.putBucketACL(BUCKET, "private")) as unknown as { bucket: string }).bucket).toBe(BUCKET);
});

test("a bucket is created with an encryption", async () => {
  const headers = { "x-oss-server-side-encryption": "KMS", "x-oss-server-side-data-encryption": "SM4" };
  await ask({ method: "PUT", queries: {}, headers, bucket: "encrypted" });
  const { encryption } = await fixture.client({ bucket: "encrypted" }).getBucketEncryption("encrypted");
  expect(encryption).toMatchObject({ SSEAlgorithm: "KMS", KMSDataEncryption: "SM4" });
});

test("a stream with its length and in chunks is taken", async () => {
  const headers = { "Content-Length": 2 };
  await client.put("key", Readable.from([Buffer.from("ab")]), { headers });
  expect(String((await client.get("key")).content)).toBe("ab");
});

test("arguments that can name nothing are refused", async () => {
  expect(await refusal(client.listBuckets({ prefix: "Upper" }))).toEqual({ status: 400, code: "InvalidArgument" });
  const long = "a".repeat(1025);
  for (const name of ["prefix", "delimiter", "key-marker"])
    expect(await ask({ method: "GET", queries: { versions: "", [name]: long } })).toMatchObject({ code: "InvalidArgument" });
  const body = "<Delete><Object><Key>k</Key><VersionId>234</VersionId></Object></Delete>";
  const headers = { "content-md5": createHash("md5").update(body).digest("base64") };
  expect(await ask({ method: "POST", queries: { delete: "" }, body, headers })).toMatchObject({ code: "InvalidArgument" });
});

test("a preflight is answered by the CORS rules, whoever signed it", async () => {
  const headers = { origin: "http://example.com", "access-control-request-method": "GET" };
  const request = { method: "OPTIONS", headers };
  const signing = { bucket: BUCKET, key: "k", accessKeyId: "LTAIWRONG" };
  expect(await sendSigned(fixture, request, signing)).toMatchObject({ status: 403, code: "AccessForbidden" });
});

test("the last page of uploads names its last upload, too", async () => {
  const { uploadId } = await client.initMultipartUpload("key");
  const text = await textOf("uploads");
  expect(text).toContain(`<NextKeyMarker>key</NextKeyMarker><NextUploadIdMarker>${uploadId}</NextUploadIdMarker>`);
  expect(text).toContain("<IsTruncated>false</IsTruncated>");
});

test("the parts of an upload come with what its client encrypted it by", async () => {
  const of = (name: string) => `x-oss-meta-client-side-encryption-${name}`;
  const headers = {
    ...{ [of("key")]: "the-key", [of("start")]: "the-start", [of("cek-alg")]: "AES/CTR/NoPadding" },
    ...{ [of("wrap-alg")]: "RSA/NONE/PKCS1Padding", [of("data-size")]: "308445", [of("part-size")]: "102400" },
  };
  const started = await ask({ method: "POST", key: "key", queries: { uploads: "" }, headers });
  const uploadId = /<UploadId>(.*)<\/UploadId>/.exec(started.body.toString())?.[1] ?? "";
  const parts = (await ask({ method: "GET", key: "key", queries: { uploadId } })).body.toString();
  expect(parts).toContain(
    "<ClientEncryptionKey>the-key</ClientEncryptionKey><ClientEncryptionStart>the-start</ClientEncryptionStart>" +
      "<ClientEncryptionCekAlg>AES/CTR/NoPadding</ClientEncryptionCekAlg>" +
      "<ClientEncryptionWrapAlg>RSA/NONE/PKCS1Padding</ClientEncryptionWrapAlg>" +
      "<ClientEncryptionDataSize>308445</ClientEncryptionDataSize><ClientEncryptionPartSize>102400</ClientEncryptionPartSize>",
  );
  const plain = await client.initMultipartUpload("plain");
  expect((await ask({ method: "GET", key: "plain", queries: { uploadId: plain.uploadId } })).body.toString()).not.toContain(
    "Client",
  );
});

// Users of OSS report this answer, also for If-Match and If-None-Match; aliyun-oss-go-sdk expects a refusal.
test.each(["If-Modified-Since", "If-Unmodified-Since", "If-Match", "If-None-Match"])("a PUT with %s is refused", async (name) => {
  const value = name.endsWith("Since") ? new Date(0).toUTCString() : "*";
  expect(await ask({ method: "PUT", key: "key", queries: {}, body: "x", headers: { [name]: value } })).toMatchObject({
    status: 501,
    code: "NotImplemented",
  });
  expect(await refusal(client.head("key"))).toMatchObject({ status: 404 });
});

test("a mirror rule is shown with its defaults", async () => {
  const rule = (redirect: string) =>
    `<WebsiteConfiguration><RoutingRules><RoutingRule><RuleNumber>1</RuleNumber><Redirect>${redirect}</Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>`;
  const mirror = "<RedirectType>Mirror</RedirectType><MirrorURL>http://example.com/</MirrorURL>";
  await setting("PUT", "website", rule(`${mirror}<MirrorHeaders><Pass>a</Pass></MirrorHeaders>`));
  const shown = await textOf("website");
  for (const element of [
    "<PassQueryString>false</PassQueryString>",
    "<MirrorPassQueryString>false</MirrorPassQueryString>",
    "<MirrorFollowRedirect>true</MirrorFollowRedirect>",
    "<MirrorCheckMd5>false</MirrorCheckMd5>",
    "<MirrorHeaders><PassAll>false</PassAll><Pass>a</Pass></MirrorHeaders>",
  ])
    expect(shown).toContain(element);
  await setting("PUT", "website", rule(`${mirror}<MirrorPassQueryString>true</MirrorPassQueryString>`));
  expect(await textOf("website")).toContain("<PassQueryString>true</PassQueryString>");
  for (const broken of [rule("<RedirectType>Mirror</RedirectType>"), rule(mirror).replace(">1<", ">0<")])
    expect(await setting("PUT", "website", broken)).toMatchObject({ status: 400, code: "InvalidArgument" });
});

test("a signature of version 1 covers cleanRestoredObject and userDefinedLogFieldsConfig", async () => {
  const date = new Date().toUTCString();
  const sign = (text: string) =>
    `OSS ${ROOT.accessKeyId}:${createHmac("sha1", ROOT.accessKeySecret).update(text).digest("base64")}`;
  const send1 = (method: string, resource: string) => {
    const authorization = sign(`${method}\n\n\n${date}\n/${BUCKET}/${resource}`);
    return send(fixture, { method, path: `/${BUCKET}/${resource}`, headers: { date, authorization, "content-length": "0" } });
  };
  expect(await send1("GET", "?userDefinedLogFieldsConfig")).toMatchObject({ code: "NoSuchUserDefinedLogFieldsConfig" });
  expect(await send1("POST", "absent?cleanRestoredObject")).toMatchObject({ code: "NoSuchKey" });
});

test("a signature for no region says so", async () => {
  const answer = await sendSigned(fixture, { method: "GET" }, { bucket: BUCKET, region: "None" });
  expect(answer).toMatchObject({ status: 400, code: "InvalidArgument" });
  expect(answer.body.toString()).toContain("<Message>The signing region in credential is invalid.</Message>");
});

test("a read that announces a body ends its connection, because the body may never come", async () => {
  await client.put("key", Buffer.from("hello"));
  const request = signed({ method: "GET", headers: { "content-length": "9" } }, { bucket: BUCKET, key: "key" });
  const answer = await sendBytes(fixture, request, Buffer.alloc(0), { hangUp: false });
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*connection: close\r\n/i);
});

test("with access monitoring an object has a last access time", async () => {
  await client.put("key", Buffer.from("hello"));
  const meta = () => ask({ method: "HEAD", key: "key", queries: { objectMeta: "" } });
  expect((await meta()).headers).not.toHaveProperty("x-oss-last-access-time");
  await setting("PUT", "accessmonitor", "<AccessMonitorConfiguration><Status>Enabled</Status></AccessMonitorConfiguration>");
  const at = String((await meta()).headers["x-oss-last-access-time"]);
  expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000);
});

test("an inventory names its bucket in full and one encryption, and has the classes of its filter in order", async () => {
  const inventory = (bucket: string) =>
    "<InventoryConfiguration><Id>report</Id><IsEnabled>true</IsEnabled><Destination><OSSBucketDestination><Format>CSV</Format>" +
    `<AccountId>1234567890123456</AccountId><RoleArn>acs:ram::1234567890123456:role/r</RoleArn><Bucket>${bucket}</Bucket>` +
    "</OSSBucketDestination></Destination><Filter><StorageClass>Standard,IA</StorageClass></Filter><Schedule><Frequency>Daily</Frequency></Schedule>" +
    "<IncludedObjectVersions>All</IncludedObjectVersions></InventoryConfiguration>";
  const put = (bucket: string) =>
    ask({ method: "PUT", queries: { inventory: "", inventoryId: "report" }, body: inventory(bucket) });
  expect(await put("test")).toMatchObject({ status: 400, code: "InvalidArgument" });
  const both = "<Encryption><SSE-KMS><KeyId>k</KeyId></SSE-KMS><SSE-OSS/></Encryption></OSSBucketDestination>";
  const body = inventory(`acs:oss:::${BUCKET}`).replace("</OSSBucketDestination>", both);
  const twice = await ask({ method: "PUT", queries: { inventory: "", inventoryId: "report" }, body });
  expect(twice).toMatchObject({ status: 400, code: "MalformedXML" });
  expect((await put(`acs:oss:::${BUCKET}`)).status).toBe(200);
  const shown = await ask({ method: "GET", queries: { inventory: "", inventoryId: "report" } });
  expect(shown.body.toString()).toContain("<StorageClass>IA,Standard</StorageClass>");
});
