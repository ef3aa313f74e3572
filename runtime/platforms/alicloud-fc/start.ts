/** Starts a function: reads its configuration, and creates its clock, log, metrics, credentials and connections. */
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { parseEnv, type Role, type RoleConfig } from "../../protocol/env";
import { type Clock, type DeadLetterQueue, type Logger, type MetricName, systemClock, systemRandom } from "../../protocol/ports";
import { createOssDispatcher } from "../../stores/oss/client";
import type { FlushableMetrics } from "../handlers";
import { createLogger } from "../logger";
import { type OriginOf, readEndpoints } from "./endpoints";
import { createOwnCredentials, type OwnCredentials } from "./handler";
import { createDeadLetterQueue, createMessageQueue, type MessageQueue } from "./message-queue";

export interface FunctionBase {
  clock: Clock;
  logger: Logger;
  metrics: FlushableMetrics;
  /** The region that the function runs in. */
  region: string;
  credentials: OwnCredentials;
  originOf: OriginOf;
  /** Connections to the data services, shared by all invocations of an instance. */
  dispatcher: Dispatcher;
}

type Env = Readonly<Record<string, string | undefined>>;

/** @throws Error that names the missing or wrong value of the environment. */
export function startFunction<R extends Role>(role: R, env: Env): FunctionBase & { config: RoleConfig<R> } {
  const config = parseEnv(role, env);
  const { FC_REGION: region } = env;
  // https://www.alibabacloud.com/help/en/functioncompute/fc/environment-variables
  if (!region) throw new Error("FC_REGION is not set: this is no function of Function Compute 3.0");
  const fields = { role, bridgeId: config.bridgeId };
  return {
    config,
    clock: systemClock,
    logger: createLogger({ level: config.logLevel, fields }),
    metrics: createMetrics(createLogger({ level: "info", fields })),
    region,
    credentials: createOwnCredentials(),
    originOf: readEndpoints(env),
    dispatcher: createOssDispatcher(),
  };
}

/**
 * The name of the function that runs.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/environment-variables
 */
export function ownFunctionName({ FC_FUNCTION_NAME: name }: Env): string {
  if (!name) throw new Error("FC_FUNCTION_NAME is not set: this is no function of Function Compute 3.0");
  return name;
}

export function openQueue(base: FunctionBase, queueUrl: string): MessageQueue {
  const sleep = async (ms: number) => void (await delay(ms));
  return createMessageQueue({ ...base, queueUrl, random: systemRandom, sleep });
}

export function openDeadLetters(
  base: FunctionBase,
  { deadLetterUrl, bridgeId }: { deadLetterUrl: string; bridgeId: string },
): DeadLetterQueue {
  return createDeadLetterQueue(openQueue(base, deadLetterUrl), { bridgeId, clock: base.clock });
}

/** Metrics whose greatest value is written. All others are summed. */
const GREATEST: ReadonlySet<MetricName> = new Set(["LagMs", "OldestUnprovenAgeMs", "BreakerOpen", "ProbeLagMs"]);

/**
 * Writes metrics as log lines. Simple Log Service counts, charts and alarms on them, so no call and no permission is needed.
 * @param logger must write level info whatever level is configured, because alarms read these lines
 */
export function createMetrics(logger: Pick<Logger, "info">): FlushableMetrics {
  const added = new Map<MetricName, number>();
  return {
    add(name, value) {
      const before = added.get(name);
      added.set(name, before === undefined ? value : GREATEST.has(name) ? Math.max(before, value) : before + value);
    },
    flush() {
      if (added.size === 0) return;
      logger.info("metrics", { metrics: Object.fromEntries(added) });
      added.clear();
    },
  };
}
