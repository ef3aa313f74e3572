/** Reads presigned URLs. The URL comes over the network, so everything about it is checked here and nothing is followed. */
import { Agent, type Dispatcher } from "undici";
import type { AllowedSources } from "../protocol/env";
import type { ByteRange, SourceReader } from "../protocol/ports";
import { BridgeError } from "../stores/errors";
import { publicLookup, type ResolveAll } from "./public-address";
import { describeAnswer, discard, etagOf, refusal } from "./source-answer";
import { SourceBody } from "./source-body";
import { createSourceUrlParser, type SourceUrl } from "./source-url";

export interface SourceReaderOptions {
  allowedSources: AllowedSources;
  /** Trusted instead of the built-in roots; `NODE_EXTRA_CA_CERTS` adds to those by itself. */
  ca?: string;
  /** Resolves names. @default the system's resolver */
  lookup?: ResolveAll;
  timeouts?: {
    /** Until TLS is up. @default 5_000 */
    connectMs?: number;
    /** From the request to the answer's headers. @default 15_000 */
    headersMs?: number;
    /** Between two pieces of the body. @default 15_000 */
    bodyIdleMs?: number;
  };
  /** Sockets per origin. @default 64 */
  connections?: number;
}

export interface ClosableSourceReader extends SourceReader {
  /** Ends every connection; open bodies break. */
  close(): Promise<void>;
}

/** @throws BridgeError `ConfigInvalid` for an allowed source that no URL could ever match. */
export function createSourceReader(options: SourceReaderOptions): ClosableSourceReader {
  const { allowedSources, ca, lookup, timeouts = {}, connections = 64 } = options;
  const parse = createSourceUrlParser(allowedSources);
  const agent = new Agent({
    connections,
    pipelining: 1,
    headersTimeout: timeouts.headersMs ?? 15_000,
    bodyTimeout: timeouts.bodyIdleMs ?? 15_000,
    connect: {
      // Node calls `lookup` for names only: an allowed IP literal is connected to as written.
      lookup: publicLookup(lookup),
      timeout: timeouts.connectMs ?? 5_000,
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca }),
    },
  });

  async function get(url: SourceUrl, headers: Record<string, string>, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await agent.request({
        origin: url.origin,
        path: url.path,
        method: "GET",
        headers: { "accept-encoding": "identity", ...headers },
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      if (cause instanceof BridgeError) throw cause;
      if (signal?.aborted) throw new BridgeError("Unavailable", "read", "the read was aborted", { cause });
      throw new BridgeError("Unavailable", "read", "the source did not answer", { cause });
    }
  }

  return {
    assertAllowed(url) {
      parse(url);
    },

    async open(url, { etag, range, signal }) {
      const answer = await get(parse(url), { "if-match": `"${etag}"`, ...rangeHeader(range) }, signal);
      if (answer.statusCode !== 200 && answer.statusCode !== 206)
        throw await refusal(answer.statusCode, answer.headers, answer.body);
      try {
        const asked = { etag, ...(range === undefined ? {} : { range }) };
        const { sizeBytes, bodyBytes } = describeAnswer(answer.statusCode, answer.headers, asked);
        return { sizeBytes, etag, body: new SourceBody(answer.body, bodyBytes) };
      } catch (error) {
        discard(answer.body, answer.headers);
        throw error;
      }
    },

    async isCurrent(url, { etag, signal }) {
      const target = parse(url);
      const ifMatch = { "if-match": `"${etag}"` };
      let answer = await get(target, { ...ifMatch, ...rangeHeader({ start: 0, end: 0 }) }, signal);
      if (answer.statusCode === 416) {
        // An empty object has no first byte. Whether the store looked at If-Match before the range is its own affair, so ask plainly.
        discard(answer.body, answer.headers);
        answer = await get(target, ifMatch, signal);
      }
      if (answer.statusCode === 200 || answer.statusCode === 206) {
        discard(answer.body, answer.headers);
        return etagOf(answer.headers) === etag;
      }
      const error = await refusal(answer.statusCode, answer.headers, answer.body);
      if (error.kind === "PreconditionFailed" || error.kind === "NotFound") return false;
      throw error;
    },

    async isAbsent(url, { signal } = {}) {
      const answer = await get(parse(url), rangeHeader({ start: 0, end: 0 }), signal);
      // 416 is the answer for an empty object, which is there.
      if (answer.statusCode === 200 || answer.statusCode === 206 || answer.statusCode === 416) {
        discard(answer.body, answer.headers);
        return false;
      }
      const error = await refusal(answer.statusCode, answer.headers, answer.body);
      if (error.kind === "NotFound") return true;
      throw error;
    },

    async close() {
      await agent.destroy();
    },
  };
}

function rangeHeader(range: ByteRange | undefined): Record<string, string> {
  return range === undefined ? {} : { range: `bytes=${range.start}-${range.end}` };
}
