/** The source side's queues, from outside. */
import { DeleteMessageCommand, GetQueueAttributesCommand, type Message, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { eventually } from "./eventually";
import type { TestStack } from "./stack";

function workQueueOf({ local }: TestStack): string {
  const { queueUrl } = local.outputs;
  if (queueUrl === undefined) throw new Error("this stack has no work queue: buffer is none");
  return queueUrl;
}

/** Puts an S3 notification of the source bucket into the work queue, as S3 would. */
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
          s3: { bucket: { name: stack.source.bucket }, object: { key: encodeURIComponent(key).replaceAll("%20", "+") } },
        },
      ],
    }),
  );
}

export async function sendMessage(stack: TestStack, body: string): Promise<void> {
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: workQueueOf(stack), MessageBody: body }));
}

/** Waits until nothing is left to do: every message was acknowledged, none is delayed or being worked on. */
export async function settled(stack: TestStack, deadlineMs = 60_000): Promise<void> {
  const names = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
  ] as const;
  await eventually(
    async () => {
      const { Attributes = {} } = await stack.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: workQueueOf(stack), AttributeNames: [...names] }),
      );
      expect(names.map((name) => [name, Attributes[name]])).toEqual(names.map((name) => [name, "0"]));
    },
    { deadlineMs, what: "the work queue is empty" },
  );
}

export interface DeadLetter {
  reason: string | undefined;
  /** As the operator reads it, decoded. */
  key: string;
  body: string;
}

/** Takes every dead letter out of its queue. */
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
