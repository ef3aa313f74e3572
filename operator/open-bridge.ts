/** Opens a deployed bridge, in the clouds or on this machine. */
import { encodeLook } from "../runtime/protocol/queue-messages";
import { BridgeError } from "../runtime/stores/errors";
import { openAlicloudSide } from "./clouds/alicloud";
import { openAwsSide } from "./clouds/aws";
import type { CloudSide, StoreOfSide } from "./clouds/side";
import type { CommonOptions } from "./command";
import { forEachBounded } from "./concurrency";
import { readDeployedStack } from "./deployed-stack";
import { readLocalSession } from "./local-session";
import type { OperatedBridge, OperatedOutputs, SideAccess, StackToOperate } from "./operated-bridge";
import type { OpenedBridge } from "./run-program";

/** Function calls at once. */
const CALLS_AT_ONCE = 16;

export async function openBridge({ stack, local }: CommonOptions, signal: AbortSignal): Promise<OpenedBridge> {
  const found = local ? await readLocalSession(stack) : await readDeployedStack(stack, signal);
  return { bridge: operate(found), access: found.access };
}

/** Makes no request to a cloud. */
export function operate({ stack, config, outputs, access }: StackToOperate): OperatedBridge {
  const sides = {
    source: openSide(access.source, { ...config.source, bucket: outputs.sourceBucket }),
    destination: openSide(access.destination, { ...config.destination, bucket: outputs.destinationBucket }),
  };
  const side = (name: "source" | "destination", bucket: string, keyPrefix: string) => {
    const { cloud, region } = config[name];
    const { store, functions } = sides[name];
    return { side: name, cloud, region, bucket, keyPrefix, store, functions };
  };
  return {
    stack,
    config,
    outputs,
    source: side("source", outputs.sourceBucket, ""),
    destination: side("destination", outputs.destinationBucket, config.destination.prefix),
    async deadLetters({ limit, signal }) {
      const { deadLetterQueueUrl: url } = outputs;
      // In every mode the dead-letter queue is at the source.
      return url === undefined ? { letters: [], complete: true } : sides.source.deadLetters(url, { limit, signal });
    },
    enqueue: (keys, { signal } = {}) => enqueue(sides.source, outputs, keys, signal),
    async close() {
      await Promise.all([sides.source.close(), sides.destination.close()]);
    },
  };
}

function openSide(access: SideAccess, store: StoreOfSide): CloudSide {
  switch (access.cloud) {
    case "aws":
    case "aws-cn":
      return openAwsSide(access, store);
    case "alicloud":
      return openAlicloudSide(access, store);
  }
}

async function enqueue(
  source: CloudSide,
  { queueUrl, senderFunctionName, dispatcherFunctionName }: OperatedOutputs,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const nowMs = Date.now();
  if (queueUrl !== undefined && source.enqueue !== undefined) return source.enqueue(queueUrl, keys, { nowMs, signal });
  const functionName = senderFunctionName ?? dispatcherFunctionName;
  if (functionName === undefined)
    throw new BridgeError("Unsupported", "enqueue", "in mode native the cloud itself replicates: no key can be handed to it");
  // One event per key, as from the bucket: each fails, is retried and parked alone.
  await forEachBounded(keys, { limit: CALLS_AT_ONCE, signal }, (key) =>
    source.functions.invokeAsync(functionName, encodeLook({ key, failures: 0, firstSeenMs: nowMs }), { signal }),
  );
}
