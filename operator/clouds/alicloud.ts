/** One side of a bridge on Alibaba Cloud: OSS, Function Compute and SMQ, with the operator's own credentials. */
import { setTimeout as delay } from "node:timers/promises";
import Credential, { CLIProfileCredentialsProvider } from "@alicloud/credentials";
import type { Dispatcher } from "undici";
import { type ControlAnswer, createControlApi } from "../../runtime/platforms/alicloud-fc/control-api";
import { ControlError, controlError } from "../../runtime/platforms/alicloud-fc/errors";
import { signMessageRequest } from "../../runtime/platforms/alicloud-fc/message-queue";
import { BridgeError } from "../../runtime/stores/errors";
import { createOssDispatcher } from "../../runtime/stores/oss/client";
import type { OssCredentials, OssCredentialsProvider } from "../../runtime/stores/oss/credentials";
import { ossEndpoint } from "../../runtime/stores/oss/endpoint";
import { createOssStore } from "../../runtime/stores/oss/store";
import { xmlElements, xmlText } from "../../runtime/stores/oss/xml";
import { readAll } from "../../runtime/stores/read-all";
import { abortable, forEachBounded } from "../concurrency";
import type { AlicloudAccess, DeadLetters, FunctionInvoker, ParkedKey } from "../operated-bridge";
import type { CloudSide, StoreOfSide } from "./side";
import { deadLetters, errorMessageIn, functionFailed, keysOfDeadLetter, notJson, receiveAll } from "./side";

export function openAlicloudSide(access: AlicloudAccess, { bucket, versioning, storageClass, kmsKeyId }: StoreOfSide): CloudSide {
  const { region, credentials, originOf, ca } = access;
  const dispatcher = createOssDispatcher({ ca });
  return {
    store: createOssStore({
      bucket,
      region,
      credentials,
      // Unknown for an adopted bucket. `true` uses only what buckets of both kinds support.
      versioned: versioning ?? true,
      endpoint: originOf(new URL(ossEndpoint(region)).hostname),
      dispatcher,
      storageClass,
      kmsKeyId,
    }),
    functions: createFcInvoker(access),
    deadLetters: (queueUrl, options) => readDeadLetters({ queueUrl, originOf, credentials, dispatcher, now: Date.now }, options),
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

const SMQ_BATCH = 16;
/** A batch of the largest messages, with every character escaped. */
const MAX_ANSWER_BYTES = 16 * 64 * 1024 * 6;
const TIMEOUT_MS = 30_000;
const REQUESTS_AT_ONCE = 8;
/** The shortest time that SMQ hides a message for. */
const HIDDEN_SECONDS = 1;

export interface SmqOptions extends Pick<AlicloudAccess, "credentials" | "originOf"> {
  /** `https://<uid>.mns.<region>.aliyuncs.com/queues/<name>` */
  queueUrl: string;
  dispatcher: Dispatcher;
  now(): number;
  /** @default the system's timer */
  sleep?(ms: number): Promise<unknown>;
}

/**
 * Reads dead letters in Simple Message Queue (formerly MNS) and leaves every message in the queue.
 * https://www.alibabacloud.com/help/en/mns/developer-reference/request-protocol-description
 */
export async function readDeadLetters(
  options: SmqOptions,
  { limit, signal }: { limit: number; signal?: AbortSignal | undefined },
): Promise<DeadLetters> {
  const queue = openQueue(options, signal);
  // A peek hides no message, but returns only the first few.
  const first = await queue.batch(`peekonly=true&numOfMessages=${SMQ_BATCH}`);
  if (first.length < SMQ_BATCH || limit <= SMQ_BATCH)
    return deadLetters(deadLettersIn(first), { limit, sawAll: first.length < SMQ_BATCH });

  const seen = new Map<string, string>();
  let sawAll = false;
  try {
    const receive = () => queue.batch(`numOfMessages=${SMQ_BATCH}&waitseconds=0`);
    sawAll = await receiveAll(seen, { receive, idOf, limit });
  } finally {
    await forEachBounded(seen.values(), { limit: REQUESTS_AT_ONCE }, queue.unhide);
    // The messages become visible to the next reader only then.
    await (options.sleep ?? delay)(HIDDEN_SECONDS * 1000);
  }
  return deadLetters(deadLettersIn([...seen.values()]), { limit, sawAll });
}

const idOf = (message: string): string => xmlText(message, "MessageId") ?? "";

function deadLettersIn(messages: readonly string[]): ParkedKey[] {
  return messages.flatMap((message) => {
    const enqueued = Number(xmlText(message, "EnqueueTime"));
    const storedAt = Number.isFinite(enqueued) ? new Date(enqueued) : undefined;
    return keysOfDeadLetter({ body: xmlText(message, "MessageBody") ?? "", storedAt });
  });
}

function openQueue({ queueUrl, originOf, credentials, dispatcher, now }: SmqOptions, signal: AbortSignal | undefined) {
  const url = new URL(queueUrl);
  const origin = originOf(url.hostname);

  async function send(method: "GET" | "PUT", query: string, wanted: AbortSignal | undefined): Promise<string> {
    const path = `${url.pathname}/messages?${query}`;
    const headers = signMessageRequest({ method, path, date: new Date(now()) }, await credentials());
    const what = `the dead-letter queue ${url.pathname.split("/").at(-1)} cannot be read`;
    const { status, text } = await dispatcher
      .request({
        ...{ origin, path, method, headers, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS },
        signal: wanted ?? null,
      })
      .then(async ({ statusCode, body }) => ({
        status: statusCode,
        text: (await readAll(body, MAX_ANSWER_BYTES)).toString("utf8"),
      }))
      .catch((cause: unknown) => {
        wanted?.throwIfAborted();
        throw controlError("deadLetters", what, {}, cause);
      });
    if (status === 200) return text;
    throw controlError("deadLetters", what, { status, code: xmlText(text, "Code"), requestId: xmlText(text, "RequestId") });
  }

  return {
    /** https://www.alibabacloud.com/help/en/mns/developer-reference/batchreceivemessage */
    async batch(query: string): Promise<string[]> {
      try {
        return xmlElements(await send("GET", query, signal), "Message");
      } catch (error) {
        if (isCode(error, "MessageNotExist")) return [];
        throw error;
      }
    },
    /**
     * Takes no signal: the message becomes visible again also after an interruption.
     * https://www.alibabacloud.com/help/en/mns/developer-reference/changemessagevisibility
     */
    async unhide(message: string): Promise<void> {
      const handle = encodeURIComponent(xmlText(message, "ReceiptHandle") ?? "");
      try {
        await send("PUT", `receiptHandle=${handle}&visibilityTimeout=${HIDDEN_SECONDS}`, undefined);
      } catch (error) {
        // The message is visible again already, or another reader removed it.
        if (!isCode(error, "MessageNotExist", "ReceiptHandleError")) throw error;
      }
    },
  };
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof ControlError && error.code !== undefined && codes.includes(error.code);
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
