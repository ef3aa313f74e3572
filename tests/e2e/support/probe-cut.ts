/** Interrupts a bridge between its buckets. Each mode has its own way. */
import { LambdaClient, ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import {
  DeleteBucketReplicationCommand,
  GetBucketReplicationCommand,
  PutBucketReplicationCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { OssEvent } from "local-alicloud";
import { clientConfig } from "../../../local/aws/client-config";
import { ends } from "../../../local/cli/ends";
import type { LocalStack } from "../../../local/local-stack";

/** Runs the work while the bridge is interrupted. Afterwards the bridge works on the events that have waited. */
export async function whileCut<T>(local: LocalStack, work: () => Promise<T>): Promise<T> {
  const resume = await cutBridge(local);
  try {
    return await work();
  } finally {
    await resume();
  }
}

async function cutBridge(local: LocalStack): Promise<() => Promise<void>> {
  const { source } = ends(local);
  const { senderFunctionName } = local.outputs;
  if (source.cloud === "alicloud") return cutPush(local);
  const config = clientConfig(source);
  return senderFunctionName === undefined ? cutNative(config, source.bucket) : cutPull(config, senderFunctionName);
}

type Config = ReturnType<typeof clientConfig>;

async function cutNative(config: Config, Bucket: string): Promise<() => Promise<void>> {
  const s3 = new S3Client(config);
  const { ReplicationConfiguration } = await s3.send(new GetBucketReplicationCommand({ Bucket }));
  await s3.send(new DeleteBucketReplicationCommand({ Bucket }));
  return async () => {
    await s3.send(new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration }));
    s3.destroy();
  };
}

/** Disables the queue's trigger. Events stay in the queue. */
async function cutPull(config: Config, FunctionName: string): Promise<() => Promise<void>> {
  const lambda = new LambdaClient(config);
  const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName }));
  const [UUID] = EventSourceMappings.map((mapping) => mapping.UUID);
  const enable = (Enabled: boolean) => lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }));
  await enable(false);
  return async () => {
    await enable(true);
    lambda.destroy();
  };
}

/** Holds events before they reach Function Compute. */
async function cutPush({ clouds }: LocalStack): Promise<() => Promise<void>> {
  const { fc } = clouds.alicloud;
  const { deliver } = fc;
  const held: OssEvent[] = [];
  fc.deliver = (event) => void held.push(event);
  return async () => {
    fc.deliver = deliver;
    for (const event of held) deliver(event);
  };
}
