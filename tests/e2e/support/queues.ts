/** Writes to and reads from the queues of the source side. */
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { eventually } from "./eventually";
import type { TestStack } from "./stack";

function workQueueOf({ local }: TestStack): string {
  const { queueUrl } = local.outputs;
  if (queueUrl === undefined) throw new Error("this stack has no work queue: its source is not in AWS");
  return queueUrl;
}

const COUNTS = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;

/** Messages that are visible, hidden or delayed. */
async function countOf({ sqs }: TestStack, QueueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...COUNTS] }));
  return COUNTS.reduce((sum, name) => sum + Number(Attributes[name]), 0);
}

/** Keys that wait for the receiver. */
export function heldKeys(stack: TestStack): Promise<number> {
  const { outageQueueUrl } = stack.local.outputs;
  if (outageQueueUrl === undefined) throw new Error("this stack has no outage queue");
  return countOf(stack, outageQueueUrl);
}

/** Sends an S3 notification of the source bucket to the work queue, like S3. */
export async function sendEvent(stack: TestStack, key: string, eventName = "ObjectCreated:Put"): Promise<void> {
  await sendMessage(
    stack,
    JSON.stringify({
      Records: [
        {
          eventVersion: "2.1",
          eventSource: "aws:s3",
          awsRegion: stack.source.cloud.region,
          eventTime: new Date().toISOString(),
          eventName,
          userIdentity: { principalId: "AWS:AIDAUSER" },
          s3: { bucket: { name: stack.source.bucket }, object: { key: encodeURIComponent(key).replaceAll("%20", "+") } },
        },
      ],
    }),
  );
}

export async function sendMessage(stack: TestStack, body: string): Promise<void> {
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: workQueueOf(stack), MessageBody: body }));
}

/** Waits until no key is left: no message is visible, delayed or in work, and none waits for the receiver. */
export async function settled(stack: TestStack, deadlineMs = 60_000): Promise<void> {
  await eventually(
    async () => {
      // In this order: a key that goes back to work is in both queues for a moment.
      const held = await heldKeys(stack);
      expect({ held, working: await countOf(stack, workQueueOf(stack)) }).toEqual({ held: 0, working: 0 });
    },
    { deadlineMs, what: "the work queue and the outage queue are empty" },
  );
}

export interface DeadLetter {
  reason: string | undefined;
  /** Decoded. */
  key: string;
  body: string;
}

/** Reads all dead letters and deletes them from their queue. */
export async function takeDeadLetters({ sqs, local }: TestStack): Promise<DeadLetter[]> {
  const QueueUrl = local.outputs.deadLetterQueueUrl;
  const letters: DeadLetter[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] }),
    );
    if (Messages.length === 0) return letters;
    for (const message of Messages) {
      letters.push(readLetter(message));
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    }
  }
}

function readLetter({ Body = "", MessageAttributes = {} }: Message): DeadLetter {
  return {
    reason: MessageAttributes.Reason?.StringValue,
    key: decodeURIComponent(MessageAttributes.Key?.StringValue ?? ""),
    body: Body,
  };
}
