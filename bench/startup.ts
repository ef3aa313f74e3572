/**
 * Start-up of the functions: how long a new process needs to load a bundle, and the sender's also to presign a first URL. Beside it stands a minimal
 * bundle of `@aws-sdk/client-s3` with the presigner, which does nothing else. `npx tsx bench/startup.ts [pairs]`
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { encodeEnv, type Role, type RoleConfig } from "../runtime/protocol/env";
import { bundleProgram, FUNCTIONS, type FunctionPlatform } from "../scripts/build-functions";

export interface Spread {
  min: number;
  median: number;
  max: number;
}

export interface StartupResult {
  /** `<platform>/<role>`, with `+ presign` where a URL is presigned as well. */
  name: string;
  sizeBytes: number;
  /** From before the bundle is loaded to the end of the load, or of the presigning; without the start of Node.js. */
  wallMs: Spread;
  /** User and system time of the same part. */
  cpuMs: Spread;
  /** The medians' share of the minimal SDK bundle that presigns as well. */
  ofMinimal: { wall: number; cpu: number };
}

const MINIMAL = "minimal @aws-sdk/client-s3 + presign";

interface Contender {
  name: string;
  file: string;
  env: Record<string, string>;
}

const oss = (bucket: string) => ({ kind: "oss", bucket, region: "cn-shanghai", versioned: true, network: "internal" }) as const;
const s3 = (bucket: string) => ({ kind: "s3", bucket, region: "us-east-1" }) as const;
const QUEUE: Record<FunctionPlatform, string> = {
  "aws-lambda": "https://sqs.us-east-1.amazonaws.com/111111111111/queue",
  "alicloud-fc": "https://3333333333333333.mns.cn-shanghai.aliyuncs.com/queues/queue",
};

/** The configuration of every role, as a component would give it. */
function configsOf(platform: FunctionPlatform): { [R in Role]: RoleConfig<R> } {
  const store = platform === "aws-lambda" ? s3 : oss;
  const identity = { bridgeId: "bridge", sourceId: "source", destinationId: "destination", logLevel: "info" } as const;
  const source = { ...identity, source: store("photos"), scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 } };
  const destination = { ...identity, destination: store("copies"), destinationPrefix: "", controlBucket: "control" };
  const queues = { queueUrl: QUEUE[platform], outageQueueUrl: QUEUE[platform], deadLetterUrl: QUEUE[platform] };
  const ends = { maxAttempts: 20, giveUpAfterSeconds: 604_800 };
  const copying = { timeoutSeconds: 900, partSizeBytes: 16 * 1024 ** 2, partsAtOnce: 8 };
  const auth = { kind: "token", parameter: "/bridge/signing" } as const;
  const allowedSources = [{ origin: "https://photos.example.com", pathPrefix: "/" }];
  const inlineLimitBytes = 8 * 1024 ** 2;
  return {
    notifier: {
      bridgeId: "bridge",
      logLevel: "info",
      format: "dingtalk",
      ownAlarm: "crossborderbridge-start-webhook-fails",
      parameter: "/bridge/webhook",
    },
    sender: {
      ...source,
      ...queues,
      ...ends,
      ...{ deletes: "ignore", statusTags: false, receiverUrl: "https://receiver.example.com/replicate", auth },
      ...{ urlExpiresInSeconds: 3600, receiverTimeoutSeconds: 29, inlineLimitBytes },
    },
    receiver: {
      ...destination,
      ...{ allowedSources, auth, inlineLimitBytes, timeoutSeconds: 29, copiesAtOnce: 10, allowedCidrs: [] },
      copier: { functionName: "copier", timeoutSeconds: 900 },
    },
    copier: { ...destination, ...copying, allowedSources },
    dispatcher: {
      ...source,
      ...{ deletes: "ignore", flowName: "flow", giveUpAfterSeconds: 604_800 },
      ...{ queueUrl: QUEUE[platform], deadLetterUrl: QUEUE[platform] },
    },
    pusher: {
      ...source,
      ...destination,
      ...queues,
      ...ends,
      ...copying,
      ...{ deletes: "ignore", statusTags: false, inlineLimitBytes, inlineTimeoutSeconds: 29, copiesAtOnce: 10 },
      dispatcherFunctionName: "dispatcher",
    },
    prober: {
      ...identity,
      ...{ side: "destination", store: store("copies"), keyPrefix: "", probePrefix: "probe/", suffix: "", tags: {} },
      timeoutSeconds: 900,
    },
  };
}

function envOf<R extends Role>(platform: FunctionPlatform, role: R): Record<string, string> {
  return {
    ...encodeEnv(role, configsOf(platform)[role]),
    ...{ AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret", AWS_SESSION_TOKEN: "token" },
    ...{ FC_REGION: "cn-shanghai", FC_ACCOUNT_ID: "3333333333333333", FC_FUNCTION_NAME: "function" },
  };
}

/** Loads everything that the sender loads, and presigns with the sender's own store. */
const SENDER_SOURCE = `
  export * from "./runtime/platforms/aws-lambda/sender";
  import { parseEnv } from "./runtime/protocol/env";
  import { openStore } from "./runtime/platforms/aws-lambda/start";
  export const presign = () =>
    openStore(parseEnv("sender", process.env).source, process.env).presignGet("a/key", { expiresInSeconds: 3600 });`;

const MINIMAL_SOURCE = `
  import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
  import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
  const client = new S3Client({ region: "us-east-1" });
  export const presign = () =>
    getSignedUrl(client, new GetObjectCommand({ Bucket: "photos", Key: "a/key" }), { expiresIn: 3600 });`;

async function bundleText(text: string, file: string): Promise<void> {
  await writeFile(file, await bundleProgram({ text }));
}

async function contendersIn(folder: string): Promise<Contender[]> {
  const minimal = join(folder, "minimal.js");
  const presigning = join(folder, "sender.js");
  await bundleText(MINIMAL_SOURCE, minimal);
  await bundleText(SENDER_SOURCE, presigning);
  const contenders: Contender[] = [
    { name: MINIMAL, file: minimal, env: envOf("aws-lambda", "sender") },
    { name: "aws-lambda/sender + presign", file: presigning, env: envOf("aws-lambda", "sender") },
  ];
  for (const [platform, roles] of Object.entries(FUNCTIONS) as [FunctionPlatform, readonly Role[]][]) {
    for (const role of roles) {
      const file = join(folder, `${platform}-${role}.js`);
      await bundleText(`export * from "./runtime/platforms/${platform}/${role}";`, file);
      contenders.push({ name: `${platform}/${role}`, file, env: envOf(platform, role) });
    }
  }
  return contenders;
}

/** Runs in a process of its own. Prints milliseconds: elapsed, and of the processor. */
const CHILD = `
  const usedBefore = process.cpuUsage();
  const startedAt = process.hrtime.bigint();
  const { presign } = require(process.argv[1]);
  Promise.resolve(presign?.()).then((url) => {
    const elapsed = Number(process.hrtime.bigint() - startedAt) / 1e6;
    const { user, system } = process.cpuUsage(usedBefore);
    if (presign !== undefined && !/Signature=[0-9a-f]{64}/.test(url)) throw new Error("this is no presigned URL");
    process.stdout.write(JSON.stringify([elapsed, (user + system) / 1e3]), () => process.exit(0));
  });`;

async function startOnce({ file, env }: Contender): Promise<{ wallMs: number; cpuMs: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", "-e", CHILD, file], { env });
  const [wallMs, cpuMs] = JSON.parse(stdout) as [number, number];
  return { wallMs, cpuMs };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const half = sorted.length / 2;
  const median = Number.isInteger(half) ? (at(half - 1) + at(half)) / 2 : at(Math.floor(half));
  return { min: at(0), median, max: at(sorted.length - 1) };
}

/**
 * Starts every bundle once in each round, so that a busy moment of the machine falls on all of them.
 * @param pairs rounds that count; one more is made before
 */
export async function measureStartup(pairs: number): Promise<StartupResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "startup-"));
  try {
    const contenders = await contendersIn(folder);
    const samples = contenders.map((contender) => ({ contender, wallMs: [] as number[], cpuMs: [] as number[] }));
    for (let round = 0; round <= pairs; round++) {
      for (const { contender, wallMs, cpuMs } of samples) {
        const once = await startOnce(contender);
        // The first round reads the files into the machine's memory.
        if (round === 0) continue;
        wallMs.push(once.wallMs);
        cpuMs.push(once.cpuMs);
      }
    }
    const measured = await Promise.all(
      samples.map(async ({ contender: { name, file }, wallMs, cpuMs }) => {
        return { name, sizeBytes: (await stat(file)).size, wallMs: spreadOf(wallMs), cpuMs: spreadOf(cpuMs) };
      }),
    );
    const minimal = measured.find(({ name }) => name === MINIMAL) ?? measured[0];
    if (minimal === undefined) throw new Error("nothing was measured");
    return measured.map((one) => ({
      ...one,
      ofMinimal: { wall: one.wallMs.median / minimal.wallMs.median, cpu: one.cpuMs.median / minimal.cpuMs.median },
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function main(pairs: number): Promise<void> {
  const cell = ({ min, median, max }: Spread) => `${median.toFixed(1)} (${min.toFixed(1)}-${max.toFixed(1)})`.padEnd(22);
  console.log(`${"".padEnd(38)} ${"KiB".padStart(5)}  ${"wall ms".padEnd(22)} ${"CPU ms".padEnd(22)} of minimal: wall, CPU`);
  for (const { name, sizeBytes, wallMs, cpuMs, ofMinimal } of await measureStartup(pairs)) {
    const size = (sizeBytes / 1024).toFixed(0).padStart(5);
    const shares = `${ofMinimal.wall.toFixed(2)} ${ofMinimal.cpu.toFixed(2)}`;
    console.log(`${name.padEnd(38)} ${size}  ${cell(wallMs)} ${cell(cpuMs)} ${shares}`);
  }
}

if (require.main === module) {
  main(Number(process.argv[2] ?? 15)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
