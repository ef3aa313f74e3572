import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { type HttpFront, serveHttpFront } from "../../../local/cli/http-front";
import { testCertificate } from "../../runtime/support/https-server";

let folder: string;
let cloud: Server;
let front: HttpFront;
/** The whole answer of the cloud, byte for byte. */
let answer: Buffer;
let asked: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "http-front-"));
  const { private: key, cert } = await testCertificate();
  const caPath = join(folder, "ca.pem");
  await writeFile(caPath, cert);
  cloud = createServer({ key, cert }, (socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (request: Buffer) => {
      asked = request;
      socket.end(answer);
    });
  });
  cloud.listen(0, "127.0.0.1");
  await once(cloud, "listening");
  const endpoint = `https://127.0.0.1:${(cloud.address() as AddressInfo).port}`;
  front = await serveHttpFront({ kind: "oss", endpoint, caPath, bucket: "bucket", region: "cn-shanghai" });
});

afterAll(async () => {
  await front.close();
  cloud.close();
  await rm(folder, { recursive: true });
});

/** Sends the text as its UTF-8 bytes, and returns the answer byte for byte. */
async function exchange(request: string): Promise<Buffer> {
  const { port, host } = new URL(front.endpoint);
  const socket = createConnection(Number(port), "127.0.0.1");
  socket.write(Buffer.from(request.replace("host: 127.0.0.1\r\n", `host: ${host}\r\n`)));
  return Buffer.concat(await socket.toArray());
}

const DISPOSITION = 'content-disposition: attachment; filename="报告 2024.pdf"';

test.each(["HEAD", "GET"])("%s of an object with raw UTF-8 in a header returns the same bytes", async (method) => {
  answer = Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-length: 2\r\n${DISPOSITION}\r\netag: "e"\r\n\r\n${method === "GET" ? "ok" : ""}`,
  );
  const got = await exchange(`${method} /bucket/k HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
  expect(got.toString()).toContain(DISPOSITION);
  expect(got.toString()).toContain("HTTP/1.1 200 OK");
});

test("a PUT with raw UTF-8 in a header reaches the cloud with the same bytes", async () => {
  answer = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  const got = await exchange(
    `PUT /bucket/k HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n${DISPOSITION}\r\nconnection: close\r\n\r\nok`,
  );
  expect(got.toString()).toContain("HTTP/1.1 200 OK");
  expect(asked.toString()).toContain(DISPOSITION);
});

test("the cloud gets the bucket's own name for the host that ali-oss sends to an IP address", async () => {
  answer = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  await exchange("GET /k HTTP/1.1\r\nhost: bucket.oss-cn-shanghai.aliyuncs.com\r\nconnection: close\r\n\r\n");
  expect(asked.toString()).toMatch(/\r\nhost: bucket\.localhost:\d+\r\n/i);
});

test("a request that the front refuses does not reach the cloud", async () => {
  answer = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  asked = Buffer.alloc(0);
  const got = await exchange("POST /_ministack/reset HTTP/1.1\r\nhost: evil.example\r\ncontent-length: 0\r\n\r\n");
  expect(got.toString()).toMatch(/^HTTP\/1\.1 403 /);
  expect(asked).toHaveLength(0);
});

test("an answer that no HTTP server may send ends this request only", async () => {
  answer = Buffer.from("HTTP/1.1 200 OK\r\nx-odd: a\u0001b\r\ncontent-length: 0\r\n\r\n");
  expect((await exchange("GET /bucket/k HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")).toString()).toMatch(
    /^HTTP\/1.1 502 /,
  );
  answer = Buffer.from("HTTP/1.1 204 No Content\r\n\r\n");
  expect((await exchange("GET /bucket/k HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")).toString()).toMatch(
    /^HTTP\/1.1 204 /,
  );
});
