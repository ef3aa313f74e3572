/** What every entry begins with: its configuration, and the surroundings that Function Compute gives to all of them. */
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { parseEnv, type Role, type RoleConfig } from "../../protocol/env";
import { type Clock, type DeadLetterQueue, type Logger, systemClock, systemRandom } from "../../protocol/ports";
import { createOssDispatcher } from "../../stores/oss/client";
import { createLogger } from "../logger";
import { createOwnCredentials, type OwnCredentials } from "./credentials";
import { createDeadLetterQueue } from "./dead-letters";
import { type OriginOf, readEndpoints } from "./endpoints";
import { createMessageQueue } from "./message-queue";
import { createMetrics, type FlushableMetrics } from "./metrics";

export interface FunctionBase {
  clock: Clock;
  logger: Logger;
  metrics: FlushableMetrics;
  /** The function's own. */
  region: string;
  credentials: OwnCredentials;
  originOf: OriginOf;
  /** Connections to the vendor's data services, shared by all invocations of an instance. */
  dispatcher: Dispatcher;
}

type Env = Readonly<Record<string, string | undefined>>;

/** @throws Error that names what is missing in the environment or does not fit. */
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

export function openDeadLetters(
  base: FunctionBase,
  { deadLetterUrl, bridgeId }: { deadLetterUrl: string; bridgeId: string },
): DeadLetterQueue {
  const sleep = async (ms: number) => void (await delay(ms));
  return createDeadLetterQueue(createMessageQueue({ ...base, queueUrl: deadLetterUrl, random: systemRandom, sleep }), {
    bridgeId,
    clock: base.clock,
  });
}
