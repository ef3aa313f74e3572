/** The services of the local Alibaba Cloud as they see each other. All run in one process; functions run in processes of their own. */
import type { Authorize, CredentialStore, OssEvent, Principal } from "./oss/contracts";

/** One permission that a call needed. A test can prove with these records that a policy is sufficient and minimal. */
export interface CallRecord {
  principal: Principal | undefined;
  /** E.g. `fc:InvokeFunction`. */
  action: string;
  /** E.g. `acs:fc:cn-shanghai:<uid>:functions/<name>`. */
  resource: string;
  allowed: boolean;
}

/** A refusal with the status and code of the vendor's API. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Temporary credentials of a role. */
export interface StsSession {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken: string;
  /** Ms since the epoch. */
  expiresAt: number;
}

/** https://www.alibabacloud.com/help/en/ram/ */
export interface Ram extends CredentialStore {
  readonly accountId: string;
  /** The access key of the account's root, which may do everything. */
  readonly root: { accessKeyId: string; accessKeySecret: string };
  readonly authorize: Authorize;
  /**
   * @throws ApiError `EntityNotExist.Role`, `AccessDenied` for a role that the service does not know yet, or `NoPermission` when the role's
   * trust policy does not allow the service
   */
  assumeRole(roleArn: string, options: { service: string; sessionName: string; durationMs: number }): StsSession;
  createRole(role: {
    roleName: string;
    assumeRolePolicyDocument: string;
    description?: string;
    maxSessionDuration?: number;
  }): RamRole;
  getRole(roleName: string): RamRole | undefined;
  updateRole(
    roleName: string,
    changes: { assumeRolePolicyDocument?: string; description?: string; maxSessionDuration?: number },
  ): RamRole;
  /** @throws ApiError `DeleteConflict.Role.Policy` while a policy is attached */
  deleteRole(roleName: string): void;
  createPolicy(policy: { policyName: string; policyDocument: string; description?: string }): RamPolicy;
  getPolicy(policyName: string): RamPolicy | undefined;
  updatePolicy(policyName: string, policyDocument: string): RamPolicy;
  updatePolicyDescription(policyName: string, description: string): RamPolicy;
  /** @throws ApiError `DeleteConflict.Policy.Role` while it is attached */
  deletePolicy(policyName: string): void;
  attachPolicyToRole(policyName: string, roleName: string): void;
  detachPolicyFromRole(policyName: string, roleName: string): void;
  policiesOfRole(roleName: string): RamPolicy[];
}

export interface RamRole {
  roleName: string;
  roleId: string;
  /** `acs:ram::<uid>:role/<name>` */
  arn: string;
  assumeRolePolicyDocument: string;
  description: string;
  maxSessionDuration: number;
  /** E.g. `2026-11-21T12:00:00Z`. */
  createDate: string;
}

export interface RamPolicy {
  policyName: string;
  policyDocument: string;
  description: string;
  createDate: string;
}

/** A call of a control API, after its signature was verified. */
export interface ApiCall {
  region: string;
  caller: Principal;
  /** E.g. `CreateRole`. Empty in ROA style when the client does not send it. */
  action: string;
  /** Of the API, e.g. `2015-05-01`. */
  version: string;
  method: string;
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** @throws ApiError 403 `NoPermission` when the caller's policies do not allow it. Records the call in both cases. */
  authorize(action: string, resource: string): void;
}

export interface ApiAnswer {
  status: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON or XML, as the client asks. */
  body?: Buffer | object;
}

/** @throws ApiError */
export type ApiHandler = (call: ApiCall) => Promise<ApiAnswer>;

export interface FunctionSpec {
  functionName: string;
  runtime: string;
  handler: string;
  /** ARN of the role. */
  role?: string;
  /** The zip. */
  code: Buffer;
  /** vCPU. */
  cpu: number;
  /** MB. */
  memorySize: number;
  diskSize: number;
  /** Seconds. */
  timeout: number;
  environmentVariables: Record<string, string>;
  internetAccess: boolean;
  /** Invocations that one instance runs at the same time. */
  instanceConcurrency: number;
  /** The HTTP server of a custom runtime. */
  customRuntimeConfig?: CustomRuntimeConfig;
  description?: string;
  logConfig?: LogConfig;
}

export interface LogConfig {
  project: string;
  logstore: string;
  /** Kept, and not acted upon, like the two below. */
  enableInstanceMetrics?: boolean | undefined;
  enableRequestMetrics?: boolean | undefined;
  logBeginRule?: string | undefined;
}

/** https://www.alibabacloud.com/help/en/functioncompute/fc/principles-1 */
export interface CustomRuntimeConfig {
  command: readonly string[];
  args: readonly string[];
  port: number;
}

export interface FunctionRecord extends Omit<FunctionSpec, "code"> {
  /** `acs:fc:<region>:<uid>:functions/<name>` */
  functionArn: string;
  functionId: string;
  codeSize: number;
  /** CRC-64/XZ of the zip, decimal. */
  codeChecksum: string;
  createdTime: string;
  lastModifiedTime: string;
}

export interface TriggerSpec {
  triggerName: string;
  triggerType: "oss" | "http" | "timer";
  /** JSON, as in the API. */
  triggerConfig: string;
  qualifier: string;
  sourceArn?: string;
  invocationRole?: string;
  description?: string;
}

export interface TriggerRecord extends TriggerSpec {
  triggerId: string;
  functionName: string;
  /** Only for `http`. */
  httpTrigger?: { urlInternet: string; urlIntranet: string };
}

export interface AsyncInvokeConfig {
  maxAsyncRetryAttempts?: number;
  maxAsyncEventAgeInSeconds?: number;
  onFailure?: string;
  onSuccess?: string;
}

/** The result of a synchronous invocation. */
export interface Invocation {
  requestId: string;
  status: number;
  /** Set when the function failed: `UnhandledInvocationError`, `FunctionTimedOut`, `ProcessExited`, ... */
  errorType?: string | undefined;
  payload: Buffer;
}

/** A line that a function wrote. */
export interface LogEntry {
  project: string;
  logstore: string;
  functionName: string;
  /** Ms since the epoch. */
  atMs: number;
  text: string;
}

/** https://www.alibabacloud.com/help/en/functioncompute/ (3.0) */
export interface FunctionCompute {
  createFunction(region: string, spec: FunctionSpec): Promise<FunctionRecord>;
  updateFunction(region: string, functionName: string, changes: Partial<FunctionSpec>): Promise<FunctionRecord>;
  getFunction(region: string, functionName: string): FunctionRecord | undefined;
  /** @throws ApiError `FunctionNotEmpty` while the function has triggers */
  deleteFunction(region: string, functionName: string): Promise<void>;
  createTrigger(region: string, functionName: string, spec: TriggerSpec): TriggerRecord;
  updateTrigger(region: string, functionName: string, triggerName: string, changes: Partial<TriggerSpec>): TriggerRecord;
  getTrigger(region: string, functionName: string, triggerName: string): TriggerRecord | undefined;
  deleteTrigger(region: string, functionName: string, triggerName: string): void;
  putAsyncInvokeConfig(region: string, functionName: string, config: AsyncInvokeConfig): void;
  getAsyncInvokeConfig(region: string, functionName: string): AsyncInvokeConfig | undefined;
  deleteAsyncInvokeConfig(region: string, functionName: string): void;
  putConcurrency(region: string, functionName: string, reservedConcurrency: number): void;
  getConcurrency(region: string, functionName: string): number | undefined;
  deleteConcurrency(region: string, functionName: string): void;
  /** Does not check permissions. @throws ApiError `FunctionNotFound` */
  invoke(region: string, functionName: string, payload: Buffer): Promise<Invocation>;
  /** Does not check permissions. Resolves when the invocation is accepted. */
  invokeAsync(region: string, functionName: string, payload: Buffer): Promise<{ requestId: string }>;
  /** Delivers an event of OSS: every matching trigger invokes its function asynchronously. Never throws. */
  deliver(event: OssEvent): void;
  /** The control API, version 2023-03-30. */
  readonly api: ApiHandler;
  /** The lines that a function wrote, oldest first. */
  logs(region: string, functionName: string): readonly string[];
  /** The lines of every function of the region that has a log store. */
  logEntries(region: string): LogEntry[];
  /** The processes of all functions. */
  workers(): { region: string; functionName: string; pid: number }[];
  /** Resolves when no invocation runs or waits. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** https://www.alibabacloud.com/help/en/mns/ (Simple Message Queue) */
export interface MessageService {
  createQueue(region: string, queue: QueueSpec): void;
  getQueue(region: string, queueName: string): QueueSpec | undefined;
  updateQueue(region: string, queueName: string, changes: Partial<Omit<QueueSpec, "queueName">>): void;
  deleteQueue(region: string, queueName: string): void;
  /** @throws ApiError `QueueNotExist`, `MessageTooLong` */
  send(region: string, queueName: string, body: Buffer): { messageId: string };
  /** The messages in the queue. They are not received by this. */
  messages(region: string, queueName: string): { messageId: string; body: string; enqueuedAt: number }[];
}

export interface QueueSpec {
  queueName: string;
  delaySeconds: number;
  maximumMessageSize: number;
  messageRetentionPeriod: number;
  visibilityTimeout: number;
  pollingWaitSeconds: number;
}

export interface FlowSpec {
  name: string;
  /** FDL in YAML or JSON. */
  definition: string;
  description: string;
  type: string;
  roleArn?: string;
}

export interface ExecutionRecord {
  name: string;
  flowName: string;
  status: "Starting" | "Running" | "Stopped" | "Succeeded" | "Failed" | "TimedOut";
  input: string;
  output?: string;
  startedTime: string;
  stoppedTime?: string;
}

/** https://www.alibabacloud.com/help/en/cloudflow/ */
export interface CloudFlow {
  /** @throws ApiError `InvalidArgument` that lists the problems of the definition */
  createFlow(region: string, spec: FlowSpec): { id: string; createdTime: string; lastModifiedTime: string };
  updateFlow(region: string, name: string, changes: Partial<Omit<FlowSpec, "name">>): void;
  getFlow(region: string, name: string): (FlowSpec & { id: string; createdTime: string; lastModifiedTime: string }) | undefined;
  deleteFlow(region: string, name: string): Promise<void>;
  executions(region: string, flowName: string): ExecutionRecord[];
  /** The control API, version 2019-03-15. */
  readonly api: ApiHandler;
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** Secret parameters of OOS. https://www.alibabacloud.com/help/en/oos/ */
export interface SecretParameters {
  put(region: string, parameter: { name: string; value: string; description?: string }): void;
  get(region: string, name: string): { name: string; value: string; description: string } | undefined;
  delete(region: string, name: string): void;
  /** The API, which has GetSecretParameter. */
  readonly api: ApiHandler;
}
