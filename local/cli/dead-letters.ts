/** Reads the reason of a dead letter from the queue in the cloud of the source. */
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { clientConfig } from "../aws/client-config";
import type { LocalStack } from "../local-stack";
import { ends } from "./ends";

const GIVEN_UP = "the platform gave the event up; see the sender's log";

/** Undefined while the queue has no dead letter of the key. */
export async function deadLetterReason(stack: LocalStack, key: string): Promise<string | undefined> {
  const { cloud, region } = ends(stack).source;
  const { deadLetterQueueUrl: url } = stack.outputs;
  // Native replication has no dead-letter queue.
  if (url === undefined) return undefined;
  return cloud === "alicloud" ? fromSmq(stack, { url, region, key }) : await fromSqs(stack, { url, cloud, region, key });
}

function fromSmq({ clouds }: LocalStack, { url, region, key }: { url: string; region: string; key: string }): string | undefined {
  const queueName = new URL(url).pathname.split("/").at(-1) ?? "";
  const named = JSON.stringify(key);
  // The key is in the message as JSON, or in an event that the platform stored as text in JSON.
  const names = [named, JSON.stringify(named).slice(1, -1)];
  const mine = clouds.alicloud.messages.messages(region, queueName).find(({ body }) => names.some((name) => body.includes(name)));
  if (mine === undefined) return undefined;
  const { deadLetter } = JSON.parse(mine.body) as { deadLetter?: { reason?: string } };
  return deadLetter?.reason ?? GIVEN_UP;
}

async function fromSqs(
  { clouds }: LocalStack,
  { url, cloud, region, key }: { url: string; cloud: "aws" | "aws-cn"; region: string; key: string },
): Promise<string | undefined> {
  const client = new SQSClient({ ...clientConfig(clouds[cloud]), region });
  try {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ["All"],
        // Leaves the messages visible.
        VisibilityTimeout: 0,
      }),
    );
    // S3 encodes the keys in its events; the bridge does not.
    const names = [key, encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/")].map((name) =>
      JSON.stringify(name),
    );
    const mine = Messages.find(({ Body = "" }) => names.some((name) => Body.includes(name)));
    return mine && (mine.MessageAttributes?.Reason?.StringValue ?? GIVEN_UP);
  } finally {
    client.destroy();
  }
}
