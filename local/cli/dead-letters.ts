/** Why a key was given up, where the source's cloud keeps that. */
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { clientConfig } from "../aws/client-config";
import type { LocalStack } from "../local-stack";
import { ends } from "./ends";

const GIVEN_UP = "the platform gave the event up; see the sender's log";

/** Undefined while no dead letter is about the key. */
export async function deadLetterReason(stack: LocalStack, key: string): Promise<string | undefined> {
  const { cloud, region } = ends(stack).source;
  const { deadLetterQueueUrl: url } = stack.outputs;
  // Native replication gives nothing up to anybody: its state is in the cloud.
  if (url === undefined) return undefined;
  return cloud === "alicloud" ? fromSmq(stack, { url, region, key }) : await fromSqs(stack, { url, cloud, region, key });
}

function fromSmq({ clouds }: LocalStack, { url, region, key }: { url: string; region: string; key: string }): string | undefined {
  const queueName = new URL(url).pathname.split("/").at(-1) ?? "";
  const named = JSON.stringify(key);
  // As it is, and inside an event that the platform kept as text.
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
        // A look, no more: they stay there for whoever else looks.
        VisibilityTimeout: 0,
      }),
    );
    // The bridge writes keys as they are, S3 in its events encoded.
    const names = [key, encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/")].map((name) =>
      JSON.stringify(name),
    );
    const mine = Messages.find(({ Body = "" }) => names.some((name) => Body.includes(name)));
    return mine && (mine.MessageAttributes?.Reason?.StringValue ?? GIVEN_UP);
  } finally {
    client.destroy();
  }
}
