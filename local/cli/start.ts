/** `npm start`: deploys a stack to local clouds and keeps them running until Ctrl-C. */
import { once } from "node:events";
import type { WriteStream } from "node:tty";
import { Command } from "commander";
import { createClosers } from "../closers";
import { type LocalStack, startLocalStack } from "../local-stack";
import { ends, type LocalEnd } from "./ends";
import { type HttpFront, serveHttpFront } from "./http-front";
import { type Interrupt, runCli } from "./interrupt";
import { assertInScope, readFiles, sendAndProve } from "./once";
import { writeOperatorFile } from "./operator-file";
import { openPage } from "./page";

/** Longer than any copy of the dev stack takes with its retries. */
const PROOF_TIMEOUT_MS = 180_000;

interface StartOptions {
  stack: string;
  json?: true;
  once?: string[];
  /** False with --no-page. */
  page: boolean;
  verbose?: true;
}

const program = new Command("npm start --")
  .description("Deploys a stack to local clouds with the real Pulumi engine, and keeps them running until Ctrl-C.")
  .option("--stack <name>", "the stack to deploy, as in Pulumi.<name>.yaml", "dev")
  .option("--json", "print one JSON line with endpoints and credentials when ready")
  .option("--once <file...>", "put these files in, wait until each is proven equal at the destination, tear down, exit")
  .option("--no-page", "serve no page that shows the bridge, and open no browser")
  .option("--verbose", "show what the engine prints")
  .action((options: StartOptions) => runCli((interrupt) => start(options, interrupt)));

async function start(options: StartOptions, { signal }: Interrupt): Promise<void> {
  const files = options.once && (await readFiles(options.once));
  if (files) await assertInScope(files, options.stack);
  const progress = createProgress(process.stderr);
  const stack = await startLocalStack({
    stack: options.stack,
    onProgress: progress.step,
    onEngineLine: options.verbose ? progress.detail : progress.engineLine,
    signal,
  });
  try {
    if (files) await sendAll(stack, files, progress, signal);
    else await stay(stack, options, progress, signal);
  } finally {
    progress.step("tearing down");
    await stack.stop();
    progress.done();
  }
}

async function sendAll(
  stack: LocalStack,
  files: Awaited<ReturnType<typeof readFiles>>,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  progress.step(`putting ${files.length} file${files.length === 1 ? "" : "s"} into ${stack.outputs.sourceBucket}`);
  const deadlineMs = Date.now() + PROOF_TIMEOUT_MS;
  const failures: string[] = [];
  await Promise.all(
    files.map(async (file) => {
      try {
        const { key, sizeBytes, sha256, lagMs } = await sendAndProve(stack, file, { deadlineMs, signal });
        console.log(`${key}  ${sizeBytes} bytes  sha256:${sha256}  lag ${(lagMs / 1000).toFixed(2)} s`);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }),
  );
  signal.throwIfAborted();
  if (failures.length > 0) throw new Error(`${failures.length} of ${files.length} not proven equal:\n  ${failures.join("\n  ")}`);
}

async function stay(stack: LocalStack, options: StartOptions, progress: Progress, signal: AbortSignal): Promise<void> {
  const { source, destination } = ends(stack);
  const { receiverUrl, flowName, deadLetterQueueUrl } = stack.outputs;
  const closers = createClosers();
  const front = async (end: LocalEnd) => {
    const served = await serveHttpFront(end);
    closers.add(served.close);
    return description(end, served);
  };
  try {
    const ready = {
      source: await front(source),
      destination: await front(destination),
      receiver: receiverUrl === undefined ? undefined : { url: receiverUrl },
      workflow: flowName === undefined ? undefined : { name: flowName },
      deadLetter: deadLetterQueueUrl === undefined ? undefined : { queueUrl: deadLetterQueueUrl },
      caFile: stack.clouds.caPath,
    };
    closers.add(await writeOperatorFile(options.stack, stack));
    const page = options.page ? await openPage(options.stack, stack, { signal, opensBrowser: !options.json }) : undefined;
    if (page !== undefined) closers.add(page.close);
    progress.done();
    const shown = { ...ready, page: page && { url: page.url } };
    console.log(options.json ? JSON.stringify(shown) : readable(shown));
    // The timer keeps the process alive until the signal.
    const alive = setInterval(() => undefined, 2 ** 30);
    const interrupted = signal.aborted ? undefined : once(signal, "abort").then(() => undefined);
    const ended = await Promise.race([interrupted, stack.clouds.ended]);
    clearInterval(alive);
    if (ended !== undefined)
      throw new Error(`the local ${ended} has ended: its process is gone, and the stack with it; start it again`);
  } finally {
    await closers.closeAll();
  }
}

type Ready = ReturnType<typeof description>;

function description({ kind, region, bucket, credentials }: LocalEnd, front: HttpFront) {
  // The AWS SDK adds properties to the credentials object.
  const { accessKeyId, secretAccessKey } = credentials;
  return { kind, endpoint: front.endpoint, region, bucket, accessKeyId, secretAccessKey };
}

function readable(ready: {
  source: Ready;
  destination: Ready;
  receiver: { url: string } | undefined;
  workflow: { name: string } | undefined;
  deadLetter: { queueUrl: string } | undefined;
  caFile: string;
  page: { url: string } | undefined;
}): string {
  const end = ({ kind, endpoint, region, bucket, accessKeyId, secretAccessKey }: Ready) =>
    `${bucket}\n               ${kind === "s3" ? "S3" : "OSS"} endpoint ${endpoint}  region ${region}\n               access key ${accessKeyId}  secret ${secretAccessKey}`;
  const lines: [string, string | undefined][] = [
    ["source", end(ready.source)],
    ["destination", end(ready.destination)],
    ["receiver", ready.receiver?.url],
    ["workflow", ready.workflow?.name],
    ["dead letters", ready.deadLetter?.queueUrl],
    ["page", ready.page?.url],
    ["trust", `${ready.caFile} (for the https addresses)`],
  ];
  const shown = lines.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(12)} ${value}`]));
  return `
${shown.join("\n")}

Put an object into the source bucket with any S3 or OSS client and look at the destination. Ctrl-C ends everything.`;
}

/** Prints one line a step. On a terminal it shows the engine's last line below. */
interface Progress {
  step(text: string): void;
  /** Prints a line that stays. */
  detail(line: string): void;
  /** Shows a line until the next one. */
  engineLine(line: string): void;
  done(): void;
}

function createProgress(stream: WriteStream | NodeJS.WriteStream): Progress {
  const startedMs = Date.now();
  const seconds = () => `${((Date.now() - startedMs) / 1000).toFixed(1).padStart(6)} s`;
  const clear = () => {
    if (stream.isTTY) stream.write("\r\u001b[K");
  };
  const print = (text: string) => {
    clear();
    stream.write(`${text}\n`);
  };
  return {
    step: (text) => print(`${seconds()}  ${text}`),
    detail: print,
    engineLine: (line) => {
      const text = line.trim();
      if (stream.isTTY && text !== "") stream.write(`\r\u001b[K          ${text.slice(0, (stream.columns ?? 80) - 12)}`);
      else if (/^(error|warning):/.test(text)) print(`          ${text}`);
    },
    done: clear,
  };
}

void program.parseAsync();
