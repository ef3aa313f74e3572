/** A source over TLS with the answers of a test. */
import type { ServerResponse } from "node:http";
import type { BoundSource, SourcePin } from "../../../runtime/replication/source";
import type { ClosableSourceReader, SourceReaderOptions } from "../../../runtime/replication/source-reader";
import { createSourceReader } from "../../../runtime/replication/source-reader";
import { BridgeError } from "../../../runtime/stores/errors";
import { type SeenRequest, startHttps, type TestServer } from "../support/https-server";

export const ETAG = "5d41402abc4b2a76b9719d911017c592";
export const MODIFIED = "Sun, 29 Nov 2026 10:00:00 GMT";
export const PIN: SourcePin = { etag: ETAG, lastModified: "2026-11-29T10:00:00.000Z" };
/** The headers that name the state of an object. */
export const STATE = { etag: `"${ETAG}"`, "last-modified": MODIFIED };
export const QUERY = "?X-Amz-Signature=never-shown";

/** The source of the running test file. Each test sets its answers. */
export const peer = {} as {
  server: TestServer;
  reader: ClosableSourceReader;
  answer: (request: SeenRequest, response: ServerResponse) => void;
};

export function useSource(): void {
  beforeAll(async () => {
    peer.server = await startHttps((request, response) => peer.answer(request, response));
  });
  afterAll(() => peer.server.close());
  beforeEach(() => {
    peer.server.seen.length = 0;
    peer.reader = makeReader();
  });
  afterEach(() => peer.reader.close());
}

export function makeReader(options: Partial<SourceReaderOptions> = {}): ClosableSourceReader {
  return createSourceReader({
    allowedSources: [{ origin: peer.server.origin, pathPrefix: "/bucket/" }],
    ca: peer.server.ca,
    ...options,
  });
}

export function url(path = "/bucket/key"): string {
  return `${peer.server.origin}${path}${QUERY}`;
}

/** The object that the URL of the path names. */
export function bound(path = "/bucket/key"): BoundSource {
  return peer.reader.bind(url(path), decodeURIComponent(path.slice("/bucket/".length)));
}

/** A store that holds one object and answers as S3 does. */
export function store(content: Buffer, { etag = ETAG, headers = {} }: { etag?: string; headers?: Record<string, string> } = {}) {
  return (request: SeenRequest, response: ServerResponse) => {
    if (request.headers["if-match"] !== undefined && request.headers["if-match"] !== `"${etag}"`) {
      return errorDocument(response, 412, "PreconditionFailed");
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (range === null) {
      response.writeHead(200, { etag: `"${etag}"`, "last-modified": MODIFIED, "content-length": content.length, ...headers });
      return response.end(content);
    }
    const [start, end] = [Number(range[1]), Math.min(Number(range[2]), content.length - 1)];
    if (start >= content.length) return errorDocument(response, 416, "InvalidRange");
    const part = content.subarray(start, end + 1);
    response.writeHead(206, {
      etag: `"${etag}"`,
      "last-modified": MODIFIED,
      "content-length": part.length,
      "content-range": `bytes ${start}-${end}/${content.length}`,
      ...headers,
    });
    return response.end(part);
  };
}

export function errorDocument(response: ServerResponse, status: number, code: string, message = "secret-host-id"): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml", "content-length": body.length });
  response.end(body);
}

export async function rejection(promise: Promise<unknown>): Promise<BridgeError> {
  const error = await promise.then(
    () => new Error("it did not reject"),
    (caught: unknown) => caught,
  );
  if (!(error instanceof BridgeError)) throw error;
  expect(error.message).not.toMatch(/never-shown|secret-host-id|127\.0\.0\.1|bucket\/key/);
  return error;
}
