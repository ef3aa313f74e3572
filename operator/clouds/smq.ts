/**
 * Reads queues of Simple Message Queue (formerly MNS) and leaves every message in them.
 * https://www.alibabacloud.com/help/en/mns/developer-reference/request-protocol-description
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { parseXml, type XmlElement } from "../../runtime/http/xml";
import { ControlError, controlError } from "../../runtime/platforms/alicloud-fc/errors";
import { signMessageRequest } from "../../runtime/platforms/alicloud-fc/message-queue";
import { readAll } from "../../runtime/stores/read-all";
import { forEachBounded } from "../concurrency";
import type {
  AlicloudAccess,
  DeadLetters,
  HeldLooks,
  ParkedKey,
  ReadOptions,
  Redriven,
  RedriveOptions,
} from "../operated-bridge";
import { deadLetters, heldLooks, keysOfDeadLetter, receiveAll, redriveQueue, type TakenLetter } from "./side";

const SMQ_BATCH = 16;
/** A batch of the largest messages, with every character escaped. */
const MAX_ANSWER_BYTES = 16 * 64 * 1024 * 6;
const TIMEOUT_MS = 30_000;
const REQUESTS_AT_ONCE = 8;
/** The shortest time that SMQ hides a message for. */
const HIDDEN_SECONDS = 1;

export interface SmqOptions extends Pick<AlicloudAccess, "credentials" | "originOf"> {
  /** `https://<uid>.mns.<region>.aliyuncs.com/queues/<name>` */
  queueUrl: string;
  dispatcher: Dispatcher;
  now(): number;
  /** @default the system's timer */
  sleep?(ms: number): Promise<unknown>;
}

export async function readDeadLetters(options: SmqOptions, read: ReadOptions): Promise<DeadLetters> {
  const { messages, sawAll } = await readMessages(options, { ...read, name: "the dead-letter queue" });
  return deadLetters(deadLettersIn(messages), { limit: read.limit, sawAll });
}

/** Reads the keys of an outage queue. The tick hides those that it probes with. */
export async function readHeld(options: SmqOptions, read: ReadOptions): Promise<HeldLooks> {
  const total = await countMessages(options, { ...read, name: "the outage queue" });
  const { messages, sawAll } = await readMessages(options, { ...read, name: "the outage queue" });
  const bodies = messages.map((message) => message.textOf("MessageBody") ?? "");
  return heldLooks(bodies, { limit: read.limit, sawAll: sawAll && bodies.length >= total });
}

/** Hands letters over and removes them. SMQ hides a received message for as long as its queue says. */
export async function redriveLetters(
  options: SmqOptions,
  redriving: RedriveOptions,
  hand: (letters: readonly string[]) => Promise<void>,
): Promise<Redriven> {
  const queue = openQueue(options, { name: "the dead-letter queue", signal: redriving.signal });
  const together = <T>(items: readonly T[], work: (item: T) => Promise<void>) =>
    forEachBounded(items, { limit: REQUESTS_AT_ONCE }, work);
  return redriveQueue<TakenMessage>(
    {
      receive: async () => (await queue.batch(`numOfMessages=${SMQ_BATCH}&waitseconds=0`)).map(taken),
      remove: (letters) => together(letters, ({ message }) => queue.remove(message)),
      giveBack: (letters) => together(letters, ({ message }) => queue.unhide(message)),
    },
    { ...redriving, now: options.now },
    hand,
  );
}

interface TakenMessage extends TakenLetter {
  message: XmlElement;
}

const taken = (message: XmlElement): TakenMessage => ({
  ...{ id: idOf(message), text: message.textOf("MessageBody") ?? "", letters: deadLettersIn([message]), message },
});

/** Ready, delayed and received. https://www.alibabacloud.com/help/en/mns/developer-reference/getqueueattributes */
export async function countMessages(
  options: SmqOptions,
  { signal, name = "the work queue" }: Pick<ReadOptions, "signal"> & { name?: string },
): Promise<number> {
  const queue = parseXml(await openQueue(options, { name, signal }).attributes());
  return ["ActiveMessages", "DelayMessages", "InactiveMessages"].reduce((sum, name) => sum + Number(queue?.textOf(name) ?? 0), 0);
}

/** Reads at most `limit` messages and leaves every message in the queue. */
async function readMessages(
  options: SmqOptions,
  { limit, signal, name }: ReadOptions & { name: string },
): Promise<{ messages: XmlElement[]; sawAll: boolean }> {
  const queue = openQueue(options, { name, signal });
  // A peek hides no message, but returns only the first few.
  const first = await queue.batch(`peekonly=true&numOfMessages=${SMQ_BATCH}`);
  if (first.length < SMQ_BATCH || limit <= SMQ_BATCH) return { messages: first, sawAll: first.length < SMQ_BATCH };

  const seen = new Map<string, XmlElement>();
  let sawAll = false;
  try {
    const receive = () => queue.batch(`numOfMessages=${SMQ_BATCH}&waitseconds=0`);
    sawAll = await receiveAll(seen, { receive, idOf, limit });
  } finally {
    await forEachBounded(seen.values(), { limit: REQUESTS_AT_ONCE }, queue.unhide);
    // The messages become visible to the next reader only then.
    await (options.sleep ?? delay)(HIDDEN_SECONDS * 1000);
  }
  return { messages: [...seen.values()], sawAll };
}

const idOf = (message: XmlElement): string => message.textOf("MessageId") ?? "";

function deadLettersIn(messages: readonly XmlElement[]): ParkedKey[] {
  return messages.flatMap((message) => {
    const enqueued = Number(message.textOf("EnqueueTime"));
    const storedAt = Number.isFinite(enqueued) ? new Date(enqueued) : undefined;
    return keysOfDeadLetter({ body: message.textOf("MessageBody") ?? "", storedAt });
  });
}

function openQueue(
  { queueUrl, originOf, credentials, dispatcher, now }: SmqOptions,
  { name, signal }: { name: string; signal: AbortSignal | undefined },
) {
  const url = new URL(queueUrl);
  const origin = originOf(url.hostname);

  async function send(method: "GET" | "PUT" | "DELETE", resource: string, wanted: AbortSignal | undefined): Promise<string> {
    const path = `${url.pathname}${resource}`;
    const headers = signMessageRequest({ method, path, date: new Date(now()) }, await credentials());
    const what = `${name} ${url.pathname.split("/").at(-1)} cannot be read`;
    const { status, text } = await dispatcher
      .request({
        ...{ origin, path, method, headers, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS },
        signal: wanted ?? null,
      })
      .then(async ({ statusCode, body }) => ({
        status: statusCode,
        text: (await readAll(body, MAX_ANSWER_BYTES)).toString("utf8"),
      }))
      .catch((cause: unknown) => {
        wanted?.throwIfAborted();
        throw controlError("receive", what, {}, cause);
      });
    if (status === 200 || status === 204) return text;
    const refusal = parseXml(text);
    throw controlError("receive", what, { status, code: refusal?.textOf("Code"), requestId: refusal?.textOf("RequestId") });
  }

  return {
    attributes: () => send("GET", "", signal),
    /** https://www.alibabacloud.com/help/en/mns/developer-reference/batchreceivemessage */
    async batch(query: string): Promise<XmlElement[]> {
      try {
        return parseXml(await send("GET", `/messages?${query}`, signal))?.all("Message") ?? [];
      } catch (error) {
        if (isCode(error, "MessageNotExist")) return [];
        throw error;
      }
    },
    /** https://www.alibabacloud.com/help/en/mns/developer-reference/deletemessage */
    async remove(message: XmlElement): Promise<void> {
      try {
        await send("DELETE", `/messages?ReceiptHandle=${encodeURIComponent(message.textOf("ReceiptHandle") ?? "")}`, signal);
      } catch (error) {
        // It was handed over for so long that it is visible again: the next redrive hands it over once more.
        if (!isCode(error, "MessageNotExist", "ReceiptHandleError")) throw error;
      }
    },
    /**
     * Takes no signal: the message becomes visible again also after an interruption.
     * https://www.alibabacloud.com/help/en/mns/developer-reference/changemessagevisibility
     */
    async unhide(message: XmlElement): Promise<void> {
      const handle = encodeURIComponent(message.textOf("ReceiptHandle") ?? "");
      try {
        await send("PUT", `/messages?receiptHandle=${handle}&visibilityTimeout=${HIDDEN_SECONDS}`, undefined);
      } catch (error) {
        // The message is visible again already, or another reader removed it.
        if (!isCode(error, "MessageNotExist", "ReceiptHandleError")) throw error;
      }
    },
  };
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof ControlError && error.code !== undefined && codes.includes(error.code);
}
