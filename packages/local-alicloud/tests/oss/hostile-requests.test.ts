/** Requests that no client of OSS sends: each gets an answer or the end of its connection, and the process goes on. */
import { once } from "node:events";
import { connect } from "node:net";
import { type Client, type OssFixture, startFixture } from "./oss-fixture";
import { portOf, type RawRequest, send, sendBytes, sendSigned, signed } from "./raw-request";

const BUCKET = "hostile-requests";
const PUBLIC = "hostile-public";
const IDLE_MS = 1500;

let fixture: OssFixture;
let client: Client;
beforeAll(async () => {
  fixture = await startFixture({ bodyIdleMs: IDLE_MS, newBucketsBlockPublicAccess: false });
  client = await fixture.bucket(BUCKET);
  await fixture.bucket(PUBLIC);
  await fixture.client({ bucket: PUBLIC }).putBucketACL(PUBLIC, "public-read-write");
});
afterAll(() => fixture.stop());

const putCors = (rule: string) =>
  sendSigned(
    fixture,
    { method: "PUT", body: `<CORSConfiguration><CORSRule>${rule}</CORSRule></CORSConfiguration>` },
    { bucket: BUCKET, queries: { cors: "" } },
  );
const RULE =
  "<AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader>";

test.each([
  ["Origin", { origin: "https://a\u0001.example.com" }],
  ["header names", { origin: "https://a.example.com", "access-control-request-headers": "x-\u0001" }],
])("the parser takes a control character in the %s, and no answer repeats it", async (_where, headers) => {
  expect((await putCors(RULE)).status).toBe(200);
  for (const method of ["GET", "PUT"]) {
    const head = { method, path: `/${BUCKET}/key`, headers: { ...headers, "content-length": "0", connection: "close" } };
    const answer = await sendBytes(fixture, head, Buffer.alloc(0), { hangUp: false });
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).not.toContain("\u0001");
  }
});

test("a CORS rule whose values no header may have is refused, and white space around its values does not count", async () => {
  const answer = await putCors(`${RULE}<ExposeHeader>ETag&#10;x: y</ExposeHeader>`);
  expect(answer).toMatchObject({ status: 400, code: "InvalidArgument" });
  expect((await putCors(`${RULE}<ExposeHeader> ETag\n</ExposeHeader><MaxAgeSeconds>\n60\n</MaxAgeSeconds>`)).status).toBe(200);
  const get = { method: "GET", path: `/${BUCKET}/key`, headers: { origin: "https://a.example.com" } };
  expect(await send(fixture, get)).toMatchObject({
    status: 403,
    headers: { "access-control-expose-headers": "ETag", "access-control-max-age": "60" },
  });
});

test("a client that neither sends its body nor reads its answer is disconnected", async () => {
  await client.put("large", Buffer.alloc(16 * 1024 * 1024));
  const text = ({ method, path, headers = {} }: RawRequest) =>
    `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("")}\r\n`;
  const get = signed({ method: "GET" }, { bucket: BUCKET, key: "large" });
  const put = signed({ method: "PUT", headers: { "content-length": "10" } }, { bucket: BUCKET, key: "slow" });
  const socket = connect({ host: "127.0.0.1", port: portOf(fixture) });
  // Nothing is read.
  socket.pause();
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text(get) + text(put));
  const ended = new Promise((resolve) => socket.once("close", resolve));
  // Each byte begins another wait for the next.
  const drip = setInterval(() => socket.write("x"), 2 * IDLE_MS);
  try {
    // The server's end shows in a write, because nothing is read.
    await ended;
  } finally {
    clearInterval(drip);
    socket.destroy();
  }
  expect((await client.get("large")).res.status).toBe(200);
});

describe("a bucket that everybody may write", () => {
  const put = (headers: Record<string, string>) =>
    send(fixture, { method: "PUT", path: `/${PUBLIC}/key`, body: "x", headers }).then(({ status }) => status);

  test.each([
    ["no page", {}, 200],
    ["a page of this machine", { origin: "http://localhost:3000" }, 200],
    ["a page of this machine by its address", { origin: "https://127.0.0.1:8443" }, 200],
    ["a page of another machine", { origin: "https://evil.example" }, 403],
    ["a page whose name begins alike", { origin: "http://localhost.evil.example" }, 403],
    ["a page without an origin", { origin: "null" }, 403],
  ])("%s", async (_who, headers, status) => {
    expect(await put(headers)).toBe(status);
  });

  test("a CORS rule lets a page of another machine write", async () => {
    const rule = "<AllowedOrigin>https://app.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>";
    const body = `<CORSConfiguration><CORSRule>${rule}</CORSRule></CORSConfiguration>`;
    await sendSigned(fixture, { method: "PUT", body }, { bucket: PUBLIC, queries: { cors: "" } });
    expect(await put({ origin: "https://app.example.com" })).toBe(200);
    expect(await put({ origin: "https://evil.example" })).toBe(403);
  });
});
