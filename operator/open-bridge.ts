/** Opens a deployed bridge, in the clouds or on this machine. */
import { createHash } from "node:crypto";
import { encodeLook } from "../runtime/protocol/queue-messages";
import { BridgeError, isBridgeError } from "../runtime/stores/errors";
import { openAlicloudSide } from "./clouds/alicloud";
import { openAwsSide } from "./clouds/aws";
import { ACTIVITY, type CloudSide, type ReadLogOptions, type StoreOfSide, WAITING } from "./clouds/side";
import { type CommonOptions, NAME_A_BRIDGE, UsageError } from "./command";
import { forEachBounded } from "./concurrency";
import { onlyLocalStack, readLocalSession } from "./local-session";
import type {
  ConfiguredStack,
  EventWays,
  FunctionLog,
  KeyLine,
  KeyLog,
  OperatedBridge,
  OperatedOutputs,
  OperatedSide,
  ReadOptions,
  Redriven,
  RedriveOptions,
  SideAccess,
  StackToOperate,
} from "./operated-bridge";
import { readOutputsFile } from "./outputs-file";
import type { OpenedBridge } from "./run-program";
import { naming, withNamedErrors } from "./sides";

/** Function calls at once. */
const CALLS_AT_ONCE = 16;

export async function openBridge(options: CommonOptions, signal: AbortSignal): Promise<OpenedBridge> {
  const found = await findBridge(options, signal);
  return { bridge: operate(found), access: found.access };
}

async function findBridge(options: CommonOptions, signal: AbortSignal): Promise<StackToOperate> {
  const { stack } = options;
  if (stack === undefined || options.local || options.outputs !== undefined) return findDeployed(options);
  // Loaded on demand: Pulumi is slow to load.
  return (await import("./deployed-stack")).readDeployedStack(stack, signal);
}

/** A bridge that is certainly deployed. */
async function findDeployed({ stack, local, outputs }: CommonOptions): Promise<StackToOperate> {
  if (outputs !== undefined) return readOutputsFile(outputs);
  if (local) return readLocalSession(stack ?? (await onlyLocalStack()));
  throw new UsageError(NAME_A_BRIDGE);
}

/** Finds a stack that may not be deployed yet. */
export async function openConfigured(options: CommonOptions, signal: AbortSignal): Promise<ConfiguredStack> {
  const { stack } = options;
  if (stack === undefined || options.local || options.outputs !== undefined) return findDeployed(options);
  return (await import("./deployed-stack")).readConfiguredStack(stack, signal);
}

/** Makes no request to a cloud. */
export function operate({ stack, config, outputs, access }: StackToOperate): OperatedBridge {
  const sides = {
    source: openSide(access.source, {
      ...config.source,
      bucket: outputs.sourceBucket,
      logProject: logProjectOf(config.name, outputs.deadLetterQueueUrl),
    }),
    destination: openSide(access.destination, {
      ...config.destination,
      bucket: outputs.destinationBucket,
      logProject: logProjectOf(config.name, outputs.deadLetterQueueUrl, "destination"),
    }),
  };
  const side = (name: "source" | "destination", bucket: string, keyPrefix: string) => {
    const { cloud, region } = config[name];
    const place = { side: name, cloud, region, bucket };
    return { ...place, keyPrefix, store: withNamedErrors(sides[name].store, place), functions: sides[name].functions };
  };
  const { cloud, region } = config.source;
  const ways = waysOf(config, outputs, sides.source);
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
    redrive: (options) => atSource(redrive(sides.source, outputs, options)),
    ways: ways && {
      read: (options) => atSource(ways.read(options)),
      set: (isOpen, options) => atSource(ways.set(isOpen, options)),
    },
    keyLog: (key, options) => readKeyLog({ sides, outputs, places: config }, key, options),
    async held(options) {
      const { outageQueueUrl: url } = outputs;
      return url === undefined ? { looks: [], complete: true } : atSource(sides.source.held(url, options));
    },
    async queued(options = {}) {
      const { queueUrl: url } = outputs;
      return url === undefined ? undefined : atSource(sides.source.queued(url, options));
    },
    log: (options) => atSource(readLogs(sides.source, functionsOf("source", outputs), { ...options, topic: WAITING })),
    activity: (name, options) => {
      const { cloud, region } = config[name];
      const reading = readLogs(sides[name], functionsOf(name, outputs), { ...options, topic: ACTIVITY });
      return naming(`at the ${name} (${cloud}, ${region})`, reading);
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

/** The functions that work on keys. In mode push all of them are at the source. */
function functionsOf(side: OperatedSide["side"], outputs: OperatedOutputs): string[] {
  const { senderFunctionName, dispatcherFunctionName, pusherFunctionName, receiverFunctionName, copierFunctionName } = outputs;
  const names =
    side === "source"
      ? [senderFunctionName, dispatcherFunctionName, pusherFunctionName]
      : [receiverFunctionName, copierFunctionName];
  return names.filter((name) => name !== undefined);
}

async function readLogs(side: CloudSide, names: readonly string[], options: ReadLogOptions): Promise<FunctionLog> {
  const logs = await Promise.all(names.map((name) => side.log(name, options)));
  const lines = logs.flatMap((log) => log.lines).sort((a, b) => a.atMs - b.atMs);
  return { lines, complete: logs.every(({ complete }) => complete) };
}

/**
 * The project of Simple Log Service that the functions of a side write to, as `logProjectName` of the components makes it. The account is
 * in the URL of the source's queue, `https://<account>.mns.<region>.aliyuncs.com/queues/<name>`; the destination is taken to be in it too.
 */
export function logProjectOf(
  bridgeId: string,
  queueUrl: string | undefined,
  side: OperatedSide["side"] = "source",
): string | undefined {
  const account = /^https:\/\/(\d+)\.mns\./.exec(queueUrl ?? "")?.[1];
  if (account === undefined) return undefined;
  return `bridge-${bridgeId}-${side}-${createHash("sha256").update(account).digest("hex").slice(0, 8)}`;
}

/** Makes no request to a cloud. */
export function openSide(access: SideAccess, store: StoreOfSide): CloudSide {
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

async function redrive(source: CloudSide, outputs: OperatedOutputs, options: RedriveOptions): Promise<Redriven> {
  const { deadLetterQueueUrl, queueUrl, senderFunctionName, dispatcherFunctionName } = outputs;
  if (deadLetterQueueUrl === undefined)
    throw new BridgeError("Unsupported", "redrive", "in mode native the cloud itself replicates: there are no dead letters");
  const { signal } = options;
  return source.redrive(deadLetterQueueUrl, options, async (letters) => {
    if (queueUrl !== undefined && source.send !== undefined) return source.send(queueUrl, letters, { signal });
    const functionName = senderFunctionName ?? dispatcherFunctionName;
    if (functionName === undefined)
      throw new BridgeError("Unsupported", "redrive", "the stack names no function that takes letters");
    await forEachBounded(letters, { limit: CALLS_AT_ONCE, signal }, (letter) =>
      source.functions.invokeAsync(functionName, letter, { signal }),
    );
  });
}

/** Undefined in mode native, which has no functions at the source. */
function waysOf(
  { name, buffer }: OperatedBridge["config"],
  { senderFunctionName, dispatcherFunctionName, pusherFunctionName }: OperatedOutputs,
  source: CloudSide,
): EventWays | undefined {
  const functionNames = [senderFunctionName, dispatcherFunctionName, pusherFunctionName].filter((name) => name !== undefined);
  if (functionNames.length === 0) return undefined;
  return source.ways({
    functionNames,
    tickRule: `crossborderbridge-${name}-tick`,
    isDirect: buffer === "none",
  });
}

interface LoggingBridge {
  sides: { source: CloudSide; destination: CloudSide };
  outputs: OperatedOutputs;
  places: Pick<OperatedBridge["config"], "name" | "source" | "destination">;
}

/** A log that cannot be read is a note: the other side's may hold the answer. */
async function readKeyLog(
  { sides, outputs, places }: LoggingBridge,
  key: string,
  options: ReadOptions & { sinceMs: number },
): Promise<KeyLog> {
  const { senderFunctionName, dispatcherFunctionName, pusherFunctionName, receiverFunctionName, copierFunctionName } = outputs;
  const writers = [
    ...[senderFunctionName, dispatcherFunctionName, pusherFunctionName].map((name) => ["source", name] as const),
    ...[receiverFunctionName, copierFunctionName].map((name) => ["destination", name] as const),
  ];
  const notes: string[] = [];
  const read = async (side: "source" | "destination", functionName: string): Promise<{ lines: KeyLine[]; complete: boolean }> => {
    const { cloud, region } = places[side];
    if (cloud === "alicloud" && side === "destination") {
      // The project's name has a digest of the account, which no output of the stack tells.
      notes.push(
        `the log of ${functionName} was not read: search in Simple Log Service (${region}), project bridge-${places.name}-destination-…`,
      );
      return { lines: [], complete: false };
    }
    try {
      const log = await naming(`at the ${side} (${cloud}, ${region})`, sides[side].keyLog(functionName, key, options));
      return { ...log, lines: log.lines.map((line) => ({ ...line, side, functionName })) };
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isBridgeError(error)) throw error;
      notes.push(error.message);
      return { lines: [], complete: false };
    }
  };
  const logs = await Promise.all(writers.flatMap(([side, name]) => (name === undefined ? [] : [read(side, name)])));
  const lines = logs.flatMap((log) => log.lines).sort((a, b) => a.atMs - b.atMs);
  return { lines, complete: logs.every(({ complete }) => complete), notes };
}
