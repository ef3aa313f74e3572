/** One deployed stack for all tests of a file, with clients for both sides. */
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { BridgeOutputs } from "../../../components/config/settings";
import { ensureCertificate } from "../../../local/aws/certificate";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalPartition } from "../../../local/aws/local-aws";
import { ends } from "../../../local/cli/ends";
import { type LocalStack, type LocalStackOptions, startLocalStack } from "../../../local/local-stack";
import { DEFAULT_STATE_DIR } from "../../../local/paths";
import { changeFunctionConfig } from "./function-config";
import { readRawLog } from "./logs";
import { startTlsProxy, type TlsProxy } from "./tls-proxy";

/** For `beforeAll`: two clouds and a deployment on two busy cores. */
export const START_MS = 240_000;
const TAIL_LINES = 12;
const LINE_CHARACTERS = 400;
/** The platform's own lines, embedded metrics and the SDK's advice about the version of Node. */
const UNTELLING =
  /^(START|END|REPORT) RequestId|^\{"_aws"|NodeVersionSupportWarning|^(versions published|will require node|To continue receiving|and security updates|More information can|\(Use `node)/;

export interface TestEnd {
  readonly cloud: LocalPartition;
  readonly bucket: string;
  /** In front of every key. */
  readonly prefix: string;
  readonly s3: S3Client;
}

/** A stack in pull mode, with everything that belongs to it. */
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
  /** Of the source's cloud. */
  readonly sqs: SQSClient;
  stop(): Promise<void>;
}

export async function startTestStack(options: Partial<LocalStackOptions> = {}): Promise<TestStack> {
  const local = await startLocalStack({ stack: "dev", ...options });
  const { source, destination } = ends(local);
  const sides = [source, destination].map(({ cloud: name, bucket, prefix }) => {
    if (name === "alicloud") throw new Error("this fixture is for bridges between the partitions of AWS");
    const cloud = local.clouds[name];
    return { cloud, bucket, prefix, s3: new S3Client(clientConfig(cloud)) };
  }) as [TestEnd, TestEnd];
  const sqs = new SQSClient(clientConfig(sides[0].cloud));
  return {
    local: local as PullStack,
    source: sides[0],
    destination: sides[1],
    sqs,
    async stop() {
      sqs.destroy();
      for (const { s3 } of sides) s3.destroy();
      await local.stop();
    },
  };
}

/**
 * Puts a proxy between the presigned URLs and the source. Receivers and copiers reach the source by these URLs alone, and senders only
 * read heads and tags, so what passes here is every object byte that is read at the source.
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

/** Like `test`, and a failure shows the end of the functions' logs. */
export function testOn(stack: () => TestStack | undefined) {
  return (name: string, body: (stack: TestStack) => Promise<void>): void => {
    test(name, async () => {
      const running = stack();
      if (running === undefined) throw new Error("the stack did not start: see beforeAll");
      try {
        await body(running);
      } catch (error) {
        if (error instanceof Error) error.message += await logTails(running);
        throw error;
      }
    });
  };
}

async function logTails({ local: { outputs }, source, destination }: TestStack): Promise<string> {
  const functions: [LocalPartition, string][] = [
    [source.cloud, outputs.senderFunctionName],
    [destination.cloud, outputs.receiverFunctionName],
    [destination.cloud, outputs.copierFunctionName],
  ];
  const tails = functions.map(async ([cloud, name]) => {
    // The failure itself is the news; a cloud that no longer answers must not hide it.
    const lines = await readRawLog(cloud, name).catch((error: Error) => [`no log: ${error.message}`]);
    const telling = lines.filter((line) => line.trim() !== "" && !UNTELLING.test(line)).slice(-TAIL_LINES);
    return `\n--- end of the log of ${name}\n${telling.map((line) => line.slice(0, LINE_CHARACTERS)).join("\n")}`;
  });
  return (await Promise.all(tails)).join("");
}
