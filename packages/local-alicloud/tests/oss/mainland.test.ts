/** The public hosts of OSS: what an account that activated OSS on or after 2025-03-20 is refused there, and downloads of browsers. */
import type OSS from "ali-oss";
import { type Client, type OssFixture, refusal, SHANGHAI, SILICON_VALLEY, startFixture } from "./oss-fixture";
import { type RawAnswer, type RawRequest, send, sendSigned } from "./raw-request";

const BUCKET = "mainland-of-tests";
const ABROAD = "abroad-of-tests";
const DOMAIN = "files.bridge.test";
const FORBIDDEN = { status: 400, code: "PublicEndpointForbidden" };
let fixture: OssFixture;

const bind = (bucket: string, domain: string) =>
  sendSigned(
    fixture,
    { method: "POST", body: `<BucketCnameConfiguration><Cname><Domain>${domain}</Domain></Cname></BucketCnameConfiguration>` },
    { bucket, queries: { cname: "", comp: "add" } },
  );
const accelerate = (bucket: string) =>
  sendSigned(
    fixture,
    { method: "PUT", body: "<TransferAccelerationConfiguration><Enabled>true</Enabled></TransferAccelerationConfiguration>" },
    { bucket, queries: { transferAcceleration: "" } },
  );
const atDomain = (bucket: string) =>
  fixture.client({ endpoint: fixture.oss.domains()[DOMAIN], bucket, cname: true, sldEnable: false } as Partial<OSS.Options>);

describe("with the rule of 2025, data of the mainland at the public endpoint", () => {
  let client: Client;
  let inside: Client;
  beforeAll(async () => {
    fixture = await startFixture({ blockMainlandPublicData: true });
    client = await fixture.bucket(BUCKET);
    inside = fixture.client({ bucket: BUCKET, kind: "internal" });
    await inside.put("key", Buffer.from("x"));
  });
  afterAll(() => fixture.stop());

  test.each<[string, () => Promise<unknown>]>([
    ["GetObject", () => client.get("key")],
    ["PutObject", () => client.put("other", Buffer.from("x"))],
    ["DeleteObject", () => client.delete("key")],
    ["CopyObject", () => client.copy("copy", "key")],
    ["DeleteMultipleObjects", () => client.deleteMulti(["key"])],
    ["InitiateMultipartUpload", () => client.initMultipartUpload("upload")],
    ["ListObjects", () => client.list({ "max-keys": 1 }, {})],
    ["ListObjectsV2", () => client.listV2({ "max-keys": "1" } as never)],
    ["ListObjectVersions", () => client.getBucketVersions({ "max-keys": 1 })],
    ["ListMultipartUploads", () => client.listUploads({ "max-uploads": 1 }, {})],
  ])("is refused: %s", async (_name, call) => {
    expect(await refusal(call())).toEqual(FORBIDDEN);
  });

  test("is refused to signed URLs and to anybody, with the vendor's code", async () => {
    const url = new URL(await client.signatureUrlV4("GET", 60, {}, "key"));
    for (const path of [url.pathname + url.search, `/${BUCKET}/key`])
      expect(await send(fixture, { method: "GET", path })).toMatchObject({ ...FORBIDDEN, ec: "0048-00000401" });
    expect(await send(fixture, { method: "HEAD", path: `/${BUCKET}/key` })).toMatchObject({
      ...FORBIDDEN,
      headers: { "x-oss-ec": "0048-00000401" },
    });
    const host = `${BUCKET}.oss-${SHANGHAI}.aliyuncs.com`;
    expect(await send(fixture, { method: "GET", path: "/key", headers: { host } })).toMatchObject(FORBIDDEN);
  });

  test("is served inside the region, by a custom domain, and with acceleration", async () => {
    expect((await inside.get("key")).content.toString()).toBe("x");
    await bind(BUCKET, DOMAIN);
    expect((await atDomain(BUCKET).get("key")).content.toString()).toBe("x");
    const byHost = (request: RawRequest) => {
      request.path = "/key";
      request.headers = { ...request.headers, host: DOMAIN };
    };
    expect(await sendSigned(fixture, { method: "GET" }, { bucket: BUCKET, key: "key" }, byHost)).toMatchObject({ status: 200 });
    await accelerate(BUCKET);
    expect((await fixture.client({ bucket: BUCKET, kind: "accelerate" }).get("key")).content.toString()).toBe("x");
  });

  test("does not concern settings of buckets and other regions", async () => {
    expect((await client.getBucketInfo(BUCKET)).bucket).toMatchObject({ Name: BUCKET });
    await client.putBucketTags(BUCKET, { a: "1" });
    const abroad = await fixture.bucket(ABROAD, SILICON_VALLEY);
    await abroad.put("key", Buffer.from("x"));
    expect((await abroad.get("key")).content.toString()).toBe("x");
  });
});

test("without the rule, the public endpoint of the mainland serves data", async () => {
  fixture = await startFixture();
  const client = await fixture.bucket(BUCKET);
  await client.put("key", Buffer.from("x"));
  expect((await client.get("key")).content.toString()).toBe("x");
  await fixture.stop();
});

describe("packages of apps", () => {
  let client: Client;
  beforeAll(async () => {
    fixture = await startFixture();
    client = await fixture.bucket(BUCKET);
    await client.put("app.apk", Buffer.from("x"));
    await client.put("App.IPA", Buffer.from("x"));
    await client.put("typed", Buffer.from("x"), { mime: "application/vnd.android.package-archive" });
    await client.put("other.zip", Buffer.from("x"));
    await bind(BUCKET, DOMAIN);
    await accelerate(BUCKET);
  });
  afterAll(() => fixture.stop());

  const urls = async (key: string): Promise<string[]> =>
    [await client.signatureUrlV4("GET", 60, {}, key), client.signatureUrl(key, { expires: 60 })].map((url) => {
      const { pathname, search } = new URL(url);
      return pathname + search;
    });
  const get = async (key: string, more: Partial<RawRequest> = {}): Promise<RawAnswer[]> =>
    Promise.all((await urls(key)).map((path) => send(fixture, { method: "GET", path, ...more })));

  test.each(["app.apk", "App.IPA", "typed"])("are refused to URLs of a host of OSS: %s", async (key) => {
    for (const answer of await get(key))
      expect(answer).toMatchObject({ status: 400, code: "ApkDownloadForbidden", ec: "0048-00000200" });
    for (const answer of await get(key, { kind: "accelerate" }))
      expect(answer).toMatchObject({ status: 400, code: "ApkDownloadForbidden", ec: "0048-00000203" });
  });

  test("are served to requests with a signature in the header, inside the region, and by a custom domain", async () => {
    expect((await client.get("app.apk")).content.toString()).toBe("x");
    for (const answer of await get("app.apk", { kind: "internal" })) expect(answer.status).toBe(200);
    const byDomain = atDomain(BUCKET);
    const url = new URL(await byDomain.signatureUrlV4("GET", 60, {}, "app.apk"));
    const { port } = new URL(fixture.oss.domains()[DOMAIN] ?? "");
    expect(await send(fixture, { method: "GET", path: url.pathname + url.search, port: Number(port) })).toMatchObject({
      status: 200,
    });
  });

  test("are all that is refused", async () => {
    for (const answer of await get("other.zip")) expect(answer.status).toBe(200);
    const path = new URL(await client.signatureUrlV4("HEAD", 60, {}, "app.apk"));
    expect((await send(fixture, { method: "HEAD", path: path.pathname + path.search })).status).toBe(200);
  });
});

describe("pages and images", () => {
  let client: Client;
  beforeAll(async () => {
    fixture = await startFixture();
    client = await fixture.bucket(BUCKET);
    await bind(BUCKET, DOMAIN);
  });
  afterAll(() => fixture.stop());

  const seen = ({ headers }: RawAnswer) => [headers["x-oss-force-download"], headers["content-disposition"]];
  const pathOf = (url: string) => {
    const { pathname, search } = new URL(url);
    return pathname + search;
  };
  const open = async (key: string, more: Partial<RawRequest> = {}): Promise<RawAnswer> => {
    const { method = "GET" } = more;
    return send(fixture, { method, path: pathOf(await client.signatureUrlV4(method, 60, {}, key)), ...more });
  };

  test.each<[string, string, Record<string, string>, [string | undefined, string | undefined]]>([
    ["page", "text/html; charset=utf-8", {}, ["true", "attachment"]],
    ["page.html", "text/plain", {}, ["true", "attachment"]],
    ["picture.png", "image/png", {}, ["true", "attachment"]],
    ["picture", "image/svg+xml", { "content-disposition": "inline" }, ["true", "attachment"]],
    ["named", "image/png", { "content-disposition": 'attachment; filename="a.png"' }, ["true", 'attachment; filename="a.png"']],
    ["text", "text/plain", {}, [undefined, undefined]],
    ["film", "video/mp4", { "content-disposition": "inline" }, [undefined, "inline"]],
  ])("%s of type %s with %j: a browser at a host of OSS gets %j", async (key, type, headers, expected) => {
    const upload = { method: "PUT", body: "x", headers: { "content-length": "1", "content-type": type, ...headers } };
    expect((await sendSigned(fixture, upload, { bucket: BUCKET, key })).status).toBe(200);
    expect(seen(await open(key))).toEqual(expected);
    expect(seen(await open(key, { method: "HEAD" }))).toEqual(expected);
    const own = [undefined, headers["content-disposition"]];
    expect(seen(await open(key, { kind: "internal" }))).toEqual(own);
    expect(seen(await sendSigned(fixture, { method: "GET" }, { bucket: BUCKET, key }))).toEqual(own);
    const path = pathOf(await atDomain(BUCKET).signatureUrlV4("GET", 60, {}, key));
    const port = Number(new URL(fixture.oss.domains()[DOMAIN] ?? "").port);
    expect(seen(await send(fixture, { method: "GET", path, port }))).toEqual(own);
  });
});
