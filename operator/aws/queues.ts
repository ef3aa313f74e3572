/** Queues of SQS. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ */
import {
  ChangeMessageVisibilityBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { toBridgeError } from "../../runtime/platforms/aws-lambda/errors";
import { decodeS3Key } from "../../runtime/protocol/events";
import { encodeLook } from "../../runtime/protocol/queue-messages";
import { BridgeError } from "../../runtime/stores/errors";
import { forEachBounded } from "../bounded";
import { chunks } from "../chunks";
import { deadLetters, keysOfLetter, receiveAll } from "../letters";
import type { DeadLetters, ParkedKey } from "../operated-bridge";
import type { AwsAccess } from "../side-access";
import { awsClientOptions } from "./client-options";

const BATCH = 10;
/** Nobody else gets a letter that is being looked at; after a crash it comes back by itself. */
const LOOK_SECONDS = 120;
/** Long enough for SQS to ask all of its servers before it says that there is nothing. */
const WAIT_SECONDS = 1;
const SIDE_BY_SIDE = 8;

export interface QueueOptions {
  signal?: AbortSignal | undefined;
}

export interface SqsQueues {
  /** Leaves the queue as it was. */
  deadLetters(queueUrl: string, options: QueueOptions & { limit: number }): Promise<DeadLetters>;
  /** Puts a fresh look at each key into the work queue. */
  enqueue(queueUrl: string, keys: readonly string[], options: QueueOptions & { nowMs: number }): Promise<void>;
  close(): void;
}

export function createSqsQueues(access: AwsAccess): SqsQueues {
  const client = new SQSClient(awsClientOptions(access));
  const http = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });
  const failed = (op: string, what: string, signal?: AbortSignal) => (cause: unknown) => {
    signal?.throwIfAborted();
    throw toBridgeError(op, what, cause);
  };

  async function receive(queueUrl: string, signal: AbortSignal | undefined): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: BATCH,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["SentTimestamp"],
      VisibilityTimeout: LOOK_SECONDS,
      WaitTimeSeconds: WAIT_SECONDS,
    });
    const { Messages = [] } = await client
      .send(command, http(signal))
      .catch(failed("deadLetters", "the dead-letter queue cannot be read", signal));
    return Messages;
  }

  /** Not by the caller's signal: they go back whatever becomes of the command. */
  async function giveBack(queueUrl: string, messages: readonly Message[]): Promise<void> {
    for (const chunk of chunks(messages, BATCH)) {
      const Entries = chunk.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
      const { Failed = [] } = await client
        .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }))
        .catch(failed("deadLetters", `dead letters could not be given back and stay hidden for ${LOOK_SECONDS} s`));
      // Somebody else may have removed one meanwhile.
      const stuck = Failed.filter(({ SenderFault }) => SenderFault !== true);
      if (stuck.length > 0)
        throw new BridgeError("Unavailable", "deadLetters", `${stuck.length} dead letters stay hidden for ${LOOK_SECONDS} s`);
    }
  }

  return {
    async deadLetters(queueUrl, { limit, signal }) {
      const seen = new Map<string, Message>();
      let sawAll = false;
      try {
        sawAll = await receiveAll(seen, { receive: () => receive(queueUrl, signal), idOf, limit });
      } finally {
        await giveBack(queueUrl, [...seen.values()]);
      }
      return deadLetters([...seen.values()].flatMap(readLetter), { limit, sawAll });
    },

    async enqueue(queueUrl, keys, { nowMs, signal }) {
      await forEachBounded(chunks(keys, BATCH), { limit: SIDE_BY_SIDE, signal }, async (chunk) => {
        const Entries = chunk.map((key, index) => ({
          Id: String(index),
          MessageBody: encodeLook({ key, attempt: 0, firstSeenMs: nowMs }),
        }));
        const { Failed = [] } = await client
          .send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }), http(signal))
          .catch(failed("enqueue", "the keys could not be put into the work queue", signal));
        const [first] = Failed;
        if (first !== undefined)
          throw new BridgeError(
            first.SenderFault === true ? "Invalid" : "Unavailable",
            "enqueue",
            `${Failed.length} of ${chunk.length} keys could not be put into the work queue: ${first.Code ?? "no reason given"}`,
          );
      });
    },

    close: () => client.destroy(),
  };
}

const idOf = ({ MessageId = "" }: Message): string => MessageId;

function readLetter({ Body = "", MessageAttributes = {}, Attributes = {} }: Message): ParkedKey[] {
  const text = (name: string) => MessageAttributes[name]?.StringValue;
  const key = text("Key");
  return keysOfLetter({
    body: Body,
    // As the bridge writes it, see runtime/platforms/aws-lambda/queues.ts.
    key: key === undefined ? undefined : decodeS3Key(key),
    reason: text("Reason"),
    parkedAt: text("ParkedAt"),
    storedAt: Attributes.SentTimestamp === undefined ? undefined : new Date(Number(Attributes.SentTimestamp)),
  });
}
