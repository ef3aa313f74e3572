/**
 * Calls of AWS's control APIs (SQS, SSM, Lambda), signed here. An SDK client for each of them would be most of a function's bundle, and of its time
 * to start.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { createAgent } from "../../http/agent";
import { type AnswerHeaders, exchange } from "../../http/exchange";
import { type AwsCredentialsProvider, sha256Hex, signHeaders } from "../../http/sigv4";
import { parseJson, textAt } from "../../protocol/json";
import { type Clock, type Random, systemClock, systemRandom } from "../../protocol/ports";
import { withRetries } from "../../replication/backoff";
import { isBridgeError } from "../../stores/errors";
import { controlError } from "./errors";

export type ControlService = "sqs" | "ssm" | "lambda";

export interface ControlRequest {
  service: ControlService;
  /** The name of the operation in a BridgeError. */
  op: string;
  /** The beginning of the error's message when the call fails. */
  what: string;
  /** `https://host[:port]`. @default the service's endpoint, see `endpointOf` */
  origin?: string | undefined;
  /** Encoded. */
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

export interface ControlAnswer {
  status: number;
  /** Parsed JSON; undefined for an answer that is not JSON. */
  body: unknown;
}

export interface JsonCall {
  op: string;
  what: string;
  /** The operation, such as `SendMessage`. */
  action: string;
  /** The members of the request. A member that is undefined is not sent. */
  input: Record<string, unknown>;
}

/** Every call rejects with a BridgeError. It is repeated where it was throttled, got no answer or a 5xx, so it may have been done twice. */
export interface AwsApi {
  send(request: ControlRequest): Promise<ControlAnswer>;
  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html */
  sqs(call: JsonCall & { input: { QueueUrl: string } }): Promise<unknown>;
  /** https://docs.aws.amazon.com/systems-manager/latest/APIReference/Welcome.html */
  ssm(call: JsonCall): Promise<unknown>;
}

export interface AwsApiOptions {
  region: string;
  credentials: AwsCredentialsProvider;
  /** Where the services are; see `readEndpoint`. */
  endpointOf(service: ControlService): string;
  /** @default connections of its own */
  dispatcher?: Dispatcher | undefined;
  clock?: Pick<Clock, "now"> | undefined;
  random?: Random | undefined;
  sleep?: ((ms: number) => Promise<void>) | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the endpoint of a service as the SDKs do: `AWS_ENDPOINT_URL_<SERVICE>`, then `AWS_ENDPOINT_URL`, then the region's own.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export function readEndpoint(env: Env, region: string): (service: ControlService) => string {
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return (service) => {
    const url = env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] || env.AWS_ENDPOINT_URL;
    return url ? new URL(url).origin : `https://${service}.${region}.${suffix}`;
  };
}

/** Without limits of its own a call could wait longer than the function may run. */
const CONNECT_MS = 2_000;
const ANSWER_MS = 5_000;

const ATTEMPTS = 3;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 1_000;

export function createAwsApi(options: AwsApiOptions): AwsApi {
  const { region, credentials, endpointOf, clock = systemClock, random = systemRandom } = options;
  const { sleep = async (ms) => void (await delay(ms)) } = options;
  const { dispatcher = createAgent({ connectTimeoutMs: CONNECT_MS }) } = options;

  async function once({ service, op, what, path, headers, body, ...request }: ControlRequest): Promise<ControlAnswer> {
    const { origin, host } = new URL(request.origin ?? endpointOf(service));
    const signing = { method: "POST", host, path, headers, signedHeaders: ["content-type"], payloadHash: sha256Hex(body) };
    const signed = signHeaders(signing, await credentials(), { service, region, nowMs: clock.now() });
    const answer = await exchange(dispatcher, {
      ...{ origin, path, method: "POST", headers: signed, body: Buffer.from(body) },
      ...{ answerTimeoutMs: ANSWER_MS, bodyIdleMs: ANSWER_MS },
    }).catch((cause: unknown) => {
      throw controlError(op, what, {}, cause);
    });
    const { status } = answer;
    const parsed = parseJson(answer.body.toString("utf8"));
    if (status >= 200 && status < 300) return { status, body: parsed };
    throw controlError(op, what, { status, ...refusalIn(answer.headers, parsed) });
  }

  const send = (request: ControlRequest): Promise<ControlAnswer> =>
    withRetries(() => once(request), {
      ...{ firstWaitMs: FIRST_WAIT_MS, longestWaitMs: LONGEST_WAIT_MS, random, sleep },
      mayRetry: (error, { attempt }) => attempt < ATTEMPTS && isBridgeError(error, "RateLimited", "Unavailable"),
    });

  const json = async (
    service: ControlService,
    protocol: JsonProtocol,
    { op, what, action, input }: JsonCall,
    origin?: string,
  ) => {
    const headers = { "content-type": protocol.type, "x-amz-target": `${protocol.target}.${action}` };
    return (await send({ service, op, what, origin, path: "/", headers, body: JSON.stringify(input) })).body;
  };

  return {
    send,
    // The URL of a queue has the endpoint in it: an SDK sends there too, whatever the environment says.
    sqs: (call) => json("sqs", SQS, call, new URL(call.input.QueueUrl).origin),
    ssm: (call) => json("ssm", SSM, call),
  };
}

interface JsonProtocol {
  target: string;
  type: string;
}
const SQS: JsonProtocol = { target: "AmazonSQS", type: "application/x-amz-json-1.0" };
const SSM: JsonProtocol = { target: "AmazonSSM", type: "application/x-amz-json-1.1" };

/** The code is in a header or in the body, with the namespace in front of it or a URL behind it. */
function refusalIn(headers: AnswerHeaders, body: unknown): { code: string | undefined; expired: boolean } {
  const raw = headers["x-amzn-errortype"] ?? textAt(body, "__type") ?? textAt(body, "code") ?? textAt(body, "Code");
  const code = raw?.split(/[,:]/)[0]?.split("#").at(-1);
  const message = textAt(body, "message") ?? textAt(body, "Message") ?? "";
  return { code, expired: /^Signature (expired|not yet current)/.test(message) };
}
