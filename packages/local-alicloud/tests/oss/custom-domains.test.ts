import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type OSS from "ali-oss";
import { type Client, NOBODY, type OssFixture, refusal, SHANGHAI, SILICON_VALLEY, STRANGER, startFixture } from "./oss-fixture";
import { type RawAnswer, type RawRequest, type Signing, send, sendSigned, signed } from "./raw-request";

const BUCKET = "domains-of-tests";
const DOMAIN = "files.bridge.test";
let fixture: OssFixture;
let client: Client;
beforeEach(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
  await client.put("dir/a key", Buffer.from("hello"));
});
afterEach(() => fixture.stop());

const cname = (comp: string, domain: string, certificate = "", signing: Partial<Signing> = {}): Promise<RawAnswer> =>
  sendSigned(
    fixture,
    {
      method: "POST",
      body: `<BucketCnameConfiguration><Cname><Domain>${domain}</Domain>${certificate}</Cname></BucketCnameConfiguration>`,
    },
    { bucket: BUCKET, queries: { cname: "", comp }, ...signing },
  );
const listed = async () =>
  (await sendSigned(fixture, { method: "GET" }, { bucket: BUCKET, queries: { cname: "" } })).body.toString();
/** Leaves the path to a signed request as a custom domain has it: without the bucket. */
const byHost =
  (domain = DOMAIN) =>
  (request: RawRequest): void => {
    request.path = request.path.slice(BUCKET.length + 1);
    request.headers = { ...request.headers, host: domain };
  };
const domainPort = (domain = DOMAIN) => Number(new URL(fixture.oss.domains()[domain] ?? "").port);
/** ali-oss at the port of the domain, which it takes for the domain. */
const atDomain = (options: object = {}) =>
  fixture.client({
    endpoint: fixture.oss.domains()[DOMAIN],
    bucket: BUCKET,
    cname: true,
    sldEnable: false,
    ...options,
  } as Partial<OSS.Options>);

describe("the domains of a bucket", () => {
  test("are bound, listed and unbound", async () => {
    expect(await listed()).toMatch(/<ListCnameResult><Bucket>domains-of-tests<\/Bucket><Owner>\d+<\/Owner><\/ListCnameResult>/);
    expect((await cname("add", DOMAIN)).status).toBe(200);
    expect(await listed()).toMatch(
      /<Cname><Domain>files\.bridge\.test<\/Domain><LastModified>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z<\/LastModified><Status>Enabled<\/Status><\/Cname>/,
    );
    expect((await cname("delete", DOMAIN)).status).toBe(200);
    expect(await listed()).not.toContain("<Domain>");
    // The suites delete a domain that was never bound.
    expect((await cname("delete", "www.example.com")).status).toBe(200);
    expect(await cname("move", DOMAIN)).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("need a proof of ownership, for which there is a token", async () => {
    const token = async (method: string) =>
      method === "POST"
        ? cname("token", "www.example.com")
        : sendSigned(fixture, { method }, { bucket: BUCKET, queries: { comp: "token", cname: "www.example.com" } });
    expect(await token("GET")).toMatchObject({ status: 404, code: "NoSuchCname" });
    const made = (await token("POST")).body.toString();
    expect(made).toMatch(
      /<CnameToken><Bucket>domains-of-tests<\/Bucket><Cname>www\.example\.com<\/Cname><Token>[0-9a-f]{32}<\/Token><ExpireTime>.* GMT<\/ExpireTime><\/CnameToken>/,
    );
    expect((await token("POST")).body.toString()).toBe(made);
    expect((await token("GET")).body.toString()).toBe(made);
    expect(await cname("add", "www.example.com")).toMatchObject({
      status: 403,
      code: "NeedVerifyDomainOwnership",
      ec: "0018-00000115",
    });
  });

  test.each(["xyz.aliyuncs.com", "taobao.com", "no_name.test", "test", "a..test", `${"a".repeat(64)}.test`])(
    "cannot be %s",
    async (domain) => {
      expect(await cname("add", domain)).toMatchObject({ status: 400, code: "InvalidArgument", ec: "0018-00000401" });
    },
  );

  test("belong to one bucket", async () => {
    await cname("add", DOMAIN);
    expect((await cname("add", DOMAIN.toUpperCase())).status).toBe(200);
    await fixture.bucket("second-bucket");
    expect(await cname("add", DOMAIN, "", { bucket: "second-bucket" })).toMatchObject({
      status: 409,
      code: "CnameAlreadyExists",
    });
    await fixture.client(STRANGER).putBucket("stranger-bucket");
    expect(await cname("add", DOMAIN, "", { bucket: "stranger-bucket", ...STRANGER })).toMatchObject({
      status: 403,
      code: "CnameDenied",
    });
    expect((await cname("delete", DOMAIN, "", { bucket: "second-bucket" })).status).toBe(200);
    expect(await listed()).toContain(DOMAIN);
    expect(await cname("add", "other.test", "", NOBODY)).toMatchObject({ status: 403, code: "AccessDenied" });
  });

  test("can have a certificate, whose key is not kept", async () => {
    const pem = readFileSync(fixture.oss.caPath, "utf8");
    const certificate = (fields: string) => `<CertificateConfiguration>${fields}</CertificateConfiguration>`;
    const key = "<PrivateKey>-----BEGIN PRIVATE KEY-----secret</PrivateKey>";
    expect((await cname("add", DOMAIN, certificate(`<Certificate>${pem}</Certificate>${key}`))).status).toBe(200);
    expect(await listed()).toMatch(
      /<Certificate><Type>CAS<\/Type><CertId>\d+-cn-shanghai<\/CertId><Status>Enabled<\/Status><CreationDate>.* GMT<\/CreationDate><Fingerprint>(?:[0-9A-F]{2}:){19}[0-9A-F]{2}<\/Fingerprint><ValidStartDate>.* GMT<\/ValidStartDate><ValidEndDate>.* GMT<\/ValidEndDate><\/Certificate>/,
    );
    const record = readFileSync(join(fixture.dataDir, "buckets", BUCKET, "bucket.json"), "utf8");
    expect(record).not.toContain("PRIVATE KEY");
    expect((await cname("add", DOMAIN)).status).toBe(200);
    expect(await listed()).toContain("<Certificate>");
    expect((await cname("add", DOMAIN, certificate("<CertId>493-cn-hangzhou</CertId>"))).status).toBe(200);
    expect(await listed()).toContain("<CertId>493-cn-hangzhou</CertId>");
    expect((await cname("add", DOMAIN, certificate("<DeleteCertificate>true</DeleteCertificate>"))).status).toBe(200);
    expect(await listed()).not.toContain("<Certificate>");
    for (const fields of ["", "<Certificate>none</Certificate>"])
      expect(await cname("add", DOMAIN, certificate(fields))).toMatchObject({ status: 400, code: "InvalidArgument" });
  });
});

describe("requests by a custom domain", () => {
  beforeEach(async () => {
    await cname("add", DOMAIN);
  });
  const target = { bucket: BUCKET, key: "dir/a key" };
  const get = { method: "GET" };

  test("are for the bucket when it is their Host, with signatures of the bucket and key", async () => {
    const answer = await sendSigned(fixture, get, target, byHost());
    expect(answer).toMatchObject({ status: 200, body: Buffer.from("hello") });
    expect(await sendSigned(fixture, get, target, byHost(`${DOMAIN.toUpperCase()}:8443`))).toMatchObject({ status: 200 });
    expect((await sendSigned(fixture, get, { bucket: BUCKET }, byHost())).body.toString()).toContain("<Key>dir/a key</Key>");
    const signedHost = { ...target, additionalHeaders: ["host"] };
    const raw = { ...get, headers: { host: DOMAIN } };
    expect(await sendSigned(fixture, raw, signedHost, byHost())).toMatchObject({ status: 200 });
    expect(await sendSigned(fixture, raw, signedHost, byHost(`${DOMAIN}:1`))).toMatchObject({ code: "SignatureDoesNotMatch" });
    expect(await sendSigned(fixture, get, { ...target, key: "other" }, byHost())).toMatchObject({ code: "NoSuchKey" });
  });

  test("of no bucket are refused", async () => {
    const absent = { status: 404, code: "NoSuchCname", headers: { "x-oss-ec": expect.any(String) } };
    expect(await sendSigned(fixture, get, target, byHost("other.bridge.test"))).toMatchObject(absent);
    await cname("delete", DOMAIN);
    expect(await sendSigned(fixture, get, target, byHost())).toMatchObject(absent);
    await cname("add", DOMAIN);
    expect(await send(fixture, { ...get, path: "/key", port: domainPort() })).toMatchObject({
      status: 403,
      code: "AccessDenied",
    });
  });

  const isFree = async (port: number) => {
    const probe = createServer();
    await new Promise<void>((resolve, reject) => probe.once("error", reject).listen(port, "127.0.0.1", resolve));
    await new Promise((resolve) => probe.close(resolve));
  };

  test("free their port when they are unbound, and answer the request that does it there", async () => {
    const port = domainPort();
    const remove = signed(
      { method: "POST", body: `<BucketCnameConfiguration><Cname><Domain>${DOMAIN}</Domain></Cname></BucketCnameConfiguration>` },
      { bucket: BUCKET, queries: { cname: "", comp: "delete" } },
    );
    expect(await send(fixture, { ...remove, path: remove.path.slice(BUCKET.length + 1), port })).toMatchObject({ status: 200 });
    expect(fixture.oss.domains()).toEqual({});
    await isFree(port);
  });

  test("free their port with their bucket", async () => {
    const port = domainPort();
    await client.delete("dir/a key");
    await client.deleteBucket(BUCKET);
    expect(fixture.oss.domains()).toEqual({});
    await isFree(port);
  });

  test.each([true, false])(
    "pass at the domain's own port whatever their Host is, from ali-oss (V4: %s)",
    async (authorizationV4) => {
      const byDomain = atDomain({ authorizationV4 });
      expect((await byDomain.get("dir/a key")).content.toString()).toBe("hello");
      await byDomain.put("b", Buffer.from("by domain"));
      expect((await client.get("b")).content.toString()).toBe("by domain");
      expect((await byDomain.list({ "max-keys": 10 }, {})).objects.map(({ name }) => name)).toEqual(["b", "dir/a key"]);
      expect(await refusal(atDomain({ authorizationV4, accessKeySecret: "wrong" }).get("b"))).toEqual({
        status: 403,
        code: "SignatureDoesNotMatch",
      });
    },
  );

  test.each<[string, (from: Client) => Promise<string>]>([
    ["V4", (from) => from.signatureUrlV4("GET", 60, {}, "dir/a key")],
    ["V1", async (from) => from.signatureUrl("dir/a key", { expires: 60 })],
  ])("may be URLs that are signed with %s", async (_version, sign) => {
    const url = new URL(await sign(atDomain()));
    expect(url.pathname).toBe("/dir/a%20key");
    const at = (more: Partial<RawRequest>) => send(fixture, { method: "GET", path: url.pathname + url.search, ...more });
    expect(await at({ port: domainPort() })).toMatchObject({ status: 200, body: Buffer.from("hello") });
    expect(await at({ headers: { host: DOMAIN } })).toMatchObject({ status: 200, body: Buffer.from("hello") });
    expect(await at({ headers: { host: DOMAIN }, region: SILICON_VALLEY })).toMatchObject({ status: 403, code: "AccessDenied" });
  });

  test("have a port after a restart, too, and say which", async () => {
    await fixture.restart();
    expect(Object.keys(fixture.oss.domains())).toEqual([DOMAIN]);
    expect((await atDomain().get("dir/a key")).content.toString()).toBe("hello");
  });

  test("may be for the settings of the bucket, and create no bucket", async () => {
    expect((await atDomain().getBucketInfo(BUCKET)).bucket).toMatchObject({ Name: BUCKET, Location: `oss-${SHANGHAI}` });
    const put = signed({ method: "PUT", body: "" }, { bucket: BUCKET });
    expect(await send(fixture, { ...put, path: "/", port: domainPort() })).toMatchObject({ status: 403, code: "AccessDenied" });
  });
});

test("an owner of domains may bind them, and is told their ports", async () => {
  const origins = new Map<string, string>();
  const other = await startFixture({
    ownsDomain: (domain) => domain.endsWith(".example.com"),
    onDomain: (domain, origin) => (origin === undefined ? origins.delete(domain) : origins.set(domain, origin)),
  });
  await other.bucket(BUCKET);
  const add = (domain: string) => change("add", domain);
  const change = (comp: string, domain: string) =>
    sendSigned(
      other,
      { method: "POST", body: `<BucketCnameConfiguration><Cname><Domain>${domain}</Domain></Cname></BucketCnameConfiguration>` },
      { bucket: BUCKET, queries: { cname: "", comp } },
    );
  expect((await add("www.example.com")).status).toBe(200);
  expect(await add(DOMAIN)).toMatchObject({ code: "NeedVerifyDomainOwnership" });
  expect([...origins.keys()]).toEqual(["www.example.com"]);
  expect([...origins]).toEqual(Object.entries(other.oss.domains()));
  expect((await change("delete", "www.example.com")).status).toBe(200);
  expect(origins.size).toBe(0);
  await other.stop();
});
