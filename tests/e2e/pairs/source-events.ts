/** Repeats events of a source, waits until all are done, and reads dead letters. */
import { SQSClient } from "@aws-sdk/client-sqs";
import { clientConfig } from "../../../local/aws/client-config";
import { ends } from "../../../local/cli/ends";
import type { LocalStack } from "../../../local/local-stack";
import { eventually } from "../support/eventually";
import { type DeadLetter, sendEvent, settled, takeDeadLetters } from "../support/queues";
import type { TestStack } from "../support/stack";

export interface SourceEvents {
  /** Sends a creation event of the key. */
  repeat(key: string): Promise<void>;
  /** Delivers the last event that `repeat` sent once more, unchanged. Only OSS gives events an id. */
  redeliver?(): void;
  /** Resolves when no event is left. */
  settled(): Promise<void>;
  deadLetters(): Promise<Pick<DeadLetter, "key" | "reason">[]>;
  close(): void;
}

export function sourceEvents(stack: LocalStack): SourceEvents {
  return ends(stack).source.cloud === "alicloud" ? ofOss(stack) : ofS3(stack);
}

function ofS3(local: LocalStack): SourceEvents {
  const { cloud, region, bucket } = ends(local).source;
  if (cloud === "alicloud") throw new Error("the source is in Alibaba Cloud: it has no SQS queue");
  const sqs = new SQSClient(clientConfig(local.clouds[cloud]));
  // The queue helpers use only these fields.
  const stack = { local, sqs, source: { cloud: { region }, bucket } } as unknown as TestStack;
  return {
    repeat: (key) => sendEvent(stack, key),
    settled: () => settled(stack),
    deadLetters: () => takeDeadLetters(stack),
    close: () => sqs.destroy(),
  };
}

function ofOss({ clouds, outputs, settings: _settings, ...local }: LocalStack): SourceEvents {
  const { region, bucket } = ends({ clouds, outputs, settings: _settings, ...local }).source;
  const { accountId, fc, flow, messages } = clouds.alicloud;
  const nameOf = (url = "") => new URL(url).pathname.split("/").at(-1) ?? "";
  const queueName = nameOf(outputs.deadLetterQueueUrl);
  const waiting = () =>
    [outputs.queueUrl, outputs.outageQueueUrl].flatMap((url) => messages.messages(region, nameOf(url)).map(({ body }) => body));
  let repeats = 0;
  let last: Parameters<typeof fc.deliver>[0] | undefined;
  return {
    redeliver() {
      if (last !== undefined) fc.deliver(last);
    },
    async repeat(key) {
      repeats += 1;
      last = {
        eventName: "ObjectCreated:PutObject",
        eventSource: "acs:oss",
        eventTime: new Date().toISOString(),
        eventVersion: "1.0",
        region,
        oss: {
          bucket: { arn: `acs:oss:${region}:${accountId}:${bucket}`, name: bucket, ownerIdentity: accountId },
          object: { deltaSize: 0, eTag: "0".repeat(32), key, size: 0 },
          ossSchemaVersion: "1.0",
          ruleId: "",
        },
        requestParameters: { sourceIPAddress: "127.0.0.1" },
        responseElements: { requestId: `repeat-${repeats}` },
        userIdentity: { principalId: accountId },
      };
      fc.deliver(last);
    },
    async settled() {
      await eventually(
        async () => {
          // The dispatcher starts executions before it ends.
          await fc.idle();
          await flow.idle();
          // The invocation of a waiting key is stored before its message is removed, so this is last.
          expect(waiting()).toEqual([]);
          await fc.idle();
          expect(waiting()).toEqual([]);
        },
        { deadlineMs: 120_000, what: "no key waits in a queue, in a function or in the workflow" },
      );
    },
    async deadLetters() {
      return messages.messages(region, queueName).map(({ body }) => {
        const { look, deadLetter } = JSON.parse(body) as { look?: { key: string }; deadLetter?: { reason: string } };
        return { key: look?.key ?? "", reason: deadLetter?.reason };
      });
    },
    close: () => undefined,
  };
}
