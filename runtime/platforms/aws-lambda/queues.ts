/**
 * The sender's queues.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
import { createHash } from "node:crypto";
import { arrayAt, at, textAt } from "../../protocol/json";
import { LIMITS } from "../../protocol/messages";
import type { Clock, DeadLetterQueue, HeldMessage, Look, OutageQueue, WorkQueue } from "../../protocol/ports";
import { decodeLook, encodeLook, redriven } from "../../protocol/queue-messages";
import { BridgeError } from "../../stores/errors";
import type { AwsApi } from "./api";

const MAX_DELAY_SECONDS = 900;
/** Characters that SQS does not accept. With one of them in an attribute, SQS refuses the whole message. */
const NOT_STORABLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

type Sqs = Pick<AwsApi, "sqs">;

export function createWorkQueue(api: Sqs, queueUrl: string): WorkQueue {
  return {
    async enqueue(look, delaySeconds) {
      const DelaySeconds = Math.min(MAX_DELAY_SECONDS, Math.max(0, Math.ceil(delaySeconds)));
      const call = { op: "enqueue", what: "the look could not be put into the work queue" };
      await sendMessage(api, call, { QueueUrl: queueUrl, MessageBody: encodeLook(look), DelaySeconds });
    },
    enqueueAll: (looks) => storeAll(api, { queueUrl, op: "enqueue", name: "work queue" }, looks),
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

export function createOutageQueue(api: Sqs, { queueUrl, deadLetters, clock }: OutageQueueOptions): OutageQueue {
  const call = { queueUrl, name: "outage queue" };
  const remove = (messages: readonly HeldMessage[]) =>
    eachBatch({ ...call, op: "remove" }, messages, async (batch) => {
      const Entries = batch.map(({ handle }, index) => ({ Id: String(index), ReceiptHandle: handle }));
      return api.sqs({
        ...inBatch(call.name, batch),
        op: "remove",
        action: "DeleteMessageBatch",
        input: { QueueUrl: queueUrl, Entries },
      });
    });
  return {
    async isEmpty() {
      const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
      const answer = await api.sqs({
        op: "count",
        what: "the outage queue could not be asked for its messages",
        action: "GetQueueAttributes",
        input: { QueueUrl: queueUrl, AttributeNames },
      });
      const counts = at(answer, "Attributes");
      return AttributeNames.every((name) => textAt(counts, name) === "0");
    },
    add: (looks) => storeAll(api, { ...call, op: "hold" }, looks),
    async receive() {
      const answer = await api.sqs({
        op: "receive",
        what: "the outage queue could not be read",
        action: "ReceiveMessage",
        input: {
          QueueUrl: queueUrl,
          MaxNumberOfMessages: BATCH,
          VisibilityTimeout: HELD_SECONDS,
          WaitTimeSeconds: RECEIVE_WAIT_SECONDS,
        },
      });
      const held: HeldMessage[] = [];
      for (const message of arrayAt(answer, "Messages") ?? []) {
        const body = textAt(message, "Body") ?? "";
        const handle = textAt(message, "ReceiptHandle") ?? "";
        assertDigest("receive", "a message of the outage queue", body, textAt(message, "MD5OfBody"));
        try {
          const look = decodeLook(body);
          held.push({ look: { ...look, firstSeenMs: look.firstSeenMs ?? clock.now() }, handle });
        } catch (error) {
          const unread: Look = { key: "", firstSeenMs: clock.now(), failures: 0 };
          await deadLetters.park(unread, `a message of the outage queue cannot be read: ${(error as Error).message}`, body);
          await remove([{ look: unread, handle }]);
        }
      }
      return held;
    },
    remove,
  };
}

interface SentMessage {
  QueueUrl: string;
  MessageBody: string;
  DelaySeconds?: number;
  MessageAttributes?: Record<string, { DataType: string; StringValue: string }>;
}

async function sendMessage(api: Sqs, { op, what }: { op: string; what: string }, message: SentMessage): Promise<void> {
  const answer = await api.sqs({ op, what, action: "SendMessage", input: { ...message } });
  assertDigest(op, what, message.MessageBody, textAt(answer, "MD5OfMessageBody"));
}

/** SQS answers with the MD5 of what it has stored or delivers, as a check of the way there and back. */
function assertDigest(op: string, what: string, body: string, digest: string | undefined): void {
  if (createHash("md5").update(body).digest("hex") === digest) return;
  const found = digest === undefined ? "has no MD5: this is no endpoint of SQS" : "has another MD5 than the message";
  throw new BridgeError("Corrupted", op, `${what}: the answer ${found}`);
}

/** The most messages of one call. */
const BATCH = 10;
/** Calls for a batch of which SQS refused a part. Calls that fail as a whole are repeated by the API. */
const BATCH_ATTEMPTS = 3;

interface BatchCall {
  queueUrl: string;
  op: string;
  /** As in an error's text. */
  name: string;
}

function storeAll(api: Sqs, { queueUrl, op, name }: BatchCall, looks: readonly Look[]): Promise<void> {
  return eachBatch({ queueUrl, op, name }, looks, async (batch) => {
    const Entries = batch.map((look, index) => ({ Id: String(index), MessageBody: encodeLook(look) }));
    const call = { ...inBatch(name, batch), op };
    const answer = await api.sqs({ ...call, action: "SendMessageBatch", input: { QueueUrl: queueUrl, Entries } });
    const [stored, failed] = ["Successful", "Failed"].map((list) => arrayAt(answer, list) ?? []);
    for (const { Id, MessageBody } of Entries) {
      if (failed?.some((one) => textAt(one, "Id") === Id)) continue;
      // A message that the answer does not name counts as lost, not as stored.
      const own = stored?.find((one) => textAt(one, "Id") === Id);
      assertDigest(op, call.what, MessageBody, textAt(own, "MD5OfMessageBody"));
    }
    return answer;
  });
}

const inBatch = (name: string, batch: readonly unknown[]) => ({ what: `${batch.length} messages of the ${name}` });

/**
 * Sends the items in batches. Repeats the ones that SQS refuses.
 * @param send returns the answer. The id of an entry is its index in the batch.
 */
async function eachBatch<T>(
  { op, name }: BatchCall,
  items: readonly T[],
  send: (batch: readonly T[]) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    let batch = items.slice(start, start + BATCH);
    for (let attempt = 1; batch.length > 0; attempt++) {
      const failed = arrayAt(await send(batch), "Failed") ?? [];
      const [first] = failed;
      if (first === undefined) break;
      const isFinal = at(first, "SenderFault") === true;
      if (isFinal || attempt === BATCH_ATTEMPTS) {
        throw new BridgeError(
          isFinal ? "Invalid" : "Unavailable",
          op,
          `SQS refused ${failed.length} of ${batch.length} messages of the ${name}: ${textAt(first, "Code")}`,
        );
      }
      const refused = new Set(failed.map((entry) => textAt(entry, "Id")));
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
export function createDeadLetterQueue(api: Sqs, { queueUrl, bridgeId, clock }: DeadLetterOptions): DeadLetterQueue {
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
      const call = { op: "park", what: "the look could not be put into the dead-letter queue" };
      await sendMessage(api, call, {
        QueueUrl: queueUrl,
        // SQS refuses an empty body as well.
        MessageBody: original ? storable(original) : encodeLook(redriven(look)),
        MessageAttributes: Object.fromEntries(present.map(([name, value]) => [name, { DataType: "String", StringValue: value }])),
      });
    },
  };
}

function storable(text: string): string {
  return text.replace(NOT_STORABLE, "\ufffd");
}

/** A key from a malformed event may hold half a surrogate pair, which encodeURIComponent refuses. */
function percentEncode(key: string): string {
  return encodeURIComponent(Buffer.from(key, "utf8").toString("utf8"));
}
