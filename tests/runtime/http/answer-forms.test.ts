/** The client understands an answer as undici does, whose parser is that of Node.js. */
import type { Socket } from "node:net";
import { Agent, type Dispatcher } from "undici";
import { createAgent, type HttpAgent } from "../../../runtime/http/agent";
import { type SocketServer, startSocketServer } from "../support/socket-server";

let server: SocketServer;
let origin: string;
let onRequest: (socket: Socket) => void;
let agent: HttpAgent;
let undici: Agent;
beforeEach(async () => {
  server = await startSocketServer((socket) => onRequest(socket));
  ({ origin } = server);
  agent = createAgent({ answerTimeoutMs: 200, bodyIdleMs: 200 });
  undici = new Agent({ bodyTimeout: 200, headersTimeout: 200 });
});
afterEach(async () => {
  await Promise.all([agent.destroy(), undici.destroy()]);
  await server.close();
});

const readBy = async (by: Dispatcher, method: "GET" | "HEAD") => {
  const { statusCode, headers, body } = await by.request({ origin, path: "/key", method });
  return { statusCode, headers: { ...headers }, body: Buffer.from(await body.arrayBuffer()).toString("latin1") };
};

test.each([
  'HTTP/1.1 206 Partial Content\r\nETag: "x"\r\nContent-Length: 3\r\n\r\nabc',
  "HTTP/1.1 200 \r\nx-empty:\r\ncontent-length:3\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\nabc",
  "HTTP/1.1 200\r\nContent-Length: \t 3\r\nx-spaces:  a  b\r\n\r\nabc",
  "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nx-latin: caf\u00e9\r\n\r\nabc",
  // The last byte of many characters in UTF-8 is a space in Latin-1.
  "HTTP/1.1 200 OK\r\nx: \u00e4\u00bd\u00a0\r\nContent-Length: 3\r\n\r\nabc",
  "HTTP/1.1 204 No Content\r\nx: y\r\n\r\n",
  "HTTP/1.1 304 Not Modified\r\nx: y\r\n\r\n",
  "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n00000A;name=value\r\n0123456789\r\n1\r\n!\r\n0\r\nx-trailer: y\r\n\r\n",
])("equal: %j", async (text) => {
  onRequest = (socket) => socket.write(text, "latin1");
  expect(await readBy(agent, "GET")).toEqual(await readBy(undici, "GET"));
});

test("an answer to HEAD, whose length is that of the object", async () => {
  onRequest = (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
  expect(await readBy(agent, "HEAD")).toEqual(await readBy(undici, "HEAD"));
});

test.each([
  ["no HTTP", "hello\r\n\r\n"],
  ["a wrong status", "HTTP/1.1 2000 OK\r\nContent-Length: 3\r\n\r\nabc"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"],
  ["a length and chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
  ["a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc"],
  ["a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc"],
  ["a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc"],
  ["a control character", "HTTP/1.1 200 OK\r\nx: \u0000\r\nContent-Length: 3\r\n\r\nabc"],
  ["a chunk without a size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"],
  ["a chunk that is too long", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n"],
  ["a chunk with a line feed alone", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n"],
  ["chunks without an end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
])("refused by both: %s", async (_name, text) => {
  onRequest = (socket) => socket.end(text, "latin1");
  await expect(readBy(undici, "GET")).rejects.toThrow();
  await expect(readBy(agent, "GET")).rejects.toThrow();
});

// undici accepts these. Two programs that read them differently could be made to see different answers, so they are refused here.
test.each([
  ["a folded line", "HTTP/1.1 200 OK\r\nx: a\r\n b\r\nContent-Length: 3\r\n\r\nabc"],
  ["another encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc"],
  ["a line feed in a value", "HTTP/1.1 200 OK\r\nx: a\ny: b\r\nContent-Length: 3\r\n\r\nabc"],
  ["an equal length twice", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"],
])("refused by this client: %s", async (_name, text) => {
  onRequest = (socket) => socket.end(text, "latin1");
  await expect(readBy(agent, "GET")).rejects.toMatchObject({ code: "HPE_INVALID_ANSWER" });
});
