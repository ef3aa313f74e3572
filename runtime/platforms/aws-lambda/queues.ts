/**
 * The sender's queues.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
import {
  type BatchResultErrorEntry,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { LIMITS } from "../../protocol/messages";
import type { Clock, DeadLetterQueue, HeldMessage, Look, OutageQueue, WorkQueue } from "../../protocol/ports";
import { decodeLook, encodeLook, redriven } from "../../protocol/queue-messages";
import { BridgeError } from "../../stores/errors";
import { toBridgeError } from "./errors";

const MAX_DELAY_SECONDS = 900;
/** Characters that SQS does not accept. With one of them in an attribute, SQS refuses the whole message. */
const NOT_STORABLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

type Sqs = Pick<SQSClient, "send">;

export function createWorkQueue(client: Sqs, queueUrl: string): WorkQueue {
  return {
    async enqueue(look, delaySeconds) {
      const DelaySeconds = Math.min(MAX_DELAY_SECONDS, Math.max(0, Math.ceil(delaySeconds)));
      await client
        .send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: encodeLook(look), DelaySeconds }))
        .catch((cause: unknown) => {
          throw toBridgeError("enqueue", "the look could not be put into the work queue", cause);
        });
    },
    enqueueAll: (looks) => storeAll(client, { queueUrl, op: "enqueue", name: "work queue" }, looks),
  };
}

export interface OutageQueueOptions {
  queueUrl: string;
  /** Takes messages that cannot be read. In the outage queue they would keep the breaker open for ever. */
  deadLetters: DeadLetterQueue;
  clock: Clock;
}

/** How long a received message stays hidden: longer than a probe, and shorter than the time to the next tick, which may read it again. */
const HELD_SECONDS = 45;
/** Long polling asks every server of SQS. A short poll may miss messages that are there. */
const RECEIVE_WAIT_SECONDS = 1;

export function createOutageQueue(client: Sqs, { queueUrl, deadLetters, clock }: OutageQueueOptions): OutageQueue {
  const call = { queueUrl, name: "outage queue" };
  const remove = (messages: readonly HeldMessage[]) =>
    eachBatch({ ...call, op: "remove" }, messages, async (batch) => {
      const Entries = batch.map(({ handle }, index) => ({ Id: String(index), ReceiptHandle: handle }));
      return (await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }))).Failed;
    });
  return {
    async isEmpty() {
      const { Attributes = {} } = await client
        .send(
          new GetQueueAttributesCommand({
            QueueUrl: queueUrl,
            AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
          }),
        )
        .catch((cause: unknown) => {
          throw toBridgeError("count", "the outage queue could not be asked for its messages", cause);
        });
      const { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesNotVisible: hidden } = Attributes;
      return Number(visible) === 0 && Number(hidden) === 0;
    },
    add: (looks) => storeAll(client, { ...call, op: "hold" }, looks),
    async receive() {
      const { Messages = [] } = await client
        .send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrl,
            MaxNumberOfMessages: BATCH,
            VisibilityTimeout: HELD_SECONDS,
            WaitTimeSeconds: RECEIVE_WAIT_SECONDS,
          }),
        )
        .catch((cause: unknown) => {
          throw toBridgeError("receive", "the outage queue could not be read", cause);
        });
      const held: HeldMessage[] = [];
      for (const { Body = "", ReceiptHandle: handle = "" } of Messages) {
        try {
          const look = decodeLook(Body);
          held.push({ look: { ...look, firstSeenMs: look.firstSeenMs ?? clock.now() }, handle });
        } catch (error) {
          const unread: Look = { key: "", firstSeenMs: clock.now(), failures: 0 };
          await deadLetters.park(unread, `a message of the outage queue cannot be read: ${(error as Error).message}`, Body);
          await remove([{ look: unread, handle }]);
        }
      }
      return held;
    },
    remove,
  };
}

/** The most messages of one call. */
const BATCH = 10;
/** Calls for a batch of which SQS refused a part. The SDK itself repeats calls that fail as a whole. */
const BATCH_ATTEMPTS = 3;

interface BatchCall {
  queueUrl: string;
  op: string;
  /** As in an error's text. */
  name: string;
}

function storeAll(client: Sqs, call: BatchCall, looks: readonly Look[]): Promise<void> {
  return eachBatch(call, looks, async (batch) => {
    const Entries = batch.map((look, index) => ({ Id: String(index), MessageBody: encodeLook(look) }));
    return (await client.send(new SendMessageBatchCommand({ QueueUrl: call.queueUrl, Entries }))).Failed;
  });
}

/**
 * Sends the items in batches. Repeats the ones that SQS refuses.
 * @param send returns the refused entries; the id of an entry is its index in the batch
 */
async function eachBatch<T>(
  { op, name }: BatchCall,
  items: readonly T[],
  send: (batch: readonly T[]) => Promise<BatchResultErrorEntry[] | undefined>,
): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    let batch = items.slice(start, start + BATCH);
    for (let attempt = 1; batch.length > 0; attempt++) {
      const failed = await send(batch).catch((cause: unknown) => {
        throw toBridgeError(op, `${batch.length} messages of the ${name}`, cause);
      });
      const [first] = failed ?? [];
      if (first === undefined) break;
      if (first.SenderFault || attempt === BATCH_ATTEMPTS) {
        throw new BridgeError(
          first.SenderFault ? "Invalid" : "Unavailable",
          op,
          `SQS refused ${failed?.length} of ${batch.length} messages of the ${name}: ${first.Code}`,
        );
      }
      const refused = new Set(failed?.map(({ Id }) => Id));
      batch = batch.filter((_, index) => refused.has(String(index)));
    }
  }
}

export interface DeadLetterOptions {
  queueUrl: string;
  bridgeId: string;
  clock: Clock;
}

/** The body is the look or the original message: a redrive processes it again. The attributes are for people and filters. */
export function createDeadLetterQueue(client: Sqs, { queueUrl, bridgeId, clock }: DeadLetterOptions): DeadLetterQueue {
  return {
    async park(look, reason, original) {
      const attributes: Record<string, string> = {
        // Cut between code points, never within a surrogate pair.
        Reason: [...storable(reason)].slice(0, LIMITS.reasonCharacters).join("") || "unknown",
        Key: percentEncode(look.key),
        BridgeId: bridgeId,
        ParkedAt: new Date(clock.now()).toISOString(),
      };
      // SQS refuses an empty value, and a record that could not be read has no key.
      const present = Object.entries(attributes).filter(([, value]) => value !== "");
      await client
        .send(
          new SendMessageCommand({
            QueueUrl: queueUrl,
            // SQS refuses an empty body as well.
            MessageBody: original ? storable(original) : encodeLook(redriven(look)),
            MessageAttributes: Object.fromEntries(present.map(([name, value]) => [name, text(value)])),
          }),
        )
        .catch((cause: unknown) => {
          throw toBridgeError("park", "the look could not be put into the dead-letter queue", cause);
        });
    },
  };
}

function text(value: string): MessageAttributeValue {
  return { DataType: "String", StringValue: value };
}

function storable(text: string): string {
  return text.replace(NOT_STORABLE, "\ufffd");
}

/** A key from a malformed event may hold half a surrogate pair, which encodeURIComponent refuses. */
function percentEncode(key: string): string {
  return encodeURIComponent(Buffer.from(key, "utf8").toString("utf8"));
}
