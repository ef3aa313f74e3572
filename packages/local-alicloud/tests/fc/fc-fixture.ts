import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { zipSync } from "fflate";
import { ensureCertificate } from "../../src/certificate";
import type { CallRecord, FunctionCompute, FunctionSpec } from "../../src/contracts";
import { type FunctionComputeOptions, startFunctionCompute } from "../../src/fc/function-compute";
import { FakeRam } from "./fake-ram";

export const ACCOUNT = "3333333333333333";
export const REGION = "cn-shanghai";
export const FUNCTION_ROLE = `acs:ram::${ACCOUNT}:role/function`;
export const DEAD_LETTERS = `acs:mns:${REGION}:${ACCOUNT}:/queues/dead-letters/messages`;

export interface FcFixture {
  fc: FunctionCompute & { origins: Readonly<Record<string, string>> };
  ram: FakeRam;
  runDir: string;
  caPath: string;
  clock: { now: number };
  calls: CallRecord[];
  failures: unknown[];
  sent: { region: string; queueName: string; body: Buffer }[];
  /** Creates a function of CommonJS source. */
  create(functionName: string, source: string, changes?: Partial<FunctionSpec>): Promise<void>;
  /** Invokes the function with JSON and returns its answer as text. */
  call(functionName: string, event?: unknown): Promise<{ text: string; errorType: string | undefined }>;
  stop(): Promise<void>;
}

/** The same files give the same bytes. */
export const zipOf = (files: Record<string, string>): Buffer =>
  Buffer.from(
    zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])), {
      mtime: "2026-01-01T00:00:00",
    }),
  );

export function specOf(functionName: string, source: string, changes: Partial<FunctionSpec> = {}): FunctionSpec {
  return {
    functionName,
    runtime: "nodejs20",
    handler: "index.handler",
    role: FUNCTION_ROLE,
    code: zipOf({ "index.js": source }),
    cpu: 0.25,
    memorySize: 512,
    diskSize: 512,
    timeout: 30,
    environmentVariables: {},
    internetAccess: true,
    instanceConcurrency: 1,
    ...changes,
  };
}

export async function startFixture(options: Partial<FunctionComputeOptions> = {}): Promise<FcFixture> {
  const folder = await mkdtemp(join(tmpdir(), "local-fc-"));
  const tls = await ensureCertificate(folder);
  const clock = { now: Date.parse("2026-11-21T10:00:00.500Z") };
  const ram = new FakeRam(ACCOUNT, () => clock.now);
  ram.roles.set("function", { services: ["fc.aliyuncs.com"], allows: [`mns:SendMessage ${DEAD_LETTERS}`] });
  const calls: CallRecord[] = [];
  const failures: unknown[] = [];
  const sent: FcFixture["sent"] = [];
  const runDir = join(folder, "functions");
  const fc = await startFunctionCompute({
    ram,
    accountId: ACCOUNT,
    regions: [REGION, "us-west-1"],
    runDir,
    tls,
    caPath: tls.certPath,
    environment: () => ({ LOCAL_ALICLOUD_ENDPOINTS: '{"oss-cn-shanghai-internal.aliyuncs.com":"https://localhost:1"}' }),
    send: (region, queueName, body) => void sent.push({ region, queueName, body }),
    retryBaseMs: 1,
    now: () => clock.now,
    onCall: (call) => void calls.push(call),
    onFailure: (error) => void failures.push(error),
    ...options,
  });
  return {
    fc,
    ram,
    runDir,
    caPath: tls.certPath,
    clock,
    calls,
    failures,
    sent,
    async create(functionName, source, changes) {
      await fc.createFunction(REGION, specOf(functionName, source, changes));
    },
    async call(functionName, event = {}) {
      const { payload, errorType } = await fc.invoke(REGION, functionName, Buffer.from(JSON.stringify(event)));
      return { text: payload.toString(), errorType };
    },
    async stop() {
      await fc.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Waits until the condition holds. */
export async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await wait(5);
  }
}

/** Source of a handler that logs its start and returns when the file `event.gate` exists. */
export const GATED = `
const { existsSync } = require("node:fs");
const { setTimeout } = require("node:timers/promises");
exports.handler = async (event) => {
  const { gate } = JSON.parse(event);
  console.log("started");
  while (!existsSync(gate)) await setTimeout(5);
  return process.pid + "";
};`;

/** The settings of a function in a custom runtime, with the one command that is served. */
export const CUSTOM = {
  runtime: "custom.debian10",
  customRuntimeConfig: { command: ["/var/fc/lang/nodejs20/bin/node"], args: ["index.js"], port: 9000 },
} satisfies Partial<FunctionSpec>;
