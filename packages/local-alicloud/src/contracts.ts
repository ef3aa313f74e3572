/** What the services of the local Alibaba Cloud are to each other and to the provider. All of them run in one process, functions in their own. */
import type { Authorize, CredentialStore, OssEvent, Principal } from "./oss/contracts";

/** One permission that a call needed: the proof that a policy is sufficient and minimal is made of these. */
export interface CallRecord {
  principal: Principal | undefined;
  /** As in RAM, e.g. `fc:InvokeFunction`. */
  action: string;
  /** E.g. `acs:fc:cn-shanghai:<uid>:functions/<name>`. */
  resource: string;
  allowed: boolean;
}

/** A failure as the vendor's APIs answer it. */
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

/** Credentials of a role, for a while. */
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
  /** The account's own credentials, which may do everything. */
  readonly root: { accessKeyId: string; accessKeySecret: string };
  readonly authorize: Authorize;
  /** @throws ApiError `EntityNotExist.Role`, or `NoPermission` where the role's trust policy does not name the service. */
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
  /** @throws ApiError `DeleteConflict.Role.Policy` while a policy is attached. */
  deleteRole(roleName: string): void;
  createPolicy(policy: { policyName: string; policyDocument: string; description?: string }): RamPolicy;
  getPolicy(policyName: string): RamPolicy | undefined;
  updatePolicy(policyName: string, policyDocument: string): RamPolicy;
  /** @throws ApiError `DeleteConflict.Policy.Role` while it is attached. */
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
}

export interface RamPolicy {
  policyName: string;
  policyDocument: string;
  description: string;
}

/** A call of a control API whose signature held. */
export interface ApiCall {
  region: string;
  caller: Principal;
  /** `x-acs-action`. */
  action: string;
  method: string;
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** @throws ApiError 403 `NoPermission` when the caller's policies do not allow it; records the call either way. */
  authorize(action: string, resource: string): void;
}

export interface ApiAnswer {
  status: number;
  headers?: Record<string, string>;
  /** An object is answered as JSON. */
  body?: Buffer | object;
}

/** @throws ApiError */
export type ApiHandler = (call: ApiCall) => Promise<ApiAnswer>;

export interface FunctionSpec {
  functionName: string;
  runtime: string;
  handler: string;
  /** ARN. */
  role?: string;
  /** Bytes of the zip. */
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
  instanceConcurrency: number;
  description?: string;
  logConfig?: { project: string; logstore: string };
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
  /** JSON. */
  triggerConfig: string;
  qualifier: string;
  sourceArn?: string;
  invocationRole?: string;
  description?: string;
}

export interface TriggerRecord extends TriggerSpec {
  triggerId: string;
  functionName: string;
  /** For `http`. */
  httpTrigger?: { urlInternet: string; urlIntranet: string };
}

export interface AsyncInvokeConfig {
  maxAsyncRetryAttempts?: number;
  maxAsyncEventAgeInSeconds?: number;
  onFailure?: string;
  onSuccess?: string;
}

/** How a synchronous invocation ended. */
export interface Invocation {
  requestId: string;
  status: number;
  /** Set when the function failed: `UnhandledInvocationError`, `FunctionTimedOut`, `ProcessExited`, ... */
  errorType?: string | undefined;
  payload: Buffer;
}

/** https://www.alibabacloud.com/help/en/functioncompute/ (3.0) */
export interface FunctionCompute {
  createFunction(region: string, spec: FunctionSpec): Promise<FunctionRecord>;
  updateFunction(region: string, functionName: string, changes: Partial<FunctionSpec>): Promise<FunctionRecord>;
  getFunction(region: string, functionName: string): FunctionRecord | undefined;
  /** @throws ApiError `FunctionNotEmpty`-like while triggers are left. */
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
  /** For services of the cloud, which have checked the permission. @throws ApiError `FunctionNotFound` */
  invoke(region: string, functionName: string, payload: Buffer): Promise<Invocation>;
  /** Resolves once the invocation is accepted. */
  invokeAsync(region: string, functionName: string, payload: Buffer): Promise<{ requestId: string }>;
  /** OSS tells of a change; every fitting trigger invokes its function asynchronously. Never throws. */
  deliver(event: OssEvent): void;
  /** InvokeFunction over the control API. */
  readonly api: ApiHandler;
  /** Lines that a function wrote, oldest first. */
  logs(region: string, functionName: string): readonly string[];
  /** Processes that run functions now. */
  workers(): { region: string; functionName: string; pid: number }[];
  /** Resolves when no invocation is running or waiting. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** https://www.alibabacloud.com/help/en/mns/ (Simple Message Queue), as far as other services need it. */
export interface MessageService {
  createQueue(region: string, queue: QueueSpec): void;
  getQueue(region: string, queueName: string): QueueSpec | undefined;
  updateQueue(region: string, queueName: string, changes: Partial<Omit<QueueSpec, "queueName">>): void;
  deleteQueue(region: string, queueName: string): void;
  /** @throws ApiError `QueueNotExist`, `MessageTooLong` */
  send(region: string, queueName: string, body: Buffer): { messageId: string };
  /** What is in the queue now, without receiving it. */
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
  /** FDL, YAML or JSON. */
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
  /** @throws ApiError for a definition that is none. */
  createFlow(region: string, spec: FlowSpec): { id: string; createdTime: string; lastModifiedTime: string };
  updateFlow(region: string, name: string, changes: Partial<Omit<FlowSpec, "name">>): void;
  getFlow(region: string, name: string): (FlowSpec & { id: string; createdTime: string; lastModifiedTime: string }) | undefined;
  deleteFlow(region: string, name: string): Promise<void>;
  executions(region: string, flowName: string): ExecutionRecord[];
  /** StartExecution, DescribeExecution, ListExecutions, GetExecutionHistory, StopExecution. */
  readonly api: ApiHandler;
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** Secret parameters of OOS. https://www.alibabacloud.com/help/en/oos/ */
export interface SecretParameters {
  put(region: string, parameter: { name: string; value: string; description?: string }): void;
  get(region: string, name: string): { name: string; value: string; description: string } | undefined;
  delete(region: string, name: string): void;
  /** GetSecretParameter. */
  readonly api: ApiHandler;
}
