/** Reads presigned URLs. A URL comes over the network, so it is checked before it is read, and no redirect is followed. */
import type { Dispatcher } from "undici";
import { type Connections, openConnections } from "../http/connections";
import type { AllowedSources } from "../protocol/env";
import type { ByteRange } from "../protocol/ports";
import { BridgeError, type BridgeErrorKind } from "../stores/errors";
import { withoutStatusTags } from "./snapshot";
import { type BoundSource, isPinned, type SourcePin, type SourceReader } from "./source";
import { describeAnswer, discard, readTags, refusal, stateOf } from "./source-answer";
import { createSourceUrlParser, publicLookup, type ResolveAll, type SourceUrl } from "./source-url";
import { WatchedBody } from "./watched-body";

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
  /** Sockets per origin. @default as many as one request may hold notices */
  connections?: number;
}

export interface ClosableSourceReader extends SourceReader {
  /** Ends every connection; open bodies break. */
  close(): Promise<void>;
}

/** @throws BridgeError `ConfigInvalid` for an allowed source that no URL could ever match. */
export function createSourceReader(options: SourceReaderOptions): ClosableSourceReader {
  const parse = createSourceUrlParser(options.allowedSources);
  const connections = open(options);
  const origins = new Set(options.allowedSources.map(({ origin }) => origin));
  return {
    bind: (url, key, tagsUrl) =>
      presignedSource(connections, parse(url, key), tagsUrl === undefined ? undefined : parse(tagsUrl, key, "tags")),
    warm(urls) {
      for (const origin of origins) {
        const count = urls.filter((url) => url.startsWith(`${origin}/`)).length;
        if (count > 0) connections.warm(origin, count);
      }
    },
    close: () => connections.close(),
  };
}

function open({ ca, lookup, timeouts = {}, connections }: SourceReaderOptions): Connections {
  return openConnections({
    ca,
    // Node calls `lookup` for names only: an allowed IP literal is connected to as written.
    lookup: publicLookup(lookup),
    connections,
    connectTimeoutMs: timeouts.connectMs,
    answerTimeoutMs: timeouts.headersMs,
    bodyIdleMs: timeouts.bodyIdleMs,
  });
}

function presignedSource(connections: Connections, objectUrl: SourceUrl, tagsUrl: SourceUrl | undefined): BoundSource {
  async function get(
    signal: AbortSignal | undefined,
    headers: Record<string, string>,
    { origin, path } = objectUrl,
  ): Promise<Dispatcher.ResponseData> {
    try {
      const request = { origin, path, method: "GET" as const, headers: { "accept-encoding": "identity", ...headers } };
      return (await connections.request({ ...request, ...(signal === undefined ? {} : { signal }) }, "always")).answer;
    } catch (cause) {
      if (cause instanceof BridgeError) throw cause;
      throw new BridgeError("Unavailable", "read", signal?.aborted ? "the read was aborted" : "the source did not answer", {
        cause,
      });
    }
  }

  return {
    async open({ pin, range, signal }) {
      const { statusCode, headers, body } = await get(signal, { ...ifMatch(pin), ...rangeHeader(range) });
      if (statusCode !== 200 && statusCode !== 206) throw await refusal(statusCode, headers, body);
      try {
        const { sizeBytes, bodyBytes } = describeAnswer(statusCode, headers, { pin, range });
        return { sizeBytes, etag: pin.etag, body: new WatchedBody(body, bodyBytes) };
      } catch (error) {
        discard(body, headers);
        throw error;
      }
    },
    async isCurrent({ pin, signal }) {
      let answer = await get(signal, { ...ifMatch(pin), ...rangeHeader(FIRST_BYTE) });
      if (answer.statusCode === 416) {
        // An empty object has no first byte. A store may check the range before If-Match, so ask without a range.
        discard(answer.body, answer.headers);
        answer = await get(signal, ifMatch(pin));
      }
      return (await isPresent(answer, "PreconditionFailed", "NotFound")) && isPinned(stateOf(answer.headers), pin);
    },
    async tags({ signal } = {}) {
      if (tagsUrl === undefined)
        throw new BridgeError("Unsupported", "read", "no URL was sent for the tags of the source object");
      const { statusCode, headers, body } = await get(signal, {}, tagsUrl);
      if (statusCode !== 200) throw await refusal(statusCode, headers, body);
      return withoutStatusTags(await readTags(body));
    },
    async isAbsent({ signal } = {}) {
      const answer = await get(signal, rangeHeader(FIRST_BYTE));
      if (answer.statusCode !== 416) return !(await isPresent(answer, "NotFound"));
      // The answer for an empty object, which is there.
      discard(answer.body, answer.headers);
      return false;
    },
  };
}

/** Whether the object is there. Ends the body. `absent` names the kinds of refusal that mean no; any other refusal is thrown. */
async function isPresent({ statusCode, headers, body }: Dispatcher.ResponseData, ...absent: BridgeErrorKind[]): Promise<boolean> {
  if (statusCode === 200 || statusCode === 206) {
    discard(body, headers);
    return true;
  }
  const error = await refusal(statusCode, headers, body);
  if (absent.includes(error.kind)) return false;
  throw error;
}

const FIRST_BYTE: ByteRange = { start: 0, end: 0 };

function ifMatch({ etag }: SourcePin): Record<string, string> {
  return { "if-match": `"${etag}"` };
}

function rangeHeader(range: ByteRange | undefined): Record<string, string> {
  return range === undefined ? {} : { range: `bytes=${range.start}-${range.end}` };
}
