import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { checksumOf } from "../../../runtime/stores/checksums";
import type { ObjectStore } from "../../../runtime/stores/object-store";
import { createOssStore, type OssStore, type OssStoreOptions } from "../../../runtime/stores/oss/store";
import { createS3Store, type S3StoreOptions } from "../../../runtime/stores/s3/store";

export interface SeenRequest {
  method: string;
  /** Path and query as sent. */
  url: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** An HTTP server that returns the answers of a test and records the requests. */
export class FakeServer {
  readonly seen: SeenRequest[] = [];
  private answers: Answer[] = [];
  readonly server: Server = createServer((request, response) => this.take(request, response));
  endpoint = "";

  async start(): Promise<this> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.endpoint = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  /** Sets one answer for each coming request, in order, and forgets the requests so far. */
  answer(...answers: Answer[]): void {
    this.answers = answers;
    this.early = undefined;
    this.seen.length = 0;
  }

  /** Answers matching requests before their body was read. */
  refuseEarly(answer: Answer, matches: (request: IncomingMessage) => boolean): void {
    this.early = { answer, matches };
  }

  private early: { answer: Answer; matches: (request: IncomingMessage) => boolean } | undefined;

  private take(request: IncomingMessage, response: ServerResponse): void {
    if (this.early?.matches(request)) {
      const { method = "", url = "", headers } = request;
      this.early.answer({ method, url, headers, body: Buffer.alloc(0) }, response);
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const seen = { method, url, headers, body: Buffer.concat(chunks) };
      this.seen.push(seen);
      const answer = this.answers.shift() ?? status(500);
      answer(seen, response);
    });
  }
}

/** An answer with these headers (latin1, as they go over the wire) and body. */
export function status(code: number, headers: Record<string, string> = {}, body = ""): Answer {
  return (_request, response) => {
    response.writeHead(code, headers);
    response.end(body);
  };
}

/** An answer with S3's error document. */
export function refusal(httpStatus: number, code: string): Answer {
  return status(httpStatus, { "content-type": "application/xml" }, `<Error><Code>${code}</Code><Message>m</Message></Error>`);
}

export const HEAD = { etag: '"e1"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", "content-length": "0" };

export const queryOf = ({ url }: SeenRequest) => Object.fromEntries(new URL(url, "http://h").searchParams);

/** A server that runs for the tests of the file. */
export function fakeServer(): FakeServer {
  const server = new FakeServer();
  beforeAll(() => server.start());
  afterAll(() => server.stop());
  return server;
}

export function s3Store(server: FakeServer, options: Partial<S3StoreOptions> = {}): ObjectStore {
  const credentials = () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" });
  return createS3Store({ bucket: "bucket", region: "us-east-1", endpoint: server.endpoint, credentials, ...options });
}

export const CREDENTIALS = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" };

export function ossStore(server: FakeServer, options: Partial<OssStoreOptions> = {}): OssStore {
  const base = { bucket: "bucket", region: "cn-shanghai", versioned: false, endpoint: server.endpoint };
  return createOssStore({ ...base, credentials: async () => CREDENTIALS, ...options });
}

/** CRC-64 as OSS writes it. */
export function crcHeader(bytes: Uint8Array): { "x-oss-hash-crc64ecma": string } {
  const digest = Buffer.from(checksumOf("CRC64XZ", bytes).value, "base64");
  return { "x-oss-hash-crc64ecma": digest.readBigUInt64BE().toString() };
}
