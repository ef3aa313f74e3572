import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../free-port";
import type { Certificate } from "./certificate";
import type { MinistackInstallation } from "./install-ministack";

export { installMinistack, type MinistackInstallation } from "./install-ministack";

export type Partition = "aws" | "aws-cn";

export interface MinistackOptions {
  installation: MinistackInstallation;
  partition: Partition;
  region: string;
  /** 12 digits; also the access key of the account's root-like credentials. */
  accountId: string;
  /** The secret of those credentials: the emulator checks presigned URLs with it. @default "test" */
  rootSecret?: string | undefined;
  /** @default a free one */
  port?: number | undefined;
  tls: Certificate;
  /** Holds state, objects, temporary files and the log of one instance. */
  dataDir: string;
  /** Record every request in `callsPath`. */
  recordCalls?: boolean | undefined;
  /** The real length of a minute in schedule rates. @default 60_000 */
  scheduleMinuteMs?: number | undefined;
  /** Keep the state across a stop and a start. Only S3 objects are written before a graceful stop. */
  persist?: boolean | undefined;
}

export interface Ministack {
  /** `https://127.0.0.1:PORT`. */
  endpoint: string;
  port: number;
  region: string;
  accountId: string;
  partition: Partition;
  pid: number;
  logPath: string;
  /** With `recordCalls`: one line of JSON a request; serve-ministack.py describes it. */
  callsPath: string;
  /** Resolves when the process has exited. */
  exited: Promise<void>;
  /** Sends SIGTERM, and SIGKILL after 10 s. Resolves once the process has exited and its temporary files are removed. */
  stop(): Promise<void>;
  /** Sends SIGKILL, like a crash: nothing is saved. Resolves once the process has exited. */
  kill(): Promise<void>;
}

const SERVER = join(__dirname, "serve-ministack.py");
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;
const HEALTH_POLL_MS = 50;
const PORT_ATTEMPTS = 5;

/**
 * Starts one AWS emulator for one account in one partition, on 127.0.0.1 over TLS with IAM enforced. Resolves once it answers. The
 * emulator exits when this process exits or crashes.
 * @throws Error with the end of the log when it does not start.
 */
export async function startMinistack(options: MinistackOptions): Promise<Ministack> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    try {
      return await startOn(port, options);
    } catch (error) {
      // Another process took the free port first.
      const taken = error instanceof Error && error.message.includes("ddress already in use");
      if (options.port !== undefined || !taken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function startOn(port: number, options: MinistackOptions): Promise<Ministack> {
  const { dataDir, partition, region, accountId } = options;
  const temporary = join(dataDir, "tmp");
  const logPath = join(dataDir, "ministack.log");
  await mkdir(temporary, { recursive: true });

  const log = openSync(logPath, "a");
  const child = spawn(options.installation.python, [SERVER], {
    env: environment(port, temporary, options),
    // The emulator exits when its standard input closes, and that happens when this process exits.
    stdio: ["pipe", log, log],
    // In its own process group it gets no SIGINT from a Ctrl-C; `stop` ends it after the teardown.
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await spawned(child, options.installation.python);

  const end = async (signal: NodeJS.Signals, deadlineMs: number) => {
    child.kill(signal);
    if (!(await within(exited, deadlineMs))) {
      child.kill("SIGKILL");
      await exited;
    }
    // Each of its function workers leaves a folder.
    await rm(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  const endpoint = `https://127.0.0.1:${port}`;
  try {
    await healthy(endpoint, options.tls, child);
  } catch (cause) {
    await end("SIGKILL", 0);
    const tail = (await readFile(logPath, "utf8")).split("\n").slice(-30).join("\n");
    throw new Error(`ministack for ${partition} did not start on ${endpoint}: ${(cause as Error).message}\n${tail}`, { cause });
  }
  return {
    endpoint,
    port,
    region,
    accountId,
    partition,
    pid: child.pid as number,
    logPath,
    callsPath: callsPath(options),
    exited,
    stop: () => end("SIGTERM", STOP_DEADLINE_MS),
    kill: () => end("SIGKILL", STOP_DEADLINE_MS),
  };
}

const callsPath = ({ dataDir }: MinistackOptions) => join(dataDir, "calls.jsonl");

/** The whole environment. The functions inherit it, so it holds nothing of this process but the PATH. */
function environment(port: number, temporary: string, options: MinistackOptions): Record<string, string> {
  return {
    // Functions run on the same Node.js as this process.
    PATH: [dirname(process.execPath), process.env.PATH ?? ""].join(delimiter),
    TMPDIR: temporary,
    HOME: temporary,
    BIND_HOST: "127.0.0.1",
    MINISTACK_HOST: "localhost",
    GATEWAY_PORT: String(port),
    MINISTACK_REGION: options.region,
    AWS_DEFAULT_REGION: options.region,
    MINISTACK_ACCOUNT_ID: options.accountId,
    AWS_SECRET_ACCESS_KEY: options.rootSecret ?? "test",
    S3_DATA_DIR: join(options.dataDir, "s3"),
    STATE_DIR: join(options.dataDir, "state"),
    LAMBDA_EXECUTOR: "local",
    SFTP_ENABLED: "0",
    IOT_MTLS_ENABLED: "0",
    AUTH: "true",
    USE_SSL: "1",
    MINISTACK_SSL_CERT: options.tls.certPath,
    MINISTACK_SSL_KEY: options.tls.keyPath,
    PYTHONUNBUFFERED: "1",
    // The edge lies in the repository, which holds no compiled files.
    PYTHONDONTWRITEBYTECODE: "1",
    ...(options.recordCalls ? { RECORD_CALLS: callsPath(options) } : {}),
    ...(options.scheduleMinuteMs === undefined ? {} : { SCHEDULE_MINUTE_MS: String(options.scheduleMinuteMs) }),
    ...(options.persist ? { PERSIST_STATE: "1", S3_PERSIST: "1" } : {}),
  };
}

async function spawned(child: ChildProcess, python: string): Promise<void> {
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw new Error(`${python} could not be started: ${(cause as Error).message}`, { cause });
  }
}

async function healthy(endpoint: string, tls: Certificate, child: ChildProcess): Promise<void> {
  const ca = await readFile(tls.certPath);
  const deadline = Date.now() + START_DEADLINE_MS;
  let last = "";
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`);
    }
    try {
      const status = await statusOf(`${endpoint}/_ministack/health`, ca);
      if (status === 200) return;
      last = `its health is ${status}`;
    } catch (error) {
      last = (error as Error).message;
    }
    // The emulator has no other sign of readiness.
    await delay(HEALTH_POLL_MS);
  }
  throw new Error(`not healthy after ${START_DEADLINE_MS} ms: ${last}`);
}

function statusOf(url: string, ca: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode));
    });
    call.once("timeout", () => call.destroy(new Error("no answer within 2,000 ms")));
    call.once("error", reject);
    call.end();
  });
}

async function within(event: Promise<void>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([event.then(() => true), delay(ms, false, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
