import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { REQUEST_TIMEOUT_MS } from "../api/http";
import {
  ApiError,
  type AsyncInvokeConfig,
  type CallRecord,
  type FunctionCompute,
  type FunctionSpec,
  type Ram,
} from "../contracts";
import { type Listener, listen } from "../oss/listen";
import { AsyncInvocations } from "./async-invocations";
import { controlApi } from "./control-api";
import { DeployedFunction, type FunctionHost } from "./deployed-function";
import { destinationsOf } from "./destination";
import { assertAsyncNumbers, assertConcurrency, assertFunction, isStandard } from "./function-rules";
import { httpEndpoint } from "./http-endpoint";
import { invokeApi } from "./invoke-api";
import {
  ASYNC_INVOCATION_BYTES,
  backlogExhausted,
  entityTooLarge,
  functionArn,
  invalidArgument,
  MAX_ASYNC_BACKLOG_BYTES,
  MAX_ASYNC_PAYLOAD_BYTES,
  MAX_SYNC_PAYLOAD_BYTES,
  newRequestId,
  notFound,
} from "./names";
import { RoleSessions } from "./role-sessions";
import { byTimer, type Later } from "./timers";
import { Triggers } from "./triggers";

const DEFAULT_CREDENTIAL_TTL_MS = 15 * 60_000;

export interface FunctionComputeOptions {
  ram: Ram;
  accountId: string;
  regions: readonly string[];
  /** Folder for code and temporary files. `stop` removes it. */
  runDir: string;
  tls: { certPath: string; keyPath: string };
  /** PEM of the certificate of the local services. */
  caPath: string;
  /** More variables for a function's process, asked for when it starts. */
  environment: () => Record<string, string>;
  /** Whether Function Compute knows this log store. @default it knows every one */
  findsLogStore?: ((region: string, project: string, logstore: string) => boolean) | undefined;
  /** Sends a message to a queue. May throw. */
  send: (region: string, queueName: string, body: Buffer) => void;
  /** How long credentials are used before new ones are made. @default 15 minutes */
  credentialTtlMs?: number;
  /** Wait before the first retry; it doubles. @default 1 s */
  retryBaseMs?: number;
  /** Memory of the asynchronous invocations that are not finished; more are refused. @default 256 MiB */
  asyncBacklogBytes?: number;
  /** Processes of a function without reserved concurrency. @default 4 */
  maxInstances?: number;
  /** An idle process ends after this time. @default 60 s */
  instanceIdleMs?: number;
  /** Ports of HTTP triggers by region. @default free ports */
  ports?: Record<string, number | undefined>;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
  /** The real length of a minute of `@every` in time triggers. @default 60_000 */
  scheduleMinuteMs?: number | undefined;
  /** Wakes time triggers. @default a timer that keeps no process alive */
  later?: Later;
  onCall?: (call: CallRecord) => void;
  /** Called for lost results and unexpected errors. @default prints them */
  onFailure?: (error: unknown) => void;
}

/** Starts a Function Compute 3.0 for this machine. */
export async function startFunctionCompute(
  options: FunctionComputeOptions,
): Promise<FunctionCompute & { origins: Readonly<Record<string, string>> }> {
  const { ram, accountId, regions, runDir, tls, caPath, environment, send, onCall, retryBaseMs = 1000, now = Date.now } = options;
  const onFailure =
    options.onFailure ??
    ((error: unknown) => console.error("local Function Compute:", error instanceof Error ? error.message : error));
  const ttlMs = options.credentialTtlMs ?? DEFAULT_CREDENTIAL_TTL_MS;
  const sessions = new RoleSessions({ ram, ttlMs, now, onCall });
  const host: FunctionHost = {
    accountId,
    runDir,
    caPath,
    environment,
    sessions,
    now,
    maxInstances: options.maxInstances ?? 4,
    idleMs: options.instanceIdleMs ?? 60_000,
    onFailure,
  };
  const functions = new Map<string, DeployedFunction>();
  const origins: Record<string, string> = {};
  const triggers = new Triggers({
    accountId,
    sessions,
    origin: (region) => origins[region] ?? "",
    now,
    later: options.later ?? byTimer,
    minuteMs: options.scheduleMinuteMs,
    fire: (deployed, event) => {
      try {
        enqueue(deployed, requestIdOf(), event);
      } catch (error) {
        onFailure(new Error(`the time trigger did not start ${deployed.arn}`, { cause: error }));
      }
    },
  });
  const asyncInvocations = new AsyncInvocations({ accountId, now, retryBaseMs, send, onFailure });
  const activity = new Activity();
  const requestIdOf = () => newRequestId(now(), randomBytes(10).toString("hex"));
  const arnOf = (region: string, name: string) => functionArn(region, accountId, name);

  const find = (region: string, name: string) => {
    const found = functions.get(arnOf(region, name));
    if (found === undefined) throw notFound("Function", name);
    return found;
  };

  const run = async (deployed: DeployedFunction, requestId: string, payload: Buffer) => {
    if (payload.length > MAX_SYNC_PAYLOAD_BYTES) throw entityTooLarge(MAX_SYNC_PAYLOAD_BYTES);
    const outcome = await activity.during(deployed.run("sync", { requestId, payload }));
    if (outcome === undefined) throw new Error(`the synchronous invocation ${requestId} was abandoned`);
    return { requestId, ...outcome };
  };

  const { asyncBacklogBytes = MAX_ASYNC_BACKLOG_BYTES } = options;
  let backlogBytes = 0;
  const enqueue = (deployed: DeployedFunction, requestId: string, payload: Buffer) => {
    if (payload.length > MAX_ASYNC_PAYLOAD_BYTES) throw entityTooLarge(MAX_ASYNC_PAYLOAD_BYTES);
    const size = payload.length + ASYNC_INVOCATION_BYTES;
    if (backlogBytes + size > asyncBacklogBytes) throw backlogExhausted(asyncBacklogBytes);
    backlogBytes += size;
    const finished = asyncInvocations.run(deployed, requestId, payload).finally(() => {
      backlogBytes -= size;
    });
    // Not awaited: `idle` and `stop` wait for it.
    void activity.during(finished);
    return { requestId };
  };

  const listeners: Listener[] = [];
  const closeListeners = () => Promise.all(listeners.map((listener) => listener.close()));
  const [cert, key] = await Promise.all([readFile(tls.certPath), readFile(tls.keyPath)]);
  try {
    for (const region of regions) {
      const handler = httpEndpoint({
        region,
        accountId,
        triggers,
        newRequestId: requestIdOf,
        now,
        invoke: ({ deployed }, requestId, event) => run(deployed, requestId, event),
        invokeAsync: ({ deployed }, requestId, event) => void enqueue(deployed, requestId, event),
        onFailure,
      });
      const listener = await listen(handler, { cert, key, port: options.ports?.[region], requestTimeoutMs: REQUEST_TIMEOUT_MS });
      listeners.push(listener);
      origins[region] = `https://localhost:${listener.port}`;
    }
  } catch (error) {
    await closeListeners();
    throw error;
  }

  const assertLogs = (region: string, { logConfig }: Pick<FunctionSpec, "logConfig">) => {
    if (logConfig === undefined || (options.findsLogStore?.(region, logConfig.project, logConfig.logstore) ?? true)) return;
    throw invalidArgument(`project '${logConfig.project}' does not exist`);
  };

  const putAsyncConfig = (deployed: DeployedFunction, config: AsyncInvokeConfig) => {
    assertAsyncNumbers(config);
    for (const { resource } of destinationsOf(config, accountId)) deployed.permitDestination(resource);
    deployed.asyncConfig = { ...config };
  };

  const service: Omit<FunctionCompute, "api"> = {
    async createFunction(region, spec) {
      if (origins[region] === undefined) throw invalidArgument(`there is no region ${region} here: ${regions.join(", ")}`);
      assertFunction(spec, accountId);
      const exists = () => {
        if (functions.has(arnOf(region, spec.functionName)))
          throw new ApiError(409, "FunctionAlreadyExists", `function '${spec.functionName}' already exists`);
      };
      exists();
      assertLogs(region, spec);
      const deployed = await DeployedFunction.create(region, spec, host);
      try {
        exists();
      } catch (error) {
        await deployed.remove();
        throw error;
      }
      functions.set(deployed.arn, deployed);
      return deployed.record;
    },
    async updateFunction(region, functionName, { code, ...changes }) {
      const deployed = find(region, functionName);
      const { functionArn: _, functionId, codeSize, codeChecksum, createdTime, lastModifiedTime, ...old } = deployed.record;
      const settings: Omit<FunctionSpec, "code"> = { ...old, ...changes };
      // The settings of a custom runtime end with it.
      if (isStandard(settings) && changes.customRuntimeConfig === undefined) delete settings.customRuntimeConfig;
      if (settings.functionName !== functionName) throw invalidArgument("functionName cannot be changed");
      assertFunction({ ...settings, code: code ?? Buffer.alloc(0) }, accountId);
      assertLogs(region, settings);
      await deployed.update(settings, code);
      return deployed.record;
    },
    getFunction: (region, functionName) => functions.get(arnOf(region, functionName))?.record,
    async deleteFunction(region, functionName) {
      const deployed = find(region, functionName);
      const [left] = triggers.ofFunction(deployed);
      if (left !== undefined)
        throw new ApiError(409, "FunctionNotEmpty", `function '${functionName}' still has the trigger '${left.triggerName}'`);
      functions.delete(deployed.arn);
      await deployed.remove();
    },
    createTrigger: (region, functionName, spec) => triggers.create(find(region, functionName), spec),
    updateTrigger: (region, functionName, name, changes) => triggers.update(find(region, functionName), name, changes),
    getTrigger(region, functionName, triggerName) {
      const deployed = functions.get(arnOf(region, functionName));
      return deployed === undefined ? undefined : triggers.find(deployed, triggerName);
    },
    deleteTrigger: (region, functionName, triggerName) => triggers.delete(find(region, functionName), triggerName),
    putAsyncInvokeConfig: (region, functionName, config) => putAsyncConfig(find(region, functionName), config),
    getAsyncInvokeConfig: (region, functionName) => functions.get(arnOf(region, functionName))?.asyncConfig,
    deleteAsyncInvokeConfig(region, functionName) {
      find(region, functionName).asyncConfig = undefined;
    },
    putConcurrency(region, functionName, reservedConcurrency) {
      assertConcurrency(reservedConcurrency);
      find(region, functionName).reservedConcurrency = reservedConcurrency;
    },
    getConcurrency: (region, functionName) => functions.get(arnOf(region, functionName))?.reservedConcurrency,
    deleteConcurrency(region, functionName) {
      find(region, functionName).reservedConcurrency = undefined;
    },
    async invoke(region, functionName, payload) {
      const { requestId, payload: answer, errorType } = await run(find(region, functionName), requestIdOf(), payload);
      return { requestId, status: 200, payload: answer, ...(errorType === undefined ? {} : { errorType }) };
    },
    invokeAsync: async (region, functionName, payload) => enqueue(find(region, functionName), requestIdOf(), payload),
    deliver(event) {
      for (const { deployed, record } of triggers.fitting(event)) {
        try {
          triggers.permit(deployed, record.invocationRole);
          const delivered = { ...event, oss: { ...event.oss, ruleId: record.triggerId } };
          enqueue(deployed, requestIdOf(), Buffer.from(JSON.stringify({ events: [delivered] })));
        } catch (error) {
          onFailure(new Error(`the event of ${event.oss.object.key} did not start ${deployed.arn}`, { cause: error }));
        }
      }
    },
    logs: (region, functionName) => (functions.get(arnOf(region, functionName))?.log.all() ?? []).map(({ text }) => text),
    logEntries: (region) =>
      [...functions.values()].flatMap((deployed) => {
        const { functionName, logConfig } = deployed.record;
        if (deployed.region !== region || logConfig === undefined) return [];
        const { project, logstore } = logConfig;
        return deployed.log.all().map((line) => ({ project, logstore, functionName, ...line }));
      }),
    workers: () =>
      [...functions.values()].flatMap((deployed) =>
        deployed.pids().map((pid) => ({ region: deployed.region, functionName: deployed.record.functionName, pid })),
      ),
    idle: () => activity.idle(),
    async stop() {
      triggers.stop();
      asyncInvocations.stop();
      await closeListeners();
      await Promise.all([...functions.values()].map((deployed) => deployed.stop()));
      await activity.idle();
      await rm(runDir, { recursive: true, force: true });
    },
  };
  const api = controlApi({
    fc: service,
    arn: arnOf,
    functionNames: (region) =>
      [...functions.values()].filter((one) => one.region === region).map(({ record }) => record.functionName),
    triggersOf: (region, functionName) => triggers.ofFunction(find(region, functionName)),
    now,
    invoke: invokeApi({
      find,
      arn: arnOf,
      invoke: (deployed, payload) => run(deployed, requestIdOf(), payload),
      invokeAsync: (deployed, payload) => enqueue(deployed, requestIdOf(), payload),
    }),
  });
  return { ...service, api, origins };
}

/** Counts running work. */
export class Activity {
  private count = 0;
  private waiting: (() => void)[] = [];

  async during<T>(work: Promise<T>): Promise<T> {
    this.count += 1;
    try {
      return await work;
    } finally {
      this.count -= 1;
      if (this.count === 0) for (const resolve of this.waiting.splice(0)) resolve();
    }
  }

  /** Resolves when no work is running. */
  idle(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
