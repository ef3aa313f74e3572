/**
 * The dead-letter queue, in Simple Message Queue (formerly MNS). It needs one call, so the vendor's client, which has no types, is not used.
 * https://www.alibabacloud.com/help/en/mns/developer-reference/request-protocol-description
 */
import { createHmac } from "node:crypto";
import type { Dispatcher } from "undici";
import { LIMITS } from "../../protocol/messages";
import type { Clock, DeadLetterQueue, Random } from "../../protocol/ports";
import { encodeDeadLetter } from "../../protocol/queue-messages";
import type { OssCredentials } from "../../stores/oss/credentials";
import { escapeXml, xmlText } from "../../stores/oss/xml";
import { readAll } from "../../stores/read-all";
import type { OriginOf } from "./endpoints";
import { controlError, retryControl } from "./errors";
import type { OwnCredentials } from "./handler";

/** The default limit of a message's body. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

const CONTENT_TYPE = "text/xml;charset=utf-8";
const MAX_ANSWER_BYTES = 64 * 1024;
const TIMEOUT_MS = 5_000;
const CREATED = 201;

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

export interface MessageQueue {
  /** Resolves once the message is stored. The text may hold only characters that XML allows. Rejects with a `ControlError`. */
  send(text: string): Promise<void>;
}

/** @throws BridgeError `ConfigInvalid` where there is no endpoint for the queue's host. */
export function createMessageQueue(options: MessageQueueOptions): MessageQueue {
  const { originOf, credentials, dispatcher, clock } = options;
  const url = new URL(options.queueUrl);
  const origin = originOf(url.hostname);
  const path = `${url.pathname}/messages`;
  const queueName = url.pathname.split("/").at(-1);

  /** https://www.alibabacloud.com/help/en/mns/developer-reference/sendmessage */
  async function once(body: string): Promise<void> {
    const headers = signMessageRequest(
      { method: "POST", path, contentType: CONTENT_TYPE, date: new Date(clock.now()) },
      credentials.current(),
    );
    const what = `the message could not be put into the queue ${queueName}`;
    const { status, text } = await dispatcher
      .request({ origin, path, method: "POST", headers, body, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS })
      .then(async (answer) => ({
        status: answer.statusCode,
        text: (await readAll(answer.body, MAX_ANSWER_BYTES)).toString("utf8"),
      }))
      .catch((cause: unknown) => {
        throw controlError("sendMessage", what, {}, cause);
      });
    if (status !== CREATED)
      throw controlError("sendMessage", what, { status, code: xmlText(text, "Code"), requestId: xmlText(text, "RequestId") });
  }

  return {
    send: (text) =>
      retryControl(
        () =>
          once(
            `<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>${escapeXml(text)}</MessageBody></Message>`,
          ),
        options,
      ),
  };
}

const API_VERSION = "2015-06-06";

export interface MessageRequest {
  method: string;
  /** The path with its query. */
  path: string;
  /** The content type of the body; absent without a body. */
  contentType?: string;
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
