/** Posts signed requests to the receiver and believes only a whole, well-formed answer. */
import { Agent, type Dispatcher } from "undici";
import { LIMITS, type ReplicationRequest, type ReplicationResponse, responseSchema } from "../../protocol/messages";
import { type Clock, type ReceiverClient, ReceiverUnreachable } from "../../protocol/ports";
import { type Secret, signRequest } from "../../protocol/signing";
import { freshDispatcher } from "./fresh-dispatcher";
import { connectFailed, refusalOf } from "./receiver-answer";
import type { RequestSigner } from "./sign-iam";

export interface ReceiverClientOptions {
  /** https. */
  url: string;
  secrets: () => Promise<readonly Secret[]>;
  clock: Clock;
  /** From the first byte sent to the last byte received; longer than the receiver's hard end, so that it may answer. */
  timeoutMs: number;
  newId: () => string;
  /** @default a pool of its own, TLS verified */
  dispatcher?: Dispatcher | undefined;
  /** Adds the platform's own signature (SigV4) over the headers and the body. */
  sign?: RequestSigner | undefined;
}

/** The receiver ends an attempt at its hard end; this long its answer may still be on the way. */
const ANSWER_MS = 2_000;

/** How long to wait for a receiver with this hard end. */
export function answerTimeoutMs({ receiverTimeoutSeconds }: { receiverTimeoutSeconds: number }): number {
  return receiverTimeoutSeconds * 1000 + ANSWER_MS;
}

/** @throws Error when the URL is not https. */
export function createReceiverClient(options: ReceiverClientOptions): ReceiverClient {
  const { secrets, clock, timeoutMs, newId, sign } = options;
  const url = new URL(options.url);
  if (url.protocol !== "https:") throw new Error("the receiver's URL must be https");
  const { dispatcher: given } = options;
  const dispatcher = given === undefined ? freshDispatcher(clock, openPool) : () => given;

  /** Whatever fails here, nothing was sent. */
  async function signed(body: string): Promise<Record<string, string>> {
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

  async function send(
    body: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    try {
      const answer = await dispatcher().request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: "POST",
        headers,
        body,
        signal,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      return { status: answer.statusCode, text: await readBounded(answer.body) };
    } catch (cause) {
      if (connectFailed(cause)) {
        throw new ReceiverUnreachable("the receiver cannot be connected to", { attemptMayRun: false, retryable: true, cause });
      }
      const what = signal.aborted ? `the receiver did not answer within ${timeoutMs} ms` : "the connection to the receiver broke";
      throw new ReceiverUnreachable(what, { attemptMayRun: true, retryable: true, cause });
    }
  }

  return {
    async post(request, { signal } = {}) {
      const body = JSON.stringify(request);
      const headers = await signed(body);
      const timeout = clock.after(timeoutMs);
      const { status, text } = await send(body, headers, signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
      if (status !== 200) throw refusalOf(status, text);
      return checked(request, text);
    },
  };
}

function openPool(): Agent {
  return new Agent({ connect: { timeout: 5_000, rejectUnauthorized: true } });
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

/** One receipt per notice, in order, or no answer at all: a receipt taken for another key's would acknowledge what was never done. */
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
