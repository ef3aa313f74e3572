/** Deploys one stack for all tests of a file, with clients for both sides. */
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { BridgeOutputs } from "../../../components/config/settings";
import { ensureCertificate } from "../../../local/aws/certificate";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalPartition } from "../../../local/aws/local-aws";
import { ends, type LocalEnd } from "../../../local/cli/ends";
import { type LocalStack, type LocalStackOptions, startLocalStack } from "../../../local/local-stack";
import { DEFAULT_STATE_DIR } from "../../../local/paths";
import { changeFunctionConfig } from "./function-config";
import { readRawLog } from "./logs";
import { startTlsProxy, type TlsProxy } from "./tls-proxy";

/** Timeout of `beforeAll`: start of two clouds and a deployment, on two busy cores. */
export const START_MS = 240_000;
/** Timeout of a test that runs the engine once or twice, on two busy cores. */
export const UP_MS = 180_000;
const TAIL_LINES = 12;
const LINE_CHARACTERS = 400;
/** The platform's own lines, embedded metrics and the SDK's advice about the version of Node. */
const NOISE =
  /^(START|END|REPORT) RequestId|^\{"_aws"|NodeVersionSupportWarning|^(versions published|will require node|To continue receiving|and security updates|More information can|\(Use `node)/;

export interface TestEnd {
  readonly cloud: LocalPartition;
  readonly bucket: string;
  /** Prefix of every key. */
  readonly prefix: string;
  readonly s3: S3Client;
}

/** A stack in pull mode, with the outputs of that mode. */
export type PullStack = LocalStack & {
  readonly outputs: Required<
    Pick<
      BridgeOutputs,
      "receiverUrl" | "deadLetterQueueUrl" | "senderFunctionName" | "receiverFunctionName" | "copierFunctionName"
    >
  >;
};

export interface TestStack {
  readonly local: PullStack;
  readonly source: TestEnd;
  readonly destination: TestEnd;
  /** Client of the source's cloud. */
  readonly sqs: SQSClient;
  stop(): Promise<void>;
}

export async function startTestStack(options: Partial<LocalStackOptions> = {}): Promise<TestStack> {
  const local = await startLocalStack({ stack: "dev", ...options });
  const { source, destination } = openEnds(local);
  const sqs = new SQSClient(clientConfig(source.cloud));
  return {
    local: local as PullStack,
    source,
    destination,
    sqs,
    async stop() {
      for (const client of [sqs, source.s3, destination.s3]) client.destroy();
      await local.stop();
    },
  };
}

/** Opens a client for each end. The caller destroys them. */
export function openEnds(local: LocalStack): { source: TestEnd; destination: TestEnd } {
  const open = ({ cloud: name, region, bucket, prefix }: LocalEnd): TestEnd => {
    if (name === "alicloud") throw new Error("this fixture is for bridges between buckets of AWS");
    const cloud = local.clouds[name];
    return { cloud, bucket, prefix, s3: new S3Client({ ...clientConfig(cloud), region }) };
  };
  const { source, destination } = ends(local);
  return { source: open(source), destination: open(destination) };
}

/** @throws Error if `beforeAll` did not start the stack */
export function started<T>(stack: T | undefined): T {
  if (stack === undefined) throw new Error("the stack did not start: see beforeAll");
  return stack;
}

/**
 * Puts a proxy between the presigned URLs and the source. Receivers and copiers read the source only by these URLs, and senders read only
 * heads and tags. So all object bytes that are read at the source pass the proxy.
 */
export async function proxySourceReads({ local, source, destination }: TestStack): Promise<TlsProxy> {
  const proxy = await startTlsProxy(source.cloud.endpoint, await ensureCertificate(DEFAULT_STATE_DIR));
  const { outputs } = local;
  const pathPrefix = `/${source.bucket}/`;
  const allowedSources = [{ origin: proxy.origin, pathPrefix }];
  await changeFunctionConfig(source.cloud, outputs.senderFunctionName, "sender", (config) => ({
    ...config,
    source: { ...config.source, presignEndpoint: proxy.origin },
  }));
  await changeFunctionConfig(destination.cloud, outputs.receiverFunctionName, "receiver", (config) => ({
    ...config,
    allowedSources,
  }));
  await changeFunctionConfig(destination.cloud, outputs.copierFunctionName, "copier", (config) => ({
    ...config,
    allowedSources,
  }));
  return proxy;
}

/** Puts a proxy between the sender and the receiver's endpoint. */
export async function proxyReceiver({ local, source, destination }: TestStack): Promise<TlsProxy> {
  const proxy = await startTlsProxy(destination.cloud.endpoint, await ensureCertificate(DEFAULT_STATE_DIR));
  await changeFunctionConfig(source.cloud, local.outputs.senderFunctionName, "sender", (config) => {
    const { pathname } = new URL(config.receiverUrl);
    return { ...config, receiverUrl: `${proxy.origin}${pathname}` };
  });
  return proxy;
}

/** Starts a stack before the tests of a file, and stops it after them. Returns `test` on that stack, as `testOn` does. */
export function testOnOwnStack(options: Partial<LocalStackOptions> = {}): ReturnType<typeof testOn> {
  let stack: TestStack | undefined;
  beforeAll(async () => {
    stack = await startTestStack(options);
  }, START_MS);
  afterAll(async () => {
    await stack?.stop();
  });
  return testOn(() => stack);
}

/** Like `test`. A failure also shows the end of the functions' logs. */
export function testOn(stack: () => TestStack | undefined) {
  return (name: string, body: (stack: TestStack) => Promise<void>, timeoutMs?: number): void => {
    const run = async () => {
      const running = started(stack());
      try {
        await body(running);
      } catch (error) {
        if (error instanceof Error) error.message += await logTails(running);
        throw error;
      }
    };
    test(name, run, timeoutMs);
  };
}

async function logTails({ local: { outputs }, source, destination }: TestStack): Promise<string> {
  const functions: [LocalPartition, string][] = [
    [source.cloud, outputs.senderFunctionName],
    [destination.cloud, outputs.receiverFunctionName],
    [destination.cloud, outputs.copierFunctionName],
  ];
  const tails = functions.map(async ([cloud, name]) => {
    // A cloud that does not answer must not hide the test's failure.
    const lines = await readRawLog(cloud, name).catch((error: Error) => [`no log: ${error.message}`]);
    const useful = lines.filter((line) => line.trim() !== "" && !NOISE.test(line)).slice(-TAIL_LINES);
    return `\n--- end of the log of ${name}\n${useful.map((line) => line.slice(0, LINE_CHARACTERS)).join("\n")}`;
  });
  return (await Promise.all(tails)).join("");
}
