/** No input ends the process of `npm start`: the front runs in a process of its own here, so that its end is seen. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createServer, type Server } from "node:tls";
import fc from "fast-check";
import { REPOSITORY_ROOT } from "../../../local/paths";
import { testCertificate } from "../../runtime/support/https-server";

let folder: string;
let cloud: Server;
let child: ChildProcess;
let port: number;
let said = "";

const PROGRAM = `
  const { serveHttpFront } = require("./local/cli/http-front");
  const [endpoint, caPath] = process.argv.slice(1);
  serveHttpFront({ kind: "oss", endpoint, caPath, bucket: "bucket", region: "cn-shanghai" }).then(({ endpoint }) => console.log(endpoint));
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "front-abuse-"));
  const { private: key, cert } = await testCertificate();
  const caPath = join(folder, "ca.pem");
  await writeFile(caPath, cert);
  // It answers whatever it is asked, and leaves a connection open that asks nothing.
  cloud = createServer({ key, cert }, (socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
  });
  cloud.listen(0, "127.0.0.1");
  await once(cloud, "listening");
  const endpoint = `https://127.0.0.1:${(cloud.address() as AddressInfo).port}`;
  child = spawn(process.execPath, ["--import", "tsx", "-e", PROGRAM, endpoint, caPath], {
    cwd: REPOSITORY_ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [line] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), "line")) as [string];
  port = Number(new URL(line).port);
}, 60_000);

afterAll(async () => {
  child.kill("SIGKILL");
  cloud.close();
  await rm(folder, { recursive: true });
});

/** Sends the bytes, and resolves once the front has closed the connection. `end` closes this half of it, `abort` all of it. */
async function send(bytes: string | Uint8Array, ending: "wait" | "end" | "abort" = "wait"): Promise<string> {
  const socket = createConnection(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("error", () => undefined).on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "connect");
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes);
  await new Promise<void>((resolve) => socket.write(data, () => resolve()));
  if (ending === "abort") socket.resetAndDestroy();
  if (ending === "end") socket.end();
  await closed;
  return Buffer.concat(chunks).toString("latin1");
}

const head = (line: string, ...headers: string[]) =>
  `${[line, `host: 127.0.0.1:${port}`, "connection: close", ...headers].join("\r\n")}\r\n\r\n`;

async function stillServes(): Promise<void> {
  expect(await send(head("GET /bucket/k HTTP/1.1"))).toMatch(/^HTTP\/1\.1 200 [\s\S]*ok$/);
  expect({ ended: child.exitCode ?? child.signalCode, said }).toEqual({ ended: null, said: "" });
}

test.each([
  ["no HTTP", () => "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc"],
  ["a path with a tab", () => head("GET /bucket/a\tb HTTP/1.1")],
  ["a path with a form feed", () => head("GET /bucket/a\fb HTTP/1.1")],
  ["a path with raw bytes", () => head("GET /bucket/\u00ff\u0080 HTTP/1.1")],
  ["a path with a control character", () => head("GET /bucket/a\u0001b HTTP/1.1")],
  ["a path with a broken percent sequence", () => head("GET /bucket/%zz%f HTTP/1.1")],
  ["no path", () => head("GET  HTTP/1.1")],
  ["an asterisk for a path", () => head("GET * HTTP/1.1")],
  ["a whole URL", () => head("GET http://127.0.0.1/bucket/k HTTP/1.1")],
  ["a tunnel", () => head("CONNECT 127.0.0.1:80 HTTP/1.1")],
  ["an upgrade", () => head("GET /bucket/k HTTP/1.1", "upgrade: websocket", "connection: upgrade")],
  ["a header value with a control character", () => head("GET /bucket/k HTTP/1.1", "x-oss-meta-a: a\u0001b")],
  ["a header value with a NUL", () => head("GET /bucket/k HTTP/1.1", "x-oss-meta-a: a\u0000b")],
  ["a header value with raw bytes", () => head("GET /bucket/k HTTP/1.1", "x-oss-meta-a: \u00ff\u0080\u00e6")],
  ["a header name with a space", () => head("GET /bucket/k HTTP/1.1", "x oss: a")],
  ["a header without a name", () => head("GET /bucket/k HTTP/1.1", ": a")],
  ["a header of the prototype", () => head("GET /bucket/k HTTP/1.1", "__proto__: a", "constructor: b")],
  ["two hosts", () => head("GET /bucket/k HTTP/1.1", "host: evil.example")],
  ["a length that is no number", () => head("PUT /bucket/k HTTP/1.1", "content-length: x")],
  ["a negative length", () => head("PUT /bucket/k HTTP/1.1", "content-length: -1")],
  ["two lengths", () => `${head("PUT /bucket/k HTTP/1.1", "content-length: 1", "content-length: 2")}ab`],
  ["a length and chunks", () => `${head("PUT /bucket/k HTTP/1.1", "content-length: 5", "transfer-encoding: chunked")}0\r\n\r\n`],
  ["a chunk of no size", () => `${head("PUT /bucket/k HTTP/1.1", "transfer-encoding: chunked")}zz\r\n`],
  ["an unknown expectation", () => head("PUT /bucket/k HTTP/1.1", "expect: miracles", "content-length: 0")],
  ["headers above every limit", () => head("GET /bucket/k HTTP/1.1", `x-oss-meta-a: ${"a".repeat(100_000)}`)],
  ["an unknown method", () => head("BREW /bucket/k HTTP/1.1")],
  ["a version of HTTP that does not exist", () => head("GET /bucket/k HTTP/9.9")],
])("%s ends the request only", async (_name, input) => {
  expect(await send(input())).toMatch(/^(HTTP\/1\.1 [2-5]\d\d [\s\S]*)?$/);
  await stillServes();
});

test.each([
  ["in its headers", () => head("PUT /bucket/k HTTP/1.1", "content-length: 10").slice(0, 30)],
  ["before its body", () => head("PUT /bucket/k HTTP/1.1", "content-length: 1000000")],
  ["within its body", () => `${head("PUT /bucket/k HTTP/1.1", "content-length: 1000000")}${"a".repeat(100_000)}`],
  ["within a chunk", () => `${head("PUT /bucket/k HTTP/1.1", "transfer-encoding: chunked")}ffff\r\nabc`],
  ["before the answer", () => head("GET /bucket/k HTTP/1.1")],
])("a client that breaks off %s ends its request only", async (_name, input) => {
  await Promise.all(Array.from({ length: 10 }, () => send(input(), "abort")));
  await stillServes();
});

test("random bytes, alone and inside a request, end no process", async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
  const within = bytes.map((some) => {
    const [before, after] = head("PUT /bucket/k HTTP/1.1", "x-oss-meta-a: |").split("|") as [string, string];
    return Buffer.concat([Buffer.from(before), some, Buffer.from(after)]);
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, within), async (some) => {
      await send(some, "end");
    }),
    { numRuns: 150 },
  );
  await stillServes();
});
