import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ApiError, type AsyncInvokeConfig, type FunctionRecord, type FunctionSpec } from "../contracts";
import { crc64Of } from "../crc64";
import { assertHandler, unpackCode } from "./code";
import { CustomInstance } from "./custom-instance";
import { instanceEnvironment, invocationContext } from "./environment";
import { MAX_INSTANCES } from "./function-rules";
import { type FunctionInstance, Instance, type InstanceOptions, type Outcome } from "./instance";
import { InstancePool } from "./instance-pool";
import { FunctionLog } from "./log";
import { accessDenied, concurrencyExhausted, functionArn, notFound } from "./names";
import type { RoleSessions } from "./role-sessions";

/** Shared by all functions of the service. */
export interface FunctionHost {
  accountId: string;
  runDir: string;
  caPath: string;
  environment: () => Record<string, string>;
  sessions: RoleSessions;
  now: () => number;
  /** Processes of a function without reserved concurrency. */
  maxInstances: number;
  idleMs: number;
  onFailure: (error: unknown) => void;
}

export interface Run {
  requestId: string;
  payload: Buffer;
  /** How often the event was delivered before. @default 0 */
  retryCount?: number;
  /** Called before the invocation runs; true drops it. */
  abandon?: () => boolean;
}

type Settings = Omit<FunctionSpec, "code">;

/** A function with its code on disk and its processes. */
export class DeployedFunction {
  readonly log = new FunctionLog();
  asyncConfig: AsyncInvokeConfig | undefined;
  private readonly removal = new AbortController();
  private reserved: number | undefined;
  private readonly pool: InstancePool;
  private readonly folder: string;
  private deployments = 0;

  private constructor(
    readonly region: string,
    private readonly host: FunctionHost,
    private current: { record: FunctionRecord; codePath: string },
  ) {
    this.folder = join(host.runDir, current.record.functionId);
    this.pool = new InstancePool({
      start: () => this.startInstance(),
      maxInstances: () => this.reserved ?? host.maxInstances,
      refusal: (taken) => {
        const limit = this.reserved ?? MAX_INSTANCES;
        return taken >= limit * this.record.instanceConcurrency
          ? concurrencyExhausted(this.record.functionName, limit)
          : undefined;
      },
      perInstance: () => this.record.instanceConcurrency,
      idleMs: host.idleMs,
    });
  }

  /** @throws ApiError when the code is invalid or the role cannot be assumed */
  static async create(region: string, spec: FunctionSpec, host: FunctionHost): Promise<DeployedFunction> {
    const { code, ...settings } = spec;
    if (spec.role !== undefined) host.sessions.forRun(spec.role, spec.functionName, spec.timeout * 1000);
    const now = new Date(host.now()).toISOString();
    const functionId = randomUUID();
    const record = {
      ...settings,
      ...describeCode(code),
      functionArn: functionArn(region, host.accountId, spec.functionName),
      functionId,
      createdTime: now,
      lastModifiedTime: now,
    };
    const codePath = join(host.runDir, functionId, "code-0");
    await unpackCode(code, handlerOf(spec), codePath);
    return new DeployedFunction(region, host, { record, codePath });
  }

  get record(): FunctionRecord {
    return this.current.record;
  }

  get reservedConcurrency(): number | undefined {
    return this.reserved;
  }

  set reservedConcurrency(limit: number | undefined) {
    this.reserved = limit;
    this.pool.pump();
  }

  /** Aborts when the function is deleted. */
  get removed(): AbortSignal {
    return this.removal.signal;
  }

  get arn(): string {
    return this.record.functionArn;
  }

  /** Running invocations finish with the old settings and code. Later ones use the new. */
  async update(settings: Settings, code: Buffer | undefined): Promise<void> {
    if (settings.role !== undefined) this.host.sessions.forRun(settings.role, settings.functionName, settings.timeout * 1000);
    const old = this.current;
    let codePath = old.codePath;
    if (code === undefined) assertHandler(handlerOf(settings), codePath);
    else {
      this.deployments += 1;
      codePath = join(this.folder, `code-${this.deployments}`);
      await unpackCode(code, handlerOf(settings), codePath);
    }
    const { functionArn, functionId, codeSize, codeChecksum, createdTime } = old.record;
    const described = code === undefined ? { codeSize, codeChecksum } : describeCode(code);
    const lastModifiedTime = new Date(this.host.now()).toISOString();
    this.current = { record: { ...settings, ...described, functionArn, functionId, createdTime, lastModifiedTime }, codePath };
    const retired = this.pool.retire();
    if (code === undefined) return;
    retired.then(() => rm(old.codePath, { recursive: true, force: true })).catch(this.host.onFailure);
  }

  /**
   * Undefined when `abandon` dropped it.
   * @throws ApiError 429 beyond the concurrency, 403 when the role cannot be assumed, 404 when the function is deleted before it runs
   */
  async run(kind: "sync" | "async", { requestId, payload, retryCount = 0, abandon }: Run): Promise<Outcome | undefined> {
    const instance = await this.pool.acquire(kind);
    try {
      if (abandon?.()) return undefined;
      const { record } = this;
      const context = invocationContext(record, { region: this.region, accountId: this.host.accountId }, this.credentials());
      return await instance.run({ requestId, event: payload, context, retryCount });
    } finally {
      this.pool.release(instance);
    }
  }

  /** @throws ApiError `AccessDenied` when the function's role may not send messages to the queue */
  permitDestination(resource: string): void {
    const { role, functionName } = this.record;
    if (role === undefined) throw accessDenied(`the function '${functionName}' has no role that could send to ${resource}`);
    this.host.sessions.permit(role, "fc.aliyuncs.com", "mns:SendMessage", resource);
  }

  pids(): number[] {
    return this.pool.pids();
  }

  async remove(): Promise<void> {
    this.removal.abort();
    await this.pool.close(notFound("Function", this.record.functionName));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Ends the processes because the service stops. The function is not deleted. */
  async stop(): Promise<void> {
    await this.pool.close(new ApiError(503, "ServiceUnavailable", "the local Function Compute has stopped"));
  }

  private credentials() {
    const { role, functionName, timeout } = this.record;
    return role === undefined ? undefined : this.host.sessions.forRun(role, functionName, timeout * 1000);
  }

  private startInstance(): FunctionInstance {
    const { record, codePath } = this.current;
    const { accountId, caPath, onFailure } = this.host;
    const instanceId = `c-${randomUUID()}`;
    const folder = join(this.folder, instanceId);
    const credentials = this.credentials();
    mkdirSync(folder, { recursive: true });
    const environment = instanceEnvironment({
      record,
      region: this.region,
      accountId,
      instanceId,
      codePath,
      folder,
      credentials,
      caPath,
      more: this.host.environment(),
    });
    const { functionName, memorySize, timeout, customRuntimeConfig } = record;
    const options: InstanceOptions = {
      functionName,
      memorySize,
      timeoutSeconds: timeout,
      codePath,
      folder,
      environment,
      log: this.log,
      onFailure,
    };
    return customRuntimeConfig === undefined ? new Instance(options) : new CustomInstance(options, customRuntimeConfig);
  }
}

/** A custom runtime starts its own command and calls no handler. */
function handlerOf({ handler, customRuntimeConfig }: Settings): string | undefined {
  return customRuntimeConfig === undefined ? handler : undefined;
}

function describeCode(code: Buffer): { codeSize: number; codeChecksum: string } {
  return { codeSize: code.length, codeChecksum: crc64Of(code) };
}
