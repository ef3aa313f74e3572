/** Posts signed requests to the receiver. Accepts only a whole, well-formed answer; the error for any other answer says what it means. */
import type { Dispatcher } from "undici";
import type { ConnectionOptions } from "../../http/agent";
import { type Connections, openConnections } from "../../http/connections";
import { LIMITS, type ReplicationRequest, type ReplicationResponse, responseSchema } from "../../protocol/messages";
import { type Clock, type ReceiverClient, ReceiverUnreachable } from "../../protocol/ports";
import { retryAfterSeconds } from "../../protocol/retry-after";
import { type Secret, signRequest } from "../../protocol/signing";
import type { RequestSigner } from "./sign-iam";

export interface ReceiverClientOptions {
  /** https. */
  url: string;
  secrets: () => Promise<readonly Secret[]>;
  clock: Clock;
  /** From the first byte sent to the last byte received. Longer than the receiver's hard end, so that the receiver can still answer. */
  timeoutMs: number;
  newId: () => string;
  /** Of the connections, which are kept over a pause. */
  connection?: ConnectionOptions | undefined;
  /** Adds the platform's own signature (SigV4) over the headers and the body. */
  sign?: RequestSigner | undefined;
}

/** How long an answer may take to arrive after the receiver's hard end. */
const ANSWER_MS = 2_000;

/** How long to wait for a receiver with this hard end. */
export function answerTimeoutMs({ receiverTimeoutSeconds }: { receiverTimeoutSeconds: number }): number {
  return receiverTimeoutSeconds * 1000 + ANSWER_MS;
}

export interface ClosableReceiverClient extends ReceiverClient {
  /** Ends every connection. */
  close(): Promise<void>;
}

/** @throws Error when the URL is not https. */
export function createReceiverClient(options: ReceiverClientOptions): ClosableReceiverClient {
  const url = new URL(options.url);
  if (url.protocol !== "https:") throw new Error("the receiver's URL must be https");
  const connections = openConnections({ ...options.connection, clock: options.clock });
  return {
    close: () => connections.close(),
    warm: () => connections.warm(url.origin, 1),
    async post(request, { signal } = {}) {
      const body = JSON.stringify(request);
      const headers = await signedHeaders(options, url, body);
      const timeout = options.clock.after(options.timeoutMs);
      const { status, text, retryAfter, repeated } = await send(connections, {
        url,
        body,
        headers,
        timeoutMs: options.timeoutMs,
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      if (status !== 200) throw refusalOf(status, text, retryAfterSeconds(retryAfter, options.clock.now()));
      const response = checked(request, text);
      return repeated ? withUnsettled(response) : response;
    },
  };
}

/**
 * The receipts of a request that was sent again on a new connection. The same signed request twice is harmless: the receiver compares it with
 * what the source is now. But the first one may have reached a receiver after all, and its write would land later than this answer. So the key
 * is looked at once more after the receiver's hard end.
 */
function withUnsettled({ version, receipts }: ReplicationResponse): ReplicationResponse {
  return { version, receipts: receipts.map((receipt) => ({ ...receipt, unsettled: true })) };
}

/** A failure here means that nothing was sent. */
async function signedHeaders(options: ReceiverClientOptions, url: URL, body: string): Promise<Record<string, string>> {
  const { newId, clock, secrets, sign } = options;
  try {
    const headers = {
      "content-type": "application/json",
      ...signRequest({ id: newId(), timestampMs: clock.now(), body, secrets: await secrets() }),
    };
    return sign === undefined ? headers : await sign({ url, headers, body });
  } catch (cause) {
    throw new ReceiverUnreachable("the request could not be signed: the signing secret or the invoker's key cannot be read", {
      attemptMayRun: false,
      retryable: true,
      cause,
    });
  }
}

interface SignedPost {
  url: URL;
  headers: Record<string, string>;
  body: string;
  timeoutMs: number;
  signal: AbortSignal;
}

interface RawAnswer {
  status: number;
  text: string;
  /** The header `Retry-After`. */
  retryAfter: string | undefined;
  repeated: boolean;
}

async function send(connections: Connections, { url, timeoutMs, ...post }: SignedPost): Promise<RawAnswer> {
  try {
    const request = { origin: url.origin, path: `${url.pathname}${url.search}`, method: "POST" as const, ...post };
    const limits = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
    const { answer, repeated } = await connections.request({ ...request, ...limits }, "reused");
    const retryAfter = answer.headers["retry-after"];
    return {
      status: answer.statusCode,
      text: await readBounded(answer.body),
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      repeated,
    };
  } catch (cause) {
    if (connectFailed(cause)) {
      throw new ReceiverUnreachable("the receiver cannot be connected to", { attemptMayRun: false, retryable: true, cause });
    }
    const { aborted } = post.signal;
    const what = aborted ? `the receiver did not answer within ${timeoutMs} ms` : "the connection to the receiver broke";
    throw new ReceiverUnreachable(what, { attemptMayRun: true, retryable: true, cause });
  }
}

async function readBounded(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += (chunk as Buffer).length;
    if (length > LIMITS.bodyBytes) throw new Error(`the receiver's answer is longer than ${LIMITS.bodyBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Requires one receipt per notice, in order. If a receipt were taken for another key, a copy that was not made would be acknowledged. */
function checked(request: ReplicationRequest, text: string): ReplicationResponse {
  const broken = (what: string) =>
    new ReceiverUnreachable(`the receiver's answer ${what}`, { attemptMayRun: true, retryable: true });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw broken("is not whole JSON");
  }
  const parsed = responseSchema.safeParse(json);
  if (!parsed.success) throw broken("is not a replication response of version 1");
  const { receipts } = parsed.data;
  if (receipts.length !== request.notices.length) {
    throw broken(`holds ${receipts.length} receipts for ${request.notices.length} notices`);
  }
  if (receipts.some((receipt, index) => receipt.key !== request.notices[index]?.key))
    throw broken("holds receipts of other keys");
  return parsed.data as ReplicationResponse;
}

/** Codes of the receiver itself, not of the platform in front of it. No other text of a body is repeated. */
const CODE_PATTERN = /^[a-z-]{1,40}$/;

const ICP =
  "the platform refused the request before the receiver saw it: either the sender's address is not in allowedCidrs, or the key of " +
  "auth.kind: iam lacks the right to invoke, or, for a receiver in aws-cn with auth.kind: token, its account has no ICP licence; " +
  "auth.kind: iam works without one";

const MEANING: Readonly<Record<string, string>> = {
  "address-not-allowed": "the sender's address is not in the receiver's allowedCidrs",
  "other-bridge": "the receiver belongs to another bridge: receiverUrl or bridgeId is wrong",
  "missing-signature": "the request arrived without its signature: something in between drops headers",
  "too-old": "the signature is too old: the sender's clock is behind the receiver's, or the request was held back",
  "too-new": "the sender's clock is ahead of the receiver's",
  "too-many-failures":
    "too many requests of the sender's address failed their signature: compare the signing secrets and the clocks of both sides",
  "bad-signature": "the signing secrets of sender and receiver differ",
};

/** The error for a status other than 200, in words for the operator who reads it in the dead letter. */
function refusalOf(status: number, body: string, retryAfterSeconds: number | undefined): ReceiverUnreachable {
  const code = codeIn(body);
  const meaning = code === undefined ? platformMeaning(status) : (MEANING[code] ?? code);
  const message = `the receiver answered ${status}${meaning === undefined ? "" : `: ${meaning}`}`;
  // The receiver and the platform refuse these before an attempt begins; a 5xx may come from an attempt that still runs.
  if (status === 400 || status === 413) return new ReceiverUnreachable(message, { attemptMayRun: false, retryable: false });
  // An operator has to repair 401, 403, 404 and redirects. They are retried, so that a bad deployment does not park every key at once.
  return new ReceiverUnreachable(message, {
    attemptMayRun: status >= 500 || status < 300,
    retryable: true,
    // The receiver does not serve this sender at all: its signatures fail.
    throttled: status === 429 && code !== "too-many-failures",
    retryAfterSeconds,
  });
}

function platformMeaning(status: number): string | undefined {
  if (status === 401 || status === 403) return ICP;
  if (status === 404) return "nothing is deployed at receiverUrl";
  if (status === 429) return "the request rate limit is reached";
  if (status >= 300 && status < 400) return "redirects are not followed: receiverUrl must be the endpoint itself";
  return undefined;
}

function codeIn(body: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // A platform's own page, not an answer of the receiver.
    return undefined;
  }
  const code = (json as { error?: { code?: unknown } } | null)?.error?.code;
  return typeof code === "string" && CODE_PATTERN.test(code) ? code : undefined;
}

/** OpenSSL's and Node's codes for an invalid certificate; the request was not sent then. */
const CERTIFICATE_CODES = /^(CERT_|ERR_TLS_CERT|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** Whether the call certainly failed before the request was sent. */
function connectFailed(error: unknown): boolean {
  const { code, syscall, errors } = error as { code?: unknown; syscall?: unknown; errors?: unknown };
  if (syscall === "connect" || syscall === "getaddrinfo") return true;
  if (Array.isArray(errors) && errors.length > 0) return errors.every(connectFailed);
  return typeof code === "string" && (code === "UND_ERR_CONNECT_TIMEOUT" || CERTIFICATE_CODES.test(code));
}
