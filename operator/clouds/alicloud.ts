/** One side of a bridge on Alibaba Cloud: OSS, Function Compute and SMQ, with the operator's own credentials. */
import Credential, { CLIProfileCredentialsProvider } from "@alicloud/credentials";
import { type ControlAnswer, createControlApi } from "../../runtime/platforms/alicloud-fc/control-api";
import { at, parseText, textAt } from "../../runtime/protocol/json";
import { BridgeError } from "../../runtime/stores/errors";
import { createOssDispatcher } from "../../runtime/stores/oss/client";
import type { OssCredentials, OssCredentialsProvider } from "../../runtime/stores/oss/credentials";
import { ossEndpoint } from "../../runtime/stores/oss/endpoint";
import { createOssStore } from "../../runtime/stores/oss/store";
import { abortable } from "../concurrency";
import type { AlicloudAccess, FunctionInvoker, ReadOptions, RunningExecution, RunningExecutions } from "../operated-bridge";
import { readFunctionLog } from "./alicloud-logs";
import { openFunctionWays } from "./alicloud-ways";
import type { CloudSide, ReadLogOptions, StoreOfSide } from "./side";
import { errorMessageIn, functionFailed, notJson } from "./side";
import { countMessages, readDeadLetters, readHeld, redriveLetters } from "./smq";

export function openAlicloudSide(
  access: AlicloudAccess,
  { bucket, versioning, storageClass, kmsKeyId, customDomain, logProject }: StoreOfSide,
): CloudSide {
  const { region, credentials, originOf, ca } = access;
  const dispatcher = createOssDispatcher({ ca });
  const readLog = async (functionName: string, options: ReadLogOptions) => {
    if (logProject === undefined) return { lines: [], complete: false };
    const project = { region, originOf, credentials, dispatcher, now: Date.now, project: logProject, functionName };
    return readFunctionLog(project, options);
  };
  const queue = (queueUrl: string) => ({ queueUrl, originOf, credentials, dispatcher, now: Date.now });
  return {
    store: createOssStore({
      bucket,
      region,
      credentials,
      // Unknown for an adopted bucket. `true` uses only what buckets of both kinds support.
      versioned: versioning ?? true,
      // The command runs anywhere. An account may be refused objects of the mainland through the public host.
      endpoint: ossEndpoint(region, customDomain === undefined ? "public" : { customDomain }, originOf),
      dispatcher,
      storageClass,
      kmsKeyId,
    }),
    functions: createFcInvoker(access),
    deadLetters: (queueUrl, options) => readDeadLetters(queue(queueUrl), options),
    redrive: (queueUrl, options, hand) => redriveLetters(queue(queueUrl), options, hand),
    held: (queueUrl, options) => readHeld(queue(queueUrl), options),
    queued: (queueUrl, options) => countMessages(queue(queueUrl), options),
    log: (functionName, options) => readLog(functionName, options),
    keyLog: (functionName, key, options) => readLog(functionName, { ...options, key }),
    ways: ({ functionNames }) => openFunctionWays(access, functionNames),
    executions: (flowName, options) => readExecutions(access, flowName, options),
    close: () => dispatcher.close(),
  };
}

const VERSION = "2023-03-30";
const ACCEPTED = 202;
/** As on AWS: no function that this invokes runs longer. */
const ANSWER_TIMEOUT_MS = 910_000;
const STORED_TIMEOUT_MS = 30_000;

/** https://www.alibabacloud.com/help/en/functioncompute/api-fc-2023-03-30-invokefunction */
export function createFcInvoker({ region, credentials, originOf, ca }: AlicloudAccess): FunctionInvoker {
  async function call(functionName: string, type: "Sync" | "Async", body: Buffer): Promise<ControlAnswer> {
    const { accessKeyId, accessKeySecret, securityToken = "" } = await credentials();
    const api = createControlApi({
      host: `fcv3.${region}.aliyuncs.com`,
      originOf,
      credentials: { current: () => ({ accessKeyId, accessKeySecret, securityToken }) },
      timeoutMs: type === "Sync" ? ANSWER_TIMEOUT_MS : STORED_TIMEOUT_MS,
      ca,
    });
    return api.call({
      op: type === "Sync" ? "invoke" : "invokeAsync",
      what: `the function ${functionName} could not be invoked`,
      action: "InvokeFunction",
      version: VERSION,
      roa: {
        pathname: `/${VERSION}/functions/${encodeURIComponent(functionName)}/invocations`,
        headers: { "x-fc-invocation-type": type },
        body,
      },
      ...(type === "Sync" ? { once: true as const } : {}),
    });
  }

  return {
    async invoke(functionName, payload, { signal } = {}) {
      const { body } = await abortable(signal, call(functionName, "Sync", Buffer.from(JSON.stringify(payload))));
      // Function Compute answers 200 for a failed function too, with its error as the body.
      const reason = errorMessageIn(body);
      if (reason !== undefined) throw functionFailed(functionName, reason);
      if (body === undefined) throw notJson(functionName);
      return body;
    },
    async invokeAsync(functionName, payload, { signal } = {}) {
      const { status } = await abortable(signal, call(functionName, "Async", Buffer.from(payload)));
      if (status !== ACCEPTED)
        throw new BridgeError("Unavailable", "invokeAsync", `${functionName} answered ${status}, not ${ACCEPTED}`);
    },
  };
}

const FLOW_VERSION = "2019-03-15";
const FLOW_PAGE = 100;

/**
 * The executions that run, each with the key of its input.
 * https://www.alibabacloud.com/help/en/serverless-workflow/latest/api-fnf-2019-03-15-listexecutions
 */
export async function readExecutions(
  { region, credentials, originOf, ca }: AlicloudAccess,
  flowName: string,
  { limit, signal }: ReadOptions,
): Promise<RunningExecutions> {
  const { accessKeyId, accessKeySecret, securityToken = "" } = await credentials();
  const api = createControlApi({
    host: `${region}.fnf.aliyuncs.com`,
    originOf,
    credentials: { current: () => ({ accessKeyId, accessKeySecret, securityToken }) },
    ca,
  });
  const executions: RunningExecution[] = [];
  let token: string | undefined;
  do {
    const query = { FlowName: flowName, Status: "Running", Limit: String(FLOW_PAGE), ...(token ? { NextToken: token } : {}) };
    const call = api.call({
      ...{ op: "listExecutions", what: `the executions of the workflow ${flowName} cannot be listed` },
      ...{ action: "ListExecutions", method: "GET", version: FLOW_VERSION, query },
    });
    const { body } = await abortable(signal, call);
    const page = at(body, "Executions");
    for (const one of Array.isArray(page) ? page : []) {
      const key = textAt(parseText(textAt(one, "Input") ?? "")?.value, "key");
      if (key !== undefined) executions.push({ key, startedMs: Date.parse(textAt(one, "StartedTime") ?? "") });
    }
    token = textAt(body, "NextToken");
  } while (token && executions.length < limit);
  return { executions: executions.slice(0, limit), complete: !token && executions.length <= limit };
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The operator's own credentials, found as a deployment finds them: a named profile of `~/.aliyun/config.json`, else the environment, the
 * current profile and so on. https://www.alibabacloud.com/help/en/terraform/terraform-authentication
 */
export function operatorCredentials(profile: string | undefined, env: Env): OssCredentialsProvider {
  // A deployment reads these variables; the vendor's client for Node.js does not.
  const profileName = profile ?? (env.ALICLOUD_PROFILE || undefined);
  const fromEnv = profile === undefined ? credentialsIn(env) : undefined;
  if (fromEnv !== undefined) return async () => fromEnv;
  const credential =
    profileName === undefined
      ? new Credential()
      : new Credential(null, CLIProfileCredentialsProvider.builder().withProfileName(profileName).build());
  return async () => {
    const found = await credential.getCredential().catch((cause: unknown) => {
      // The client's own message may quote the file, secrets included.
      throw missing(profileName, cause);
    });
    const { accessKeyId, accessKeySecret, securityToken } = found;
    if (!accessKeyId || !accessKeySecret) throw missing(profileName);
    return { accessKeyId, accessKeySecret, securityToken: securityToken || undefined };
  };
}

function credentialsIn(env: Env): OssCredentials | undefined {
  const { ALICLOUD_ACCESS_KEY: accessKeyId, ALICLOUD_SECRET_KEY: accessKeySecret, ALICLOUD_SECURITY_TOKEN: securityToken } = env;
  if (!accessKeyId || !accessKeySecret) return undefined;
  return { accessKeyId, accessKeySecret, securityToken: securityToken || undefined };
}

function missing(profile: string | undefined, cause?: unknown): BridgeError {
  const where =
    profile === undefined
      ? "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or run aliyun configure"
      : `the profile ${JSON.stringify(profile)} of ~/.aliyun/config.json gives none; run aliyun configure --profile ${profile}`;
  return new BridgeError("PermissionDenied", "credentials", `there are no credentials for Alibaba Cloud: ${where}`, { cause });
}
