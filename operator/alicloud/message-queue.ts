/**
 * Dead letters in Simple Message Queue (formerly MNS).
 * https://www.alibabacloud.com/help/en/mns/developer-reference/request-protocol-description
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { ControlError, controlError } from "../../runtime/platforms/alicloud-fc/errors";
import { signMessageRequest } from "../../runtime/platforms/alicloud-fc/message-queue";
import { xmlElements, xmlText } from "../../runtime/stores/oss/xml";
import { readAll } from "../../runtime/stores/read-all";
import { forEachBounded } from "../bounded";
import { deadLetters, keysOfLetter, receiveAll } from "../letters";
import type { DeadLetters, ParkedKey } from "../operated-bridge";
import type { AlibabaAccess } from "../side-access";

const BATCH = 16;
/** A batch of the largest messages, every character of them escaped. */
const MAX_ANSWER_BYTES = 16 * 64 * 1024 * 6;
const TIMEOUT_MS = 30_000;
const SIDE_BY_SIDE = 8;
/** The least that a message can be told to stay hidden. */
const HIDDEN_SECONDS = 1;

export interface SmqOptions extends Pick<AlibabaAccess, "credentials" | "originOf"> {
  /** `https://<uid>.mns.<region>.aliyuncs.com/queues/<name>` */
  queueUrl: string;
  dispatcher: Dispatcher;
  now(): number;
  /** @default the system's timer */
  sleep?(ms: number): Promise<unknown>;
}

/** Leaves the queue as it was. */
export async function readDeadLetters(
  options: SmqOptions,
  { limit, signal }: { limit: number; signal?: AbortSignal | undefined },
): Promise<DeadLetters> {
  const queue = openQueue(options, signal);
  // Hides nothing from anybody, but shows the first few alone.
  const first = await queue.batch(`peekonly=true&numOfMessages=${BATCH}`);
  if (first.length < BATCH || limit <= BATCH) return deadLetters(lettersIn(first), { limit, sawAll: first.length < BATCH });

  const seen = new Map<string, string>();
  let sawAll = false;
  try {
    const receive = () => queue.batch(`numOfMessages=${BATCH}&waitseconds=0`);
    sawAll = await receiveAll(seen, { receive, idOf, limit });
  } finally {
    await forEachBounded(seen.values(), { limit: SIDE_BY_SIDE }, queue.giveBack);
    // Only then are they there for the next reader.
    await (options.sleep ?? delay)(HIDDEN_SECONDS * 1000);
  }
  return deadLetters(lettersIn([...seen.values()]), { limit, sawAll });
}

const idOf = (message: string): string => xmlText(message, "MessageId") ?? "";

function lettersIn(messages: readonly string[]): ParkedKey[] {
  return messages.flatMap((message) => {
    const enqueued = Number(xmlText(message, "EnqueueTime"));
    const storedAt = Number.isFinite(enqueued) ? new Date(enqueued) : undefined;
    return keysOfLetter({ body: xmlText(message, "MessageBody") ?? "", storedAt });
  });
}

function openQueue({ queueUrl, originOf, credentials, dispatcher, now }: SmqOptions, signal: AbortSignal | undefined) {
  const url = new URL(queueUrl);
  const origin = originOf(url.hostname);

  async function send(method: "GET" | "PUT", query: string, wanted: AbortSignal | undefined): Promise<string> {
    const path = `${url.pathname}/messages?${query}`;
    const headers = signMessageRequest({ method, path, date: new Date(now()) }, await credentials());
    const what = `the dead-letter queue ${url.pathname.split("/").at(-1)} cannot be read`;
    const { status, text } = await dispatcher
      .request({
        ...{ origin, path, method, headers, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS },
        ...(wanted === undefined ? {} : { signal: wanted }),
      })
      .then(async ({ statusCode, body }) => ({
        status: statusCode,
        text: (await readAll(body, MAX_ANSWER_BYTES)).toString("utf8"),
      }))
      .catch((cause: unknown) => {
        wanted?.throwIfAborted();
        throw controlError("deadLetters", what, {}, cause);
      });
    if (status === 200) return text;
    throw controlError("deadLetters", what, { status, code: xmlText(text, "Code"), requestId: xmlText(text, "RequestId") });
  }

  return {
    /** https://www.alibabacloud.com/help/en/mns/developer-reference/batchreceivemessage */
    async batch(query: string): Promise<string[]> {
      try {
        return xmlElements(await send("GET", query, signal), "Message");
      } catch (error) {
        if (isCode(error, "MessageNotExist")) return [];
        throw error;
      }
    },
    /**
     * Not by the caller's signal: they go back whatever becomes of the command.
     * https://www.alibabacloud.com/help/en/mns/developer-reference/changemessagevisibility
     */
    async giveBack(message: string): Promise<void> {
      const handle = encodeURIComponent(xmlText(message, "ReceiptHandle") ?? "");
      try {
        await send("PUT", `receiptHandle=${handle}&visibilityTimeout=${HIDDEN_SECONDS}`, undefined);
      } catch (error) {
        // It has come back by itself or somebody has removed it.
        if (!isCode(error, "MessageNotExist", "ReceiptHandleError")) throw error;
      }
    },
  };
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof ControlError && error.code !== undefined && codes.includes(error.code);
}
