/**
 * The sender's queues.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
import { type MessageAttributeValue, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { LIMITS } from "../../protocol/messages";
import type { Clock, DeadLetterQueue, Look, WorkQueue } from "../../protocol/ports";
import { encodeLook, redriven } from "../../protocol/queue-messages";
import { toBridgeError } from "./errors";

const MAX_DELAY_SECONDS = 900;
/** Characters that SQS does not accept. With one of them in an attribute, SQS refuses the whole message. */
const NOT_STORABLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

type Sqs = Pick<SQSClient, "send">;

export function createWorkQueue(client: Sqs, queueUrl: string): WorkQueue {
  const once = async (look: Look, delaySeconds: number): Promise<void> => {
    const DelaySeconds = Math.min(MAX_DELAY_SECONDS, Math.max(0, Math.ceil(delaySeconds)));
    await client
      .send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: encodeLook(look), DelaySeconds }))
      .catch((cause: unknown) => {
        throw toBridgeError("enqueue", "the look could not be put into the work queue", cause);
      });
  };
  return {
    enqueue: once,
    async enqueueAll(looks) {
      await Promise.all(looks.map((look) => once(look, 0)));
    },
  };
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
