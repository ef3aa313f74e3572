// biome-ignore-all lint/suspicious/noTemplateCurlyInString: OSS replaces these variables
/** Upload callbacks, as https://www.alibabacloud.com/help/en/oss/developer-reference/callback describes them. */
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Client, type OssFixture, startFixture } from "./oss-fixture";
import { send, sendSigned } from "./raw-request";

const BUCKET = "callback-of-tests";
interface Call {
  path: string | undefined;
  method: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}
let fixture: OssFixture;
let client: Client;
let server: Server;
let address: string;
const calls: Call[] = [];
/** Answers by path. A path that is not here is never answered. */
const ANSWERS: Record<string, { status: number; body: string }> = {
  "/good": { status: 200, body: '{"Status":"OK"}' },
  "/moved": { status: 301, body: "{}" },
  "/page": { status: 200, body: "<html>" },
  "/empty": { status: 200, body: "" },
};

beforeAll(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { url: path, method, headers } = request;
    calls.push({ path, method, headers, body: Buffer.concat(chunks).toString() });
    const answer = ANSWERS[path ?? ""];
    if (answer !== undefined) response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await fixture.stop();
});
beforeEach(() => {
  calls.length = 0;
});

const encoded = (settings: unknown) => Buffer.from(JSON.stringify(settings)).toString("base64");
const callbackTo = (path: string, more: object = {}) =>
  encoded({ callbackUrl: `http://${address}${path}`, callbackBody: "key=${object}", ...more });
const put = (key: string, headers: Record<string, string>) =>
  sendSigned(fixture, { method: "PUT", body: "hello", headers: { "content-length": "5", ...headers } }, { bucket: BUCKET, key });
const contentOf = async (key: string) => (await client.get(key)).content.toString();

test("the client gets the answer of the server that OSS called with the body of the request", async () => {
  const result = await client.put("dir/a é", Buffer.from("hello"), {
    mime: "text/plain",
    callback: {
      url: `http://${address}/good`,
      host: "oss-cn-shanghai.aliyuncs.com",
      body: "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&type=${mimeType}&height=${imageInfo.height}&mine=${x:var1}&op=${operation}",
      contentType: "application/x-www-form-urlencoded",
      customValue: { var1: "a&b" },
    },
  } as never);
  expect((result as unknown as { data: object }).data).toEqual({ Status: "OK" });
  expect(result.res.status).toBe(200);
  expect(calls).toEqual([
    {
      path: "/good",
      method: "POST",
      headers: expect.objectContaining({
        host: "oss-cn-shanghai.aliyuncs.com",
        "content-type": "application/x-www-form-urlencoded",
      }),
      body: `bucket=${BUCKET}&object=dir%2Fa%20%C3%A9&etag=5D41402ABC4B2A76B9719D911017C592&size=5&type=text%2Fplain&height=&mine=a%26b&op=PutObject`,
    },
  ]);
});

test("variables of a JSON body are JSON values", async () => {
  const callbackBody = '{"key":${object},"size":${size},"crc":${crc64},"md5":${contentMd5},"mine":${x:a},"none":${x:b}}';
  const answer = await put('a "quoted" key', {
    "x-oss-callback": callbackTo("/good", { callbackBody, callbackBodyType: "application/json" }),
    "x-oss-callback-var": encoded({ "x:a": "1" }),
  });
  expect(answer).toMatchObject({ status: 200, headers: { "content-type": "application/json" } });
  expect(answer.body.toString()).toBe('{"Status":"OK"}');
  expect(calls[0]?.headers).toMatchObject({ "content-type": "application/json", host: address });
  expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
    key: 'a "quoted" key',
    size: 5,
    crc: answer.headers["x-oss-hash-crc64ecma"],
    md5: answer.headers["content-md5"],
    mine: "1",
    none: "",
  });
});

test("the completion of a multipart upload calls back", async () => {
  const { uploadId } = await client.initMultipartUpload("parts");
  await sendSigned(
    fixture,
    { method: "PUT", body: "part", headers: { "content-length": "4" } },
    { bucket: BUCKET, key: "parts", queries: { partNumber: "1", uploadId } },
  );
  const headers = {
    "x-oss-complete-all": "yes",
    "x-oss-callback": callbackTo("/good", { callbackBody: "${size} ${operation}" }),
  };
  const answer = await sendSigned(fixture, { method: "POST", headers }, { bucket: BUCKET, key: "parts", queries: { uploadId } });
  expect(answer).toMatchObject({ status: 200, body: Buffer.from('{"Status":"OK"}') });
  expect(calls[0]?.body).toBe("4 CompleteMultipartUpload");
  expect(await contentOf("parts")).toBe("part");
});

test("a signed URL may carry the callback", async () => {
  const url = new URL(
    client.signatureUrl("by-url", {
      method: "PUT",
      callback: { url: `http://${address}/good`, body: "key=${object}&mine=${x:a}", customValue: { a: "1" } },
    } as never),
  );
  const answer = await send(fixture, { method: "PUT", path: `${url.pathname}${url.search}`, body: "hello" });
  expect(answer).toMatchObject({ status: 200, body: Buffer.from('{"Status":"OK"}') });
  expect(calls[0]?.body).toBe("key=by-url&mine=1");
});

test("addresses are tried until one answers well, also without http://", async () => {
  const callbackUrl = `http://${address}/moved;${address}/good;http://${address}/page`;
  expect(await put("several", { "x-oss-callback": callbackTo("", { callbackUrl }) })).toMatchObject({ status: 200 });
  expect(calls.map(({ path }) => path)).toEqual(["/moved", "/good"]);
});

test.each<[string, () => string, RegExp, string | undefined]>([
  ["answers another status than 200", () => callbackTo("/moved"), /^Error status : 301\.$/, "0007-00000203"],
  ["answers no JSON", () => callbackTo("/page"), /^Response body is not valid json format\.$/, "0007-00000205"],
  ["answers nothing", () => callbackTo("/empty"), /^Response body is not valid json format\.$/, "0007-00000205"],
  [
    "is not there",
    () => callbackTo("", { callbackUrl: "http://127.0.0.1:1/" }),
    /can not connect to your callbackUrl/,
    undefined,
  ],
  [
    "is not on this machine",
    () => callbackTo("", { callbackUrl: "http://www.aliyun.com" }),
    /not to www\.aliyun\.com/,
    undefined,
  ],
])("a server that %s fails the callback and not the upload", async (what, callback, message, ec) => {
  const answer = await put(what, { "x-oss-callback": callback() });
  expect(answer).toMatchObject({ status: 203, code: "CallbackFailed" });
  const document = answer.body.toString();
  expect(/<Message>(.*)<\/Message>/.exec(document)?.[1]).toMatch(message);
  if (ec !== undefined) expect(document).toContain(`<EC>${ec}</EC>`);
  expect(await contentOf(what)).toBe("hello");
});

test("a server that does not answer in time fails the callback and not the upload", async () => {
  const patient = fixture;
  fixture = await startFixture({ callbackTimeoutMs: 100 });
  client = await fixture.bucket(BUCKET);
  const answer = await put("late", { "x-oss-callback": callbackTo("/never") });
  expect(answer).toMatchObject({ status: 203, code: "CallbackFailed" });
  expect(answer.body.toString()).toContain("<Message>Cost too long time.</Message>");
  expect(await contentOf("late")).toBe("hello");
  await fixture.stop();
  fixture = patient;
  client = fixture.client({ bucket: BUCKET });
});

test.each<[string, () => Record<string, string>]>([
  ["that is not base64", () => ({ "x-oss-callback": "x123-*&" })],
  ["that is not JSON", () => ({ "x-oss-callback": Buffer.from("{").toString("base64") })],
  ["that is a list", () => ({ "x-oss-callback": encoded([1]) })],
  ["with a body that is not a string", () => ({ "x-oss-callback": callbackTo("/good", { callbackBody: [1, 2, 3] }) })],
  ["without a body", () => ({ "x-oss-callback": callbackTo("/good", { callbackBody: undefined }) })],
  ["with a dollar sign without a brace", () => ({ "x-oss-callback": callbackTo("/good", { callbackBody: "my=$x:my_var}" }) })],
  ["with another type", () => ({ "x-oss-callback": callbackTo("/good", { callbackBodyType: "text/plain" }) })],
  ["of JSON that is none", () => ({ "x-oss-callback": callbackTo("/good", { callbackBodyType: "application/json" }) })],
  ["with six addresses", () => ({ "x-oss-callback": callbackTo("", { callbackUrl: Array(6).fill(address).join(";") }) })],
  ["with a variable that is not named x:", () => withVariables({ var1: "1" })],
  ["with a variable in upper case", () => withVariables({ "x:Var1": "1" })],
  ["with a variable that is a number", () => withVariables({ "x:var1": 1 })],
])("a callback %s is refused, and nothing is stored", async (_what, headers) => {
  expect(await put("refused", headers())).toMatchObject({ status: 400, code: "InvalidArgument" });
  expect((await sendSigned(fixture, { method: "HEAD" }, { bucket: BUCKET, key: "refused" })).status).toBe(404);
  expect(calls).toEqual([]);
});

const withVariables = (variables: object) => ({
  "x-oss-callback": callbackTo("/good"),
  "x-oss-callback-var": encoded(variables),
});

test("an empty address means no callback", async () => {
  const answer = await put("no-callback", { "x-oss-callback": callbackTo("", { callbackUrl: "" }) });
  expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  expect(calls).toEqual([]);
});
