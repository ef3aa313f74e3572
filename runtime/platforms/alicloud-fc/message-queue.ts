/**
 * Queues in Simple Message Queue (formerly MNS). The bridge needs few calls, so the vendor's client, which has no types, is not used.
 * https://www.alibabacloud.com/help/en/mns/developer-reference/request-protocol-description
 */
import { createHmac } from "node:crypto";
import type { Dispatcher } from "undici";
import { escapeXml, parseXml } from "../../http/xml";
import { LIMITS } from "../../protocol/messages";
import type { Clock, DeadLetterQueue, Random } from "../../protocol/ports";
import { encodeDeadLetter } from "../../protocol/queue-messages";
import type { OssCredentials } from "../../stores/oss/credentials";
import { readAll } from "../../stores/read-all";
import type { OriginOf } from "./endpoints";
import { ControlError, controlError, retryControl } from "./errors";
import type { OwnCredentials } from "./handler";

/** The limit of a message's body, and of all bodies of one batch. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Messages of one batch. */
const BATCH = 16;

const CONTENT_TYPE = "text/xml;charset=utf-8";
const NAMESPACE = 'xmlns="http://mns.aliyuncs.com/doc/v1/"';
/** A batch of the largest messages, with every character escaped. */
const MAX_ANSWER_BYTES = BATCH * MAX_MESSAGE_BYTES * 6;
const TIMEOUT_MS = 5_000;

/** SMQ messages have no attributes, so the body holds the fields for people beside the look for a redrive. */
export function createDeadLetterQueue(
  queue: MessageQueue,
  { bridgeId, clock }: { bridgeId: string; clock: Pick<Clock, "now"> },
): DeadLetterQueue {
  return {
    async park(look, reason, original) {
      const parkedAt = new Date(clock.now()).toISOString();
      const letter = { reason: reason.slice(0, LIMITS.reasonCharacters) || "unknown", bridgeId, parkedAt };
      let kept = original;
      let text = encodeDeadLetter(look, { ...letter, original: kept });
      // A message above the queue's limit is cut: the queue would refuse it as a whole.
      while (kept && Buffer.byteLength(text) > MAX_MESSAGE_BYTES) {
        kept = kept.slice(0, Math.floor(kept.length / 2));
        text = encodeDeadLetter(look, { ...letter, original: kept });
      }
      await queue.send(text);
    },
  };
}

export interface MessageQueueOptions {
  /** `https://<uid>.mns.<region>.aliyuncs.com/queues/<name>` */
  queueUrl: string;
  originOf: OriginOf;
  credentials: Pick<OwnCredentials, "current">;
  dispatcher: Dispatcher;
  clock: Clock;
  random: Random;
  sleep(ms: number): Promise<void>;
}

/** A message that was received. Other readers do not see it for the queue's visibility timeout. */
export interface ReceivedMessage {
  text: string;
  /** Removes exactly this delivery. */
  handle: string;
}

/** Every call rejects with a `ControlError`. */
export interface MessageQueue {
  /**
   * Resolves once the message is stored. The text may hold only characters that XML allows.
   * @param delaySeconds 0 to 604,800
   */
  send(text: string, delaySeconds?: number): Promise<void>;
  /** Resolves once all of them are stored. */
  sendAll(texts: readonly string[]): Promise<void>;
  /** At most 16 messages, the oldest first as far as the queue keeps the order. Empty where none is visible. */
  receive(): Promise<ReceivedMessage[]>;
  /** Messages that are visible again by now stay: they are delivered once more. */
  removeAll(messages: readonly ReceivedMessage[]): Promise<void>;
  /** Delayed messages do not count. */
  isEmpty(): Promise<boolean>;
}

interface Call {
  op: string;
  /** The beginning of the error's message. */
  what: string;
  method: "GET" | "POST" | "DELETE";
  /** Behind the queue's path. */
  path: string;
  body?: string;
}

interface Answer {
  status: number;
  text: string;
  code: string | undefined;
}

/** @throws BridgeError `ConfigInvalid` where there is no endpoint for the queue's host. */
export function createMessageQueue(options: MessageQueueOptions): MessageQueue {
  const url = new URL(options.queueUrl);
  const queueName = url.pathname.split("/").at(-1);
  const ask = createAsk(options, url);
  const messages = "/messages";

  return {
    async send(text, delaySeconds) {
      const what = `the message could not be put into the queue ${queueName}`;
      const body = xml("Message", inside({ text, delaySeconds }));
      const call = { op: "sendMessage", what, method: "POST", path: messages, body } as const;
      assertStored(call, 1, await ask(call, [CREATED]));
    },
    async sendAll(texts) {
      const what = `messages could not be put into the queue ${queueName}`;
      for (const batch of batchesOf(texts)) {
        const body = xml("Messages", batch.map((text) => `<Message>${inside({ text })}</Message>`).join(""));
        const call = { op: "batchSendMessage", what, method: "POST", path: messages, body } as const;
        assertStored(call, batch.length, await ask(call, [CREATED]));
      }
    },
    async receive() {
      const what = `the queue ${queueName} cannot be read`;
      const call = { op: "batchReceiveMessage", what, method: "GET", path: `${messages}?numOfMessages=${BATCH}` } as const;
      const { status, text } = await ask(call, [OK, NO_MESSAGE]);
      if (status !== OK) return [];
      return (parseXml(text)?.all("Message") ?? []).map((message) => ({
        text: message.textOf("MessageBody") ?? "",
        handle: message.textOf("ReceiptHandle") ?? "",
      }));
    },
    async removeAll(received) {
      const what = `messages could not be removed from the queue ${queueName}`;
      for (let from = 0; from < received.length; from += BATCH) {
        const handles = received
          .slice(from, from + BATCH)
          .map(({ handle }) => `<ReceiptHandle>${escapeXml(handle)}</ReceiptHandle>`);
        const call = { op: "batchDeleteMessage", what, method: "DELETE", path: messages } as const;
        await ask({ ...call, body: xml("ReceiptHandles", handles.join("")) }, [NO_CONTENT, SOME_ARE_GONE]);
      }
    },
    async isEmpty() {
      const what = `the queue ${queueName} cannot be read`;
      const peek = { op: "peekMessage", what, method: "GET", path: `${messages}?peekonly=true` } as const;
      if ((await ask(peek, [OK, NO_MESSAGE])).status === OK) return false;
      // A peek does not see messages that somebody has received. SMQ announces that these counts will become 0 one day.
      const op = "getQueueAttributes";
      const queue = parseXml((await ask({ op, what, method: "GET", path: "" }, [OK])).text);
      if (queue?.name !== "Queue") throw new ControlError("Unexpected", op, `${what}: the answer describes no queue`, {});
      return ["ActiveMessages", "InactiveMessages"].every((name) => Number(queue.textOf(name) ?? 0) === 0);
    },
  };
}

/** SMQ names every message that it has stored. A message that the answer does not name counts as lost. */
function assertStored({ op, what }: Call, count: number, { status, text }: Answer): void {
  const root = parseXml(text);
  const answered = root?.name === "Messages" ? root.all("Message") : root === undefined ? [] : [root];
  const stored = answered.filter((message) => message.textOf("MessageId")).length;
  if (stored === count) return;
  const found = `${what}: the answer names ${stored} of ${count} messages as stored (${status})`;
  throw new ControlError("Unavailable", op, found, {});
}

const OK = 200;
const CREATED = 201;
const NO_CONTENT = 204;
/** Outcomes that share the status 404 with a queue that does not exist. */
const NO_MESSAGE = "MessageNotExist";
const SOME_ARE_GONE = "<Errors";

/** Sends a call with retries. Any answer but the expected ones is a `ControlError`. */
function createAsk(options: MessageQueueOptions, url: URL) {
  const { originOf, credentials, dispatcher, clock } = options;
  const origin = originOf(url.hostname);

  async function once({ op, what, method, path, body }: Call): Promise<Answer> {
    const full = `${url.pathname}${path}`;
    const contentType = body === undefined ? undefined : CONTENT_TYPE;
    const headers = signMessageRequest({ method, path: full, contentType, date: new Date(clock.now()) }, credentials.current());
    try {
      const answer = await dispatcher.request({
        ...{ origin, path: full, method, headers, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS },
        body: body ?? null,
      });
      const text = (await readAll(answer.body, MAX_ANSWER_BYTES)).toString("utf8");
      return { status: answer.statusCode, text, code: parseXml(text)?.textOf("Code") };
    } catch (cause) {
      throw controlError(op, what, {}, cause);
    }
  }

  return (call: Call, expected: readonly (number | string)[]): Promise<Answer> =>
    retryControl(async () => {
      const answer = await once(call);
      const { status, code, text } = answer;
      if (expected.some((one) => one === status || one === code || (one === SOME_ARE_GONE && text.includes(one)))) return answer;
      throw controlError(call.op, call.what, { status, code, requestId: parseXml(text)?.textOf("RequestId") });
    }, options);
}

const xml = (root: string, content: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><${root} ${NAMESPACE}>${content}</${root}>`;

function inside({ text, delaySeconds }: { text: string; delaySeconds?: number | undefined }): string {
  const delay = delaySeconds === undefined ? "" : `<DelaySeconds>${delaySeconds}</DelaySeconds>`;
  return `<MessageBody>${escapeXml(text)}</MessageBody>${delay}`;
}

/** Batches of at most 16 texts that SMQ takes together. A text that is too large is alone, and SMQ refuses it. */
function* batchesOf(texts: readonly string[]): Generator<string[]> {
  let batch: string[] = [];
  let bytes = 0;
  for (const text of texts) {
    const size = Buffer.byteLength(text);
    if (batch.length === BATCH || (batch.length > 0 && bytes + size > MAX_MESSAGE_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(text);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

const API_VERSION = "2015-06-06";

export interface MessageRequest {
  method: string;
  /** The path with its query. */
  path: string;
  /** The content type of the body; absent without a body. */
  contentType?: string | undefined;
  date: Date;
}

/**
 * Signs a request to Simple Message Queue.
 * https://www.alibabacloud.com/help/en/mns/developer-reference/sign-requests
 * @returns every header of the request
 */
export function signMessageRequest(
  { method, path, contentType, date }: MessageRequest,
  { accessKeyId, accessKeySecret, securityToken }: OssCredentials,
): Record<string, string> {
  const gmt = date.toUTCString();
  // The second line is the Content-MD5, which is not needed over TLS.
  const toSign = [method, "", contentType ?? "", gmt, `x-mns-version:${API_VERSION}`, path].join("\n");
  return {
    ...(contentType === undefined ? {} : { "content-type": contentType }),
    date: gmt,
    "x-mns-version": API_VERSION,
    ...(securityToken === undefined ? {} : { "security-token": securityToken }),
    authorization: `MNS ${accessKeyId}:${createHmac("sha1", accessKeySecret).update(toSign).digest("base64")}`,
  };
}
