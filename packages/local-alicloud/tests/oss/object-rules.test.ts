/** The form of every upload and read. */
import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type OSS from "ali-oss";
import { type Client, type OssFixture, refusal, startFixture } from "./oss-fixture";
import { send, sendBytes, sendSigned, signed } from "./raw-request";

const BUCKET = "rules-of-tests";
let fixture: OssFixture;
let client: Client;
beforeAll(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
});
afterAll(() => fixture.stop());

const put = (key: string, body: string, headers: Record<string, string> = {}) =>
  sendSigned(
    fixture,
    { method: "PUT", body, headers: { "content-length": String(Buffer.byteLength(body)), ...headers } },
    { bucket: BUCKET, key },
  );
const get = (key: string, headers: Record<string, string> = {}, queries: Record<string, string> = {}) =>
  sendSigned(fixture, { method: "GET", headers }, { bucket: BUCKET, key, queries });

describe("keys", () => {
  test("of 1023 bytes are taken, of 1024 refused", async () => {
    const longest = `${"é".repeat(511)}k`;
    expect((await put(longest, "x")).status).toBe(200);
    expect(await put(`${longest}k`, "x")).toMatchObject({ status: 400, code: "InvalidObjectName" });
  });

  test.each(["/leading", "\\leading"])("%s is refused", async (key) => {
    expect(await put(key, "x")).toMatchObject({ status: 400, code: "InvalidObjectName" });
  });

  test("that are not UTF-8 are refused", async () => {
    expect(await send(fixture, { method: "GET", path: `/${BUCKET}/%ff` })).toMatchObject({
      status: 400,
      code: "InvalidArgument",
    });
    expect(await send(fixture, { method: "GET", path: `/${BUCKET}/a?x=%zz` })).toMatchObject({
      status: 400,
      code: "InvalidArgument",
    });
  });
});

describe("keys with control characters", () => {
  const keys = ["form\f feed", "bell\u0007", "\v\n\t\r.", "\u0001\u001f<&>"];
  const deletion = (key: (key: string) => string) => {
    const body = `<Delete><Quiet>false</Quiet>${keys.map((one) => `<Object><Key>${key(one)}</Key></Object>`).join("")}</Delete>`;
    const md5 = createHash("md5").update(body).digest("base64");
    return sendSigned(
      fixture,
      { method: "POST", body, headers: { "content-md5": md5, "content-length": String(Buffer.byteLength(body)) } },
      { bucket: BUCKET, queries: { delete: "", "encoding-type": "url" } },
    );
  };
  const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const reference = (radix: "x" | "") => (character: string) => {
    const code = character.charCodeAt(0);
    return `&#${radix}${radix === "x" ? code.toString(16).toUpperCase().padStart(2, "0") : code};`;
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters
  const CONTROLS = /[\u0000-\u001f]/g;

  // A carriage return can only be sent as a reference: XML reads a bare one as a line feed.
  test.each<[string, (key: string) => string]>([
    ["as they are", (key) => escaped(key).replaceAll("\r", "&#13;")],
    ["as hexadecimal references", (key) => escaped(key).replace(CONTROLS, reference("x"))],
    ["as decimal references", (key) => escaped(key).replace(CONTROLS, reference(""))],
  ])("are deleted together, sent %s, and answered encoded", async (_how, written) => {
    for (const key of keys) expect((await put(key, "x")).status).toBe(200);
    const answer = await deletion(written);
    expect(answer.status).toBe(200);
    const named = [...answer.body.toString().matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key = ""]) => decodeURIComponent(key));
    expect(named).toEqual(keys);
    for (const key of keys) expect((await get(key)).status).toBe(404);
  });
});

describe("metadata and headers", () => {
  test("come back as they were sent", async () => {
    const headers = {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "max-age=60",
      "content-disposition": 'attachment; filename="a.txt"',
      "content-encoding": "br",
      "content-language": "de",
      expires: "Thu, 01 Jan 2037 00:00:00 GMT",
      "x-oss-meta-a-1": "v",
    };
    await put("headers", "x", headers);
    expect((await get("headers")).headers).toMatchObject(headers);
    expect((await put("plain", "x")).status).toBe(200);
    expect((await get("plain")).headers["content-type"]).toBe("application/octet-stream");
  });

  test("raw UTF-8 in a Content-Disposition comes back byte for byte, and so does one that a query asks for", async () => {
    const disposition = Buffer.from('attachment; filename="报告 2024.pdf"').toString("latin1");
    expect((await put("raw", "x", { "content-disposition": disposition })).status).toBe(200);
    expect((await get("raw")).headers["content-disposition"]).toBe(disposition);
    expect((await client.head("raw")).res.headers).toMatchObject({ "content-disposition": disposition });
    const asked = await client.get("raw", { subres: { "response-content-disposition": "报告" } } as OSS.GetObjectOptions);
    expect((asked.res.headers as Record<string, string>)["content-disposition"]).toBe(Buffer.from("报告").toString("latin1"));
  });

  test("names are lower-cased", async () => {
    await client.put("cased", Buffer.from("x"), { meta: { Mixed: "Case" } as unknown as OSS.UserMeta });
    expect((await client.head("cased")).meta).toEqual({ mixed: "Case" });
  });

  test.each(["x-oss-meta-a_b", "x-oss-meta-a.b", "x-oss-meta-"])("%s is refused", async (name) => {
    expect(await put("named", "x", { [name]: "v" })).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("up to 8 KB are taken", async () => {
    expect((await put("large", "x", { "x-oss-meta-a": "v".repeat(8191) })).status).toBe(200);
    expect(await put("large", "x", { "x-oss-meta-a": "v".repeat(8192) })).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test.each([
    [{ "x-oss-storage-class": "Frozen" }, "InvalidArgument"],
    [{ "x-oss-server-side-encryption": "ROT13" }, "InvalidEncryptionAlgorithmError"],
    [{ "x-oss-object-acl": "everyone" }, "InvalidArgument"],
    [{ "x-oss-tagging": "a=1&a=2" }, "InvalidTag"],
    [{ "x-oss-tagging": "a=%26" }, "InvalidTag"],
    [{ "x-oss-tagging": "a%40b=1" }, "InvalidTag"],
    [{ "x-oss-tagging": Array.from({ length: 11 }, (_, i) => `k${i}=v`).join("&") }, "InvalidTag"],
    [{ "x-oss-tagging": `${"k".repeat(129)}=v` }, "InvalidTag"],
  ])("%j is refused", async (headers, code) => {
    expect(await put("attributes", "x", headers as Record<string, string>)).toMatchObject({ status: 400, code });
  });

  test("encryption and storage class are returned, and an archived object cannot be read", async () => {
    expect((await put("sealed", "x", { "x-oss-server-side-encryption": "AES256" })).headers["x-oss-server-side-encryption"]).toBe(
      "AES256",
    );
    await put("archived", "x", { "x-oss-storage-class": "Archive" });
    expect((await client.head("archived")).res.headers).toMatchObject({ "x-oss-storage-class": "Archive" });
    expect(await get("archived")).toMatchObject({ status: 403, code: "InvalidObjectState" });
  });
});

describe("bodies", () => {
  const md5 = (text: string) => createHash("md5").update(text).digest("base64");

  test("are checked against Content-MD5", async () => {
    expect((await put("checked", "hello", { "content-md5": md5("hello") })).status).toBe(200);
    expect(await put("checked", "hullo", { "content-md5": md5("hello") })).toMatchObject({ status: 400, code: "InvalidDigest" });
    expect(await put("checked", "hello", { "content-md5": "not base64 of 16 bytes" })).toMatchObject({
      status: 400,
      code: "InvalidDigest",
    });
    expect((await get("checked")).body.toString()).toBe("hello");
  });

  test("without a length are refused", async () => {
    const request = signed({ method: "PUT", headers: {} }, { bucket: BUCKET, key: "no-length" });
    expect(await sendBytes(fixture, request, Buffer.alloc(0), { hangUp: false })).toMatch(/^HTTP\/1.1 411 /);
    expect(await refusal(client.head("no-length"))).toEqual({ status: 404, code: "NoSuchKey" });
  });

  test("over 5 GB are refused before they are sent", async () => {
    const request = signed(
      { method: "PUT", headers: { "content-length": String(5 * 1024 ** 3 + 1), expect: "100-continue" } },
      { bucket: BUCKET, key: "huge" },
    );
    await expect(send(fixture, request)).resolves.toMatchObject({ status: 400, code: "EntityTooLarge" });
  });

  test("that end early change nothing and leave no file", async () => {
    await client.put("torn", Buffer.from("old"));
    const files = async () =>
      (await readdir(join(fixture.dataDir, "buckets", BUCKET, "data"), { recursive: true, withFileTypes: true })).filter(
        (entry) => entry.isFile(),
      ).length;
    const before = await files();
    const request = signed({ method: "PUT", headers: { "content-length": "100000" } }, { bucket: BUCKET, key: "torn" });
    await sendBytes(fixture, request, randomBytes(50_000), { hangUp: true });
    expect((await client.get("torn")).content.toString()).toBe("old");
    expect(await files()).toBe(before);
  });

  test("that stall are aborted", async () => {
    const impatient = await startFixture({ bodyIdleMs: 50 });
    await impatient.bucket(BUCKET);
    const request = signed({ method: "PUT", headers: { "content-length": "100" } }, { bucket: BUCKET, key: "stalled" });
    const answer = await sendBytes(impatient, request, Buffer.from("a beginning"), { hangUp: false });
    expect(answer).toMatch(/^HTTP\/1.1 400 [\s\S]*<Code>RequestTimeout<\/Code>/);
    expect(await refusal(impatient.client({ bucket: BUCKET }).head("stalled"))).toEqual({ status: 404, code: "NoSuchKey" });
    await impatient.stop();
  });

  test("that are longer than Content-Length are cut there", async () => {
    const request = signed({ method: "PUT", headers: { "content-length": "5" } }, { bucket: BUCKET, key: "long" });
    expect(await sendBytes(fixture, request, Buffer.from("hello world"), { hangUp: false })).toMatch(/^HTTP\/1.1 200 /);
    expect((await get("long")).body.toString()).toBe("hello");
  });
});

describe("conditions", () => {
  let etag: string;
  let modified: string;
  beforeAll(async () => {
    etag = String((await put("conditional", "0123456789")).headers.etag);
    modified = String((await get("conditional")).headers["last-modified"]);
  });
  const past = "Thu, 01 Jan 2015 00:00:00 GMT";

  test.each<[string, () => Record<string, string>, number]>([
    ["If-Match that holds", () => ({ "if-match": etag }), 200],
    ["If-Match without quotes", () => ({ "if-match": etag.slice(1, -1) }), 200],
    ["If-Match that fails", () => ({ "if-match": '"0"' }), 412],
    ["If-None-Match that holds", () => ({ "if-none-match": '"0"' }), 200],
    ["If-None-Match that fails", () => ({ "if-none-match": etag }), 304],
    ["If-Modified-Since before", () => ({ "if-modified-since": past }), 200],
    ["If-Modified-Since the very second", () => ({ "if-modified-since": modified }), 304],
    ["If-Modified-Since that is no date", () => ({ "if-modified-since": "soon" }), 200],
    ["If-Unmodified-Since the very second", () => ({ "if-unmodified-since": modified }), 200],
    ["If-Unmodified-Since before", () => ({ "if-unmodified-since": past }), 412],
  ])("%s", async (_what, headers, status) => {
    expect((await get("conditional", headers())).status).toBe(status);
    expect(
      (await sendSigned(fixture, { method: "HEAD", headers: headers() }, { bucket: BUCKET, key: "conditional" })).status,
    ).toBe(status);
  });

  test.each<[string, string, number, string]>([
    ["bytes=2-4", "", 206, "234"],
    ["bytes=7-", "", 206, "789"],
    ["bytes=-3", "", 206, "789"],
    ["bytes=0-9", "", 206, "0123456789"],
    // A range beyond the object returns all of it unless the request asks for standard behaviour.
    ["bytes=8-20", "", 200, "0123456789"],
    ["bytes=10-12", "", 200, "0123456789"],
    ["bytes=-20", "", 200, "0123456789"],
    ["bytes=8-20", "standard", 206, "89"],
    ["bytes=-20", "standard", 206, "0123456789"],
    ["bytes=4-2", "standard", 200, "0123456789"],
    ["bytes=1-2,4-5", "standard", 200, "0123456789"],
    ["lines=1-2", "standard", 200, "0123456789"],
  ])("Range %s %s", async (range, behaviour, status, body) => {
    const answer = await get("conditional", { range, ...(behaviour === "" ? {} : { "x-oss-range-behavior": behaviour }) });
    expect([answer.status, answer.body.toString()]).toEqual([status, body]);
    if (status === 206) expect(answer.headers["content-range"]).toMatch(/^bytes \d+-\d+\/10$/);
  });

  test("a range after the end is refused in standard behaviour", async () => {
    expect(await get("conditional", { range: "bytes=10-12", "x-oss-range-behavior": "standard" })).toMatchObject({
      status: 416,
      code: "InvalidRange",
    });
  });
});

test("a running read is complete although the object is replaced and deleted", async () => {
  const bytes = randomBytes(8_000_000);
  await client.put("read-slowly", bytes);
  const { stream } = await client.getStream("read-slowly");
  const first = await new Promise<Buffer>((resolve) => stream.once("data", resolve));
  stream.pause();
  await client.put("read-slowly", Buffer.from("new"));
  await client.delete("read-slowly");
  const chunks = [first];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
});

test("GetObjectMeta returns size, ETag and checksum only", async () => {
  await put("meta", "hello", { "x-oss-meta-a": "b" });
  const { res } = await client.getObjectMeta("meta");
  expect(res.headers).toMatchObject({ "content-length": "5", etag: '"5D41402ABC4B2A76B9719D911017C592"' });
  expect(res.headers["x-oss-meta-a"]).toBeUndefined();
  expect(await refusal(client.getObjectMeta("nothing"))).toMatchObject({ status: 404 });
});

test("an operation that this server lacks is refused and never taken for another one", async () => {
  expect(await get("headers", {}, { "x-oss-process": "image/resize,w_1" })).toMatchObject({
    status: 501,
    code: "NotImplemented",
  });
  expect(await sendSigned(fixture, { method: "PUT", body: "" }, { bucket: BUCKET, queries: { style: "" } })).toMatchObject({
    status: 501,
  });
  expect(await sendSigned(fixture, { method: "PATCH" }, { bucket: BUCKET, key: "headers" })).toMatchObject({
    status: 405,
    code: "MethodNotAllowed",
  });
});

test("error documents have the request id", async () => {
  const answer = await get("not-there");
  const text = answer.body.toString();
  expect(text).toContain(`<RequestId>${String(answer.headers["x-oss-request-id"])}</RequestId>`);
  expect(text).toContain("<Key>not-there</Key>");
  expect(text).toContain("<HostId>127.0.0.1");
});
