/** Opens a deployed bridge, in the clouds or on this machine. */
import { createHash } from "node:crypto";
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
import { naming, withNamedErrors } from "./sides";

/** Function calls at once. */
const CALLS_AT_ONCE = 16;

export async function openBridge({ stack, local }: CommonOptions, signal: AbortSignal): Promise<OpenedBridge> {
  const found = local ? await readLocalSession(stack) : await readDeployedStack(stack, signal);
  return { bridge: operate(found), access: found.access };
}

/** Makes no request to a cloud. */
export function operate({ stack, config, outputs, access }: StackToOperate): OperatedBridge {
  const sides = {
    source: openSide(access.source, {
      ...config.source,
      bucket: outputs.sourceBucket,
      logProject: logProjectOf(config.name, outputs.deadLetterQueueUrl),
    }),
    destination: openSide(access.destination, { ...config.destination, bucket: outputs.destinationBucket }),
  };
  const side = (name: "source" | "destination", bucket: string, keyPrefix: string) => {
    const { cloud, region } = config[name];
    const place = { side: name, cloud, region, bucket };
    return { ...place, keyPrefix, store: withNamedErrors(sides[name].store, place), functions: sides[name].functions };
  };
  const { cloud, region } = config.source;
  /** Queues, logs and workflows are at the source in every mode. */
  const atSource = <T>(work: Promise<T>): Promise<T> => naming(`at the source (${cloud}, ${region})`, work);
  return {
    stack,
    config,
    outputs,
    source: side("source", outputs.sourceBucket, ""),
    destination: side("destination", outputs.destinationBucket, config.destination.prefix),
    async deadLetters({ limit, signal }) {
      const { deadLetterQueueUrl: url } = outputs;
      return url === undefined ? { letters: [], complete: true } : atSource(sides.source.deadLetters(url, { limit, signal }));
    },
    async held(options) {
      const { outageQueueUrl: url } = outputs;
      return url === undefined ? { looks: [], complete: true } : atSource(sides.source.held(url, options));
    },
    async queued(options = {}) {
      const { queueUrl: url } = outputs;
      return url === undefined ? undefined : atSource(sides.source.queued(url, options));
    },
    async log(options) {
      const { senderFunctionName, dispatcherFunctionName, pusherFunctionName } = outputs;
      const names = [senderFunctionName, dispatcherFunctionName, pusherFunctionName].filter((name) => name !== undefined);
      const logs = await atSource(Promise.all(names.map((name) => sides.source.log(name, options))));
      const lines = logs.flatMap((log) => log.lines).sort((a, b) => a.atMs - b.atMs);
      return { lines, complete: logs.every(({ complete }) => complete) };
    },
    async executions(options) {
      const { flowName } = outputs;
      if (flowName === undefined || sides.source.executions === undefined) return { executions: [], complete: true };
      return atSource(sides.source.executions(flowName, options));
    },
    enqueue: (keys, { signal } = {}) => atSource(enqueue(sides.source, outputs, keys, signal)),
    async close() {
      await Promise.all([sides.source.close(), sides.destination.close()]);
    },
  };
}

/**
 * The project of Simple Log Service that the functions of the source write to, as `logProjectName` of the components makes it. The account is
 * in the URL of the queue, `https://<account>.mns.<region>.aliyuncs.com/queues/<name>`.
 */
export function logProjectOf(bridgeId: string, queueUrl: string | undefined): string | undefined {
  const account = /^https:\/\/(\d+)\.mns\./.exec(queueUrl ?? "")?.[1];
  if (account === undefined) return undefined;
  return `bridge-${bridgeId}-source-${createHash("sha256").update(account).digest("hex").slice(0, 8)}`;
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
