/** A newcomer at a terminal: runs `npm start`, and the lines that it and its commands print, as they are printed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { readRunning } from "../../../../local/cli/operator-file";
import { REPOSITORY_ROOT } from "../../../../local/paths";
import type { Snapshot } from "../../../../operator/overview/snapshot";
import { type CliProcess, runNpm } from "../../../local/cli/cli-process";
import { writeAwsCommand } from "../aws-command";
import { eventually } from "../eventually";

export interface Ran {
  command: string;
  exitCode: number;
  /** Standard output and standard error, in the order in which they came. */
  output: string;
}

export interface Newcomer {
  /** What `npm start` printed when it was ready. */
  readonly ready: string;
  readonly pageUrl: string;
  /** Runs a line in a shell, in the checkout. */
  run(command: string, environment?: Record<string, string>): Promise<Ran>;
  /** The first snapshot of the page for which `isWanted` is true. */
  page(isWanted: (snapshot: Snapshot) => boolean): Promise<Snapshot>;
  /** Ends `npm start` with Ctrl-C. */
  stop(): Promise<void>;
}

const READY_MS = 240_000;
const OTHER_RUN_MS = 600_000;

/** @param minuteMs how long a minute of the schedules takes, in real ms */
export async function startAsNewcomer(minuteMs: number): Promise<Newcomer> {
  // Another test may run the same stack, and the operator's command finds only one of them.
  await eventually(async () => expect(await readRunning("dev")).toBeUndefined(), {
    deadlineMs: OTHER_RUN_MS,
    what: "no other npm start of the stack dev runs",
  });
  const tools = await mkdtemp(join(tmpdir(), "newcomer-"));
  await writeAwsCommand(tools);
  process.env.SCHEDULE_MINUTE_MS = String(minuteMs);
  const started = runNpm(["start", "--silent"]);
  delete process.env.SCHEDULE_MINUTE_MS;
  const stop = async () => {
    started.signal("SIGINT");
    await started.ended;
    await rm(tools, { recursive: true });
  };
  try {
    await Promise.race([started.line(/^Ctrl-C ends everything/), afterwards(READY_MS)]);
    const ready = started.stdout();
    const pageUrl = /^ {2}page +(\S+)$/m.exec(ready)?.[1] ?? "";
    return {
      ready,
      pageUrl,
      run: (command, environment = {}) => runLine(command, { ...environment, PATH: [tools, process.env.PATH].join(delimiter) }),
      page: (isWanted) => readPage(pageUrl, isWanted, started),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function afterwards(ms: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`npm start is not ready after ${ms} ms`)), ms).unref();
  });
}

async function runLine(command: string, environment: Record<string, string>): Promise<Ran> {
  const child = spawn("/bin/sh", ["-c", command], {
    cwd: REPOSITORY_ROOT,
    env: { ...process.env, npm_config_loglevel: "silent", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const [exitCode] = (await once(child, "close")) as [number];
  return { command, exitCode, output };
}

const PAGE_MS = 180_000;

async function readPage(url: string, isWanted: (snapshot: Snapshot) => boolean, started: CliProcess): Promise<Snapshot> {
  const { origin, hash } = new URL(url);
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(PAGE_MS)]);
  const authorization = `Bearer ${hash.slice("#token=".length)}`;
  const response = await fetch(`${origin}/api/events`, { headers: { authorization }, signal });
  let last: Snapshot | undefined;
  try {
    for await (const snapshot of snapshotsIn(response.body as unknown as AsyncIterable<Uint8Array>)) {
      last = snapshot;
      if (isWanted(snapshot)) return snapshot;
    }
  } catch (error) {
    throw new Error(`the page did not show it: ${JSON.stringify(last)}\n${started.stderr()}`, { cause: error });
  } finally {
    ended.abort();
  }
  throw new Error("the stream of the page has ended");
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
async function* snapshotsIn(body: AsyncIterable<Uint8Array>): AsyncIterable<Snapshot> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of body) {
    text += decoder.decode(part, { stream: true });
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const data = /^event: snapshot\ndata: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield JSON.parse(data) as Snapshot;
    }
  }
}
