/** Opens a deployed bridge, in the clouds or on this machine, with the operator's own credentials. */
import { encodeLook } from "../runtime/protocol/queue-messages";
import { BridgeError } from "../runtime/stores/errors";
import { openAlibabaSide } from "./alicloud/side";
import { openAwsSide } from "./aws/side";
import { forEachBounded } from "./bounded";
import type { CommonOptions } from "./command";
import { readDeployedStack } from "./deployed-stack";
import { readLocalSession } from "./local-session";
import type { OperatedBridge, OperatedOutputs } from "./operated-bridge";
import type { OpenedBridge } from "./run-program";
import type { ServedSide, StoreOfSide } from "./served-side";
import type { SideAccess } from "./side-access";
import type { StackToOperate } from "./stack-to-operate";

/** Events that are handed to a function at once. */
const SIDE_BY_SIDE = 16;

export async function openBridge({ stack, local }: CommonOptions, signal: AbortSignal): Promise<OpenedBridge> {
  const found = local ? await readLocalSession(stack) : await readDeployedStack(stack, signal);
  return { bridge: operate(found), access: found.access };
}

/** Asks no cloud for anything yet. */
export function operate({ stack, config, outputs, access }: StackToOperate): OperatedBridge {
  const served = {
    source: openSide(access.source, { ...config.source, bucket: outputs.sourceBucket }),
    destination: openSide(access.destination, { ...config.destination, bucket: outputs.destinationBucket }),
  };
  const side = (name: "source" | "destination", bucket: string, keyPrefix: string) => {
    const { cloud, region } = config[name];
    const { store, functions } = served[name];
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
      // Every mode that has such a queue has it at the source.
      return url === undefined ? { letters: [], complete: true } : served.source.deadLetters(url, { limit, signal });
    },
    enqueue: (keys, { signal } = {}) => enqueue(served.source, outputs, keys, signal),
    async close() {
      await Promise.all([served.source.close(), served.destination.close()]);
    },
  };
}

function openSide(access: SideAccess, store: StoreOfSide): ServedSide {
  switch (access.cloud) {
    case "aws":
    case "aws-cn":
      return openAwsSide(access, store);
    case "alicloud":
      return openAlibabaSide(access, store);
  }
}

async function enqueue(
  source: ServedSide,
  { queueUrl, senderFunctionName, dispatcherFunctionName }: OperatedOutputs,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const nowMs = Date.now();
  if (queueUrl !== undefined && source.enqueue !== undefined) return source.enqueue(queueUrl, keys, { nowMs, signal });
  const functionName = senderFunctionName ?? dispatcherFunctionName;
  if (functionName === undefined)
    throw new BridgeError("Unsupported", "enqueue", "in mode native the cloud itself replicates: no key can be handed to it");
  // One an event, as they come from the bucket: what fails is retried and parked alone.
  await forEachBounded(keys, { limit: SIDE_BY_SIDE, signal }, (key) =>
    source.functions.invokeAsync(
      functionName,
      encodeLook({ key, attempt: 0, firstSeenMs: nowMs }),
      signal === undefined ? {} : { signal },
    ),
  );
}
