/** Writes a request of HTTP/1.1. https://www.rfc-editor.org/rfc/rfc9112 */
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { NOT_IN_A_LINE, TOKEN } from "./answer-head";

/** A body as it is sent. */
export type Payload = Uint8Array | Readable;

/** A body of this size is copied behind the head of its request, so that both leave in one write. */
const MOST_COPIED_BYTES = 64 * 1024;

/** The head and a body in memory. */
export function sendBytes(socket: Socket, head: string, body: Uint8Array): void {
  if (body.length <= MOST_COPIED_BYTES) {
    const both = Buffer.allocUnsafe(head.length + body.length);
    both.write(head, "latin1");
    both.set(body, head.length);
    socket.write(both);
    return;
  }
  socket.cork();
  socket.write(head, "latin1");
  socket.write(body);
  socket.uncork();
}

const PATH = /^[\x21-\x7e]+$/;

/** Nothing is sent. With the code of undici, which callers take for a mistake that another try repeats. */
const wrongRequest = (what: string): Error => Object.assign(new TypeError(what), { code: "UND_ERR_INVALID_ARG" });

/** @throws TypeError for what cannot be sent as it is */
export function requestHead(
  { method, path, headers }: Dispatcher.DispatchOptions,
  host: string,
  body: Payload | undefined,
): string {
  if (body !== undefined && !(body instanceof Uint8Array || body instanceof Readable))
    throw wrongRequest("a body is bytes, text or a Readable");
  if (!PATH.test(path)) throw wrongRequest(`a request cannot have the path ${JSON.stringify(path)}`);
  const given = (headers ?? {}) as Record<string, string | undefined>;
  let text = `${method} ${path} HTTP/1.1\r\n`;
  let hasHost = false;
  let length: string | undefined;
  for (const name in given) {
    const value = given[name];
    if (value === undefined) continue;
    if (!TOKEN.test(name) || NOT_IN_A_LINE.test(value))
      throw wrongRequest(
        `the header ${JSON.stringify(name)} cannot be sent: its name or its value has a character that HTTP forbids`,
      );
    const lower = name.toLowerCase();
    if (lower === "host") hasHost = true;
    else if (lower === "content-length") length = value;
    text += `${name}: ${value}\r\n`;
  }
  if (!hasHost) text += `host: ${host}\r\n`;
  if (length === undefined) text += lengthHeader(method, body);
  else if (!(body instanceof Readable) && Number(length) !== (body?.length ?? 0))
    throw wrongRequest(`the body has ${body?.length ?? 0} bytes, and the header says ${length}`);
  return `${text}connection: keep-alive\r\n\r\n`;
}

/** The length that the head promises. */
export function bodyLength({ headers }: Dispatcher.DispatchOptions): number {
  const [, value] = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === "content-length") ?? [];
  return Number(value);
}

function lengthHeader(method: string, body: Payload | undefined): string {
  if (body instanceof Uint8Array) return `content-length: ${body.length}\r\n`;
  if (body instanceof Readable) throw wrongRequest("a body that is a stream needs the header content-length");
  return method === "PUT" || method === "POST" ? "content-length: 0\r\n" : "";
}

/** What a write says of a connection that the other side has closed. */
const CLOSED_CODES: ReadonlySet<unknown> = new Set(["EPIPE", "ECONNRESET", "ECONNABORTED"]);

type Written = (error?: Error | null) => void;

/**
 * Lets the connection be read after a write has failed. A server may answer before it has read the whole body, and close: the next write fails while
 * the answer is still to be read, and Node closes a connection at its first error. https://www.rfc-editor.org/rfc/rfc9112#section-9.5
 *
 * `Expect: 100-continue` would avoid it, for a round trip before each body: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export function readAfterFailedWrite(socket: Socket, onFailed: (cause: Error) => void): void {
  const held =
    (written: Written): Written =>
    (error) => {
      if (error && CLOSED_CODES.has((error as NodeJS.ErrnoException).code)) onFailed(error);
      else written(error);
    };
  const { _write, _writev } = socket;
  socket._write = (chunk, encoding, written) => _write.call(socket, chunk, encoding, held(written));
  if (_writev) socket._writev = (chunks, written) => _writev.call(socket, chunks, held(written));
}

interface UploadOptions {
  socket: Socket;
  onSent(bytes: number): void;
  abort(cause: Error): void;
}

/** The body of a request on its way. */
export class Upload {
  isSent = false;
  private sentBytes = 0;
  private readonly onData = (chunk: Buffer) => {
    this.sentBytes += chunk.length;
    if (this.sentBytes > this.bodyBytes) return this.onError(this.wrongLength());
    if (!this.options.socket.write(chunk)) this.body.pause();
    this.options.onSent(chunk.length);
  };
  private readonly onDrain = () => void this.body.resume();
  private readonly onEnd = () => {
    if (this.sentBytes !== this.bodyBytes) return this.onError(this.wrongLength());
    this.isSent = true;
    this.release();
  };
  private readonly onError = (cause: Error) => {
    this.release();
    this.options.abort(cause);
  };
  private readonly onClose = () => this.onError(this.body.errored ?? new Error("the body was closed before its end"));

  /** @param bodyBytes as the head of the request promises */
  constructor(
    private readonly body: Readable,
    private readonly bodyBytes: number,
    private readonly options: UploadOptions,
  ) {
    body.on("data", this.onData).on("end", this.onEnd).on("error", this.onError).on("close", this.onClose);
    options.socket.on("drain", this.onDrain);
    if (body.destroyed) queueMicrotask(this.onClose);
    // It may have been paused before.
    else body.resume();
  }

  stop(cause?: Error): void {
    this.release();
    this.body.on("error", () => undefined);
    this.body.destroy(cause);
  }

  private release(): void {
    const { body, onData, onEnd, onError, onClose } = this;
    body.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
    this.options.socket.off("drain", this.onDrain);
  }

  private wrongLength(): Error {
    return wrongRequest(`the body has ${this.sentBytes} bytes or more, and its request promises ${this.bodyBytes}`);
  }
}
