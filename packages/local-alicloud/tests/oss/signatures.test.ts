import { createHash, createHmac } from "node:crypto";
import type OSS from "ali-oss";
import {
  type Client,
  EXPIRED,
  NOBODY,
  type OssFixture,
  ROOT,
  refusal,
  SILICON_VALLEY,
  STRANGER,
  STS,
  startFixture,
} from "./oss-fixture";
import { ossDate, type RawRequest, send, sendSigned } from "./raw-request";

const BUCKET = "signatures-of-tests";
let fixture: OssFixture;
let client: Client;
beforeAll(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
  await client.put("a key", Buffer.from("hello"));
  await client.put("other", Buffer.from("other"));
});
afterAll(() => fixture.stop());

/** Fetches a URL without normalising it. */
const fetchUrl = (url: string, more: Partial<RawRequest> = {}) => {
  const { pathname, search } = new URL(url);
  return send(fixture, { method: "GET", path: pathname + search, ...more });
};

const of = (options: object) => fixture.client({ bucket: BUCKET, ...options } as Partial<OSS.Options>);
const v4Url = (from: Client, method = "GET", expires = 60, key = "a key", request: object = {}, additional?: string[]) =>
  from.signatureUrlV4(method, expires, request, key, additional);

describe.each([
  ["V4", (from: Client, key = "a key", method: "GET" | "PUT" = "GET") => v4Url(from, method, 60, key)],
  ["V1", async (from: Client, key = "a key", method: "GET" | "PUT" = "GET") => from.signatureUrl(key, { method, expires: 60 })],
] as const)("URLs signed with %s", (version, sign) => {
  test("return the whole body", async () => {
    const answer = await fetchUrl(await sign(client));
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body.toString()).toBe("hello");
  });

  test("allow an upload", async () => {
    const answer = await fetchUrl(await sign(client, "uploaded", "PUT"), {
      method: "PUT",
      body: "by url",
      headers: { "content-length": "6" },
    });
    expect(answer.status).toBe(200);
    expect((await client.get("uploaded")).content.toString()).toBe("by url");
  });

  test("allow the headers Range and If-Match", async () => {
    const url = await sign(client);
    expect(await fetchUrl(url, { headers: { range: "bytes=1-2" } })).toMatchObject({ status: 206, body: Buffer.from("el") });
    expect(await fetchUrl(url, { headers: { "if-match": '"0"' } })).toMatchObject({ status: 412, code: "PreconditionFailed" });
  });

  test("are refused for another key, method or secret", async () => {
    const url = await sign(client);
    expect(await fetchUrl(url.replace("a%20key", "other"))).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    expect(await fetchUrl(url, { method: "DELETE" })).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    expect(await fetchUrl(await sign(of({ accessKeySecret: "wrong" })))).toMatchObject({
      status: 403,
      code: "SignatureDoesNotMatch",
    });
    expect(await fetchUrl(await sign(of({ accessKeyId: "LTAIWHO" })))).toMatchObject({ status: 403, code: "InvalidAccessKeyId" });
  });

  test("are refused with a header of OSS that was not signed", async () => {
    const answer = await fetchUrl(await sign(client, "uploaded", "PUT"), {
      method: "PUT",
      body: "",
      headers: { "x-oss-object-acl": "public-read" },
    });
    expect(answer).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
  });

  test("of STS work with their token only", async () => {
    const url = await sign(of(STS));
    expect(await fetchUrl(url)).toMatchObject({ status: 200 });
    const name = version === "V4" ? "x-oss-security-token" : "security-token";
    const without = new URL(url);
    without.searchParams.delete(name);
    expect(await fetchUrl(without.href)).toMatchObject({ status: 403, code: "InvalidAccessKeyId" });
    const other = new URL(url);
    other.searchParams.set(name, "stolen");
    expect(await fetchUrl(other.href)).toMatchObject({ status: 403, code: "InvalidSecurityToken" });
    expect(await fetchUrl(await sign(of(EXPIRED)))).toMatchObject({ status: 403, code: "SecurityTokenExpired" });
  });

  test("are refused together with an Authorization header", async () => {
    const answer = await fetchUrl(await sign(client), { headers: { authorization: "OSS a:b" } });
    expect(answer).toMatchObject({ status: 400, code: "InvalidArgument" });
  });
});

describe("the clock", () => {
  let late: OssFixture;
  let ahead = 0;
  beforeAll(async () => {
    late = await startFixture({ now: () => Date.now() + ahead });
    await late.bucket(BUCKET);
    await late.client({ bucket: BUCKET }).put("a key", Buffer.from("hello"));
  });
  beforeEach(() => {
    ahead = 0;
  });
  afterAll(() => late.stop());
  const get = async (url: string) => send(late, { method: "GET", path: new URL(url).pathname + new URL(url).search });

  test("expires URLs of both versions", async () => {
    const from = late.client({ bucket: BUCKET });
    const urls = [await v4Url(from), from.signatureUrl("a key", { expires: 60 })];
    ahead = 50_000;
    for (const url of urls) expect((await get(url)).status).toBe(200);
    ahead = 62_000;
    for (const url of urls) expect(await get(url)).toMatchObject({ status: 403, code: "AccessDenied" });
  });

  test.each([true, false])("refuses headers signed more than 15 minutes away (V4: %s)", async (authorizationV4) => {
    const from = late.client({ bucket: BUCKET, authorizationV4 } as Partial<OSS.Options>);
    for (const minutes of [14, -14]) {
      ahead = minutes * 60_000;
      expect((await from.get("a key")).res.status).toBe(200);
    }
    for (const minutes of [16, -16]) {
      ahead = minutes * 60_000;
      expect(await refusal(from.get("a key"))).toEqual({ status: 403, code: "RequestTimeTooSkewed" });
    }
  });

  test("refuses an expired token, also in a valid URL", async () => {
    const from = late.client({ bucket: BUCKET, ...STS } as Partial<OSS.Options>);
    const url = await v4Url(from, "GET", 604_800);
    expect((await get(url)).status).toBe(200);
    ahead = 2 * 3_600_000;
    expect(await get(url)).toMatchObject({ status: 403, code: "SecurityTokenExpired" });
  });
});

describe("V4 URLs", () => {
  test.each([0, 604_801])("with %s seconds of life are refused", async (expires) => {
    expect(await fetchUrl(await v4Url(client, "GET", expires))).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("of 7 days are answered", async () => {
    expect(await fetchUrl(await v4Url(client, "GET", 604_800))).toMatchObject({ status: 200 });
  });

  test("with a changed parameter are refused", async () => {
    const url = await v4Url(client);
    const longer = url.replace("x-oss-expires=60", "x-oss-expires=600");
    expect(longer).not.toBe(url);
    expect(await fetchUrl(longer)).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
    expect(await fetchUrl(`${url}&response-content-type=text%2Fhtml`)).toMatchObject({ code: "SignatureDoesNotMatch" });
  });

  test("cover additional headers", async () => {
    const url = await v4Url(client, "GET", 60, "a key", { headers: { range: "bytes=0-1" } }, ["range"]);
    expect(await fetchUrl(url, { headers: { range: "bytes=0-1" } })).toMatchObject({ status: 206 });
    expect(await fetchUrl(url, { headers: { range: "bytes=0-2" } })).toMatchObject({ code: "SignatureDoesNotMatch" });
    expect(await fetchUrl(url)).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("may override headers of the answer", async () => {
    const url = await v4Url(client, "GET", 60, "a key", { queries: { "response-content-type": "text/html" } });
    expect((await fetchUrl(url)).headers["content-type"]).toBe("text/html");
  });
});

describe("Authorization headers", () => {
  const head = { method: "GET" };
  const target = { bucket: BUCKET, key: "a key" };

  test("of another region are refused", async () => {
    expect(await sendSigned(fixture, head, { ...target, region: SILICON_VALLEY })).toMatchObject({
      status: 400,
      code: "InvalidArgument",
    });
  });

  test("cover the headers they name", async () => {
    const signing = { ...target, additionalHeaders: ["range"] };
    const withRange = { ...head, headers: { range: "bytes=0-1" } };
    expect(await sendSigned(fixture, withRange, signing)).toMatchObject({ status: 206 });
    const changed = (request: RawRequest) => {
      request.headers = { ...request.headers, range: "bytes=0-3" };
    };
    expect(await sendSigned(fixture, withRange, signing, changed)).toMatchObject({ status: 403, code: "SignatureDoesNotMatch" });
  });

  // aliyun-oss-go-sdk 2.2.9 signs so: the string to sign has the header Date as it is sent.
  test("may have their time in Date instead of x-oss-date", async () => {
    const signedByDate = (date: Date, text = date.toUTCString(), day = date) => {
      const key = `/${BUCKET}/a%20key`;
      const scope = `${ossDate(day).slice(0, 8)}/cn-shanghai/oss/aliyun_v4_request`;
      const canonical = `GET\n${key}\n\nx-oss-content-sha256:UNSIGNED-PAYLOAD\n\n\nUNSIGNED-PAYLOAD`;
      const toSign = `OSS4-HMAC-SHA256\n${text}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
      const hmac = (secret: string | Buffer, data: string) => createHmac("sha256", secret).update(data).digest();
      const secret = scope.split("/").reduce<string | Buffer>(hmac, `aliyun_v4${ROOT.accessKeySecret}`);
      const authorization = `OSS4-HMAC-SHA256 Credential=${ROOT.accessKeyId}/${scope},Signature=${hmac(secret, toSign).toString("hex")}`;
      const headers = { date: text, "x-oss-content-sha256": "UNSIGNED-PAYLOAD", authorization };
      return send(fixture, { method: "GET", path: key, headers });
    };
    const now = new Date();
    expect(await signedByDate(now)).toMatchObject({ status: 200, body: Buffer.from("hello") });
    expect(await signedByDate(now, ossDate(now))).toMatchObject({ status: 200 });
    expect(await signedByDate(now, "today")).toMatchObject({ status: 400, code: "InvalidArgument" });
    expect(await signedByDate(now, now.toUTCString(), new Date(now.getTime() - 86_400_000))).toMatchObject({
      status: 400,
      code: "InvalidArgument",
    });
    expect(await signedByDate(new Date(now.getTime() - 3_600_000))).toMatchObject({ status: 403, code: "RequestTimeTooSkewed" });
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ["without a payload hash", { "x-oss-content-sha256": undefined }, "InvalidArgument"],
    ["with a signed payload", { "x-oss-content-sha256": "0".repeat(64) }, "InvalidArgument"],
    ["without a date", { "x-oss-date": undefined }, "InvalidArgument"],
    ["with the date of another day", { "x-oss-date": ossDate(new Date(Date.now() - 86_400_000)) }, "InvalidArgument"],
    ["with another content type", { "content-type": "text/plain" }, "SignatureDoesNotMatch"],
    ["with metadata added", { "x-oss-meta-a": "b" }, "SignatureDoesNotMatch"],
    ["of an unknown kind", { authorization: "Bearer abc" }, "InvalidArgument"],
    ["with a broken credential", { authorization: "OSS4-HMAC-SHA256 Credential=a/b/c,Signature=d" }, "InvalidArgument"],
  ])("are refused %s", async (_what, changes, code) => {
    const answer = await sendSigned(fixture, head, target, (request) => {
      const headers: Record<string, string | undefined> = { ...request.headers, ...changes };
      request.headers = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)) as Record<
        string,
        string
      >;
    });
    expect(answer.code).toBe(code);
  });

  test.each([true, false])("of STS need their token (V4: %s)", async (authorizationV4) => {
    const { accessKeyId, accessKeySecret } = STS;
    expect((await of({ ...STS, authorizationV4 }).get("a key")).res.status).toBe(200);
    expect(await refusal(of({ accessKeyId, accessKeySecret, authorizationV4 }).get("a key"))).toEqual({
      status: 403,
      code: "InvalidAccessKeyId",
    });
    expect(await refusal(of({ ...STS, stsToken: "x", authorizationV4 }).get("a key"))).toEqual({
      status: 403,
      code: "InvalidSecurityToken",
    });
    expect(await refusal(of({ ...EXPIRED, authorizationV4 }).get("a key"))).toEqual({
      status: 403,
      code: "SecurityTokenExpired",
    });
    expect(await refusal(of({ ...ROOT, stsToken: "x", authorizationV4 }).get("a key"))).toEqual({
      status: 403,
      code: "InvalidAccessKeyId",
    });
  });

  test("authenticate and do not authorize", async () => {
    expect(await refusal(of(NOBODY).get("a key"))).toEqual({ status: 403, code: "AccessDenied" });
    expect(await refusal(of(STRANGER).get("a key"))).toEqual({ status: 403, code: "AccessDenied" });
    expect(await send(fixture, { method: "GET", path: `/${BUCKET}/a%20key` })).toMatchObject({
      status: 403,
      code: "AccessDenied",
    });
  });

  test("cover the path as sent, including dots", async () => {
    await sendSigned(
      fixture,
      { method: "PUT", body: "dots", headers: { "content-length": "4" } },
      { bucket: BUCKET, key: "a/./../b" },
    );
    expect(await sendSigned(fixture, head, { bucket: BUCKET, key: "a/./../b" })).toMatchObject({
      status: 200,
      body: Buffer.from("dots"),
    });
    // ali-oss sends another path than it signs.
    expect(await refusal(client.get("a/./../b"))).toEqual({ status: 403, code: "SignatureDoesNotMatch" });
  });
});

test("V1 URLs are not for buckets", async () => {
  const url = new URL(client.signatureUrl("x", { expires: 60 }));
  expect(await send(fixture, { method: "GET", path: `/${BUCKET}/${url.search}` })).toMatchObject({
    status: 403,
    code: "AccessDenied",
  });
});
