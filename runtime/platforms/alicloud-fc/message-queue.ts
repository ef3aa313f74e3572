/**
 * Simple Message Queue (formerly MNS), as far as dead letters need it: one call does not warrant the vendor's client, which has no types.
 * https://www.alibabacloud.com/help/en/mns/developer-reference/request-protocol-description
 */
import type { Dispatcher } from "undici";
import type { Clock } from "../../protocol/ports";
import { escapeXml, xmlText } from "../../stores/oss/xml";
import { readAll } from "../../stores/read-all";
import type { OwnCredentials } from "./credentials";
import type { OriginOf } from "./endpoints";
import { controlError } from "./errors";
import { signMessageRequest } from "./message-signature";
import { patiently, type RetryOptions } from "./retry";

/** Of a message's body, by default. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

const CONTENT_TYPE = "text/xml;charset=utf-8";
const MAX_ANSWER_BYTES = 64 * 1024;
const TIMEOUT_MS = 5_000;
const CREATED = 201;

export interface MessageQueueOptions extends RetryOptions {
  /** `https://<uid>.mns.<region>.aliyuncs.com/queues/<name>` */
  queueUrl: string;
  originOf: OriginOf;
  credentials: Pick<OwnCredentials, "current">;
  dispatcher: Dispatcher;
  clock: Clock;
}

export interface MessageQueue {
  /** Resolves once the message is stored. The text must hold only characters that XML has. Rejects with a `ControlError`. */
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
      patiently(
        () =>
          once(
            `<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>${escapeXml(text)}</MessageBody></Message>`,
          ),
        options,
      ),
  };
}
