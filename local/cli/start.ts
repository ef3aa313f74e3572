/** `npm start`: deploys a stack to local clouds and keeps them running until Ctrl-C. */
import { once, setMaxListeners } from "node:events";
import { Command } from "commander";
import { createClosers } from "../closers";
import { type LocalStack, startLocalStack } from "../local-stack";
import { DEFAULT_STATE_DIR } from "../paths";
import { ends, type LocalEnd } from "./ends";
import { serveHttpFront } from "./http-front";
import { type Interrupt, runCli } from "./interrupt";
import { assertInScope, exampleKey, readFiles, sendAndProve } from "./once";
import { readRunning, writeOperatorFile } from "./operator-file";
import { openPage } from "./page";
import { createProgress, type Progress } from "./progress";
import { describeEnd, readyText } from "./ready";
import { askForRedeploy, changesText, findRedeploy, serveRedeploys } from "./redeploy";
import { watchRoom } from "./room";

/** Longer than any copy of the dev stack takes with its retries. */
const PROOF_TIMEOUT_MS = 180_000;

interface StartOptions {
  stack: string;
  json?: true;
  once?: string[];
  redeploy?: true;
  /** False with --no-page. */
  page: boolean;
  verbose?: true;
}

const program = new Command("npm start --")
  .description("Deploys a stack to local clouds with the real Pulumi engine, and keeps them running until Ctrl-C.")
  .option("--stack <name>", "the stack to deploy, as in Pulumi.<name>.yaml", "dev")
  .option("--json", "print one JSON line with endpoints and credentials when ready")
  .option("--once <file...>", "put these files in, wait until each is proven equal at the destination, tear down, exit")
  .option(
    "--redeploy",
    "let the npm start that runs deploy again: with the settings as they are now, and what was changed in the clouds put back",
  )
  .option("--no-page", "serve no page that shows the bridge, and open no browser")
  .option("--verbose", "show what the engine prints")
  .action((options: StartOptions) =>
    runCli((interrupt) => (options.redeploy ? redeploy(options, interrupt) : start(options, interrupt))),
  );

async function start(options: StartOptions, interrupt: Interrupt): Promise<void> {
  const files = options.once && (await readFiles(options.once));
  if (files) await assertInScope(files, options.stack);
  const progress = createProgress(process.stderr);
  const listeners = new Set<(line: string) => void>();
  const room = watchRoom(DEFAULT_STATE_DIR);
  const signal = AbortSignal.any([interrupt.signal, room.signal]);
  // Every call in progress listens to it.
  setMaxListeners(0, signal);
  try {
    const stack = await startLocalStack({
      stack: options.stack,
      onProgress: progress.step,
      onEngineLine: (line) => {
        (options.verbose ? progress.detail : progress.engineLine)(line);
        for (const listen of listeners) listen(line);
      },
      signal,
    });
    try {
      if (files) await sendAll(stack, files, progress, signal);
      else await stay({ stack, options, progress, listeners, signal });
    } finally {
      progress.step("tearing down");
      await stack.stop();
      progress.done();
    }
  } catch (error) {
    // What fails on a full disk fails because of it.
    room.signal.throwIfAborted();
    throw error;
  } finally {
    room.stop();
  }
  room.signal.throwIfAborted();
}

async function redeploy({ stack, verbose }: StartOptions, { signal }: Interrupt): Promise<void> {
  const running = await findRedeploy(stack);
  const progress = createProgress(process.stderr);
  progress.step(`pulumi up --refresh --stack ${stack}, in the npm start that runs`);
  const onLine = verbose ? progress.detail : progress.engineLine;
  const changes = await askForRedeploy(running, { onLine, signal });
  progress.step(`done: ${changesText(changes)}`);
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

interface Staying {
  stack: LocalStack;
  options: StartOptions;
  progress: Progress;
  /** Each gets every line of the engine. */
  listeners: Set<(line: string) => void>;
  signal: AbortSignal;
}

async function stay({ stack, options, progress, listeners, signal }: Staying): Promise<void> {
  const { source, destination } = ends(stack);
  const { receiverUrl, flowName, deadLetterQueueUrl } = stack.outputs;
  const closers = createClosers();
  const front = async (end: LocalEnd) => {
    const served = await serveHttpFront(end);
    closers.add(served.close);
    return describeEnd(end, served);
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
    const other = await readRunning(options.stack);
    if (other === undefined) closers.add(await serveOperators(stack, options.stack, listeners));
    else
      progress.step(
        `the stack ${options.stack} runs already, in process ${other.pid}: commands with --local reach that one, and this one has its page only`,
      );
    const page = options.page ? await openPage(options.stack, stack, { signal, opensBrowser: !options.json }) : undefined;
    if (page !== undefined) closers.add(page.close);
    progress.done();
    const shown = { ...ready, page: page && { url: page.url } };
    const example = { stack: options.stack, key: exampleKey(stack.settings), isFound: other === undefined };
    console.log(options.json ? JSON.stringify(shown) : readyText(shown, example));
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

/** Lets the operator's command and `--redeploy` find the stack. @returns a function that ends this */
async function serveOperators(stack: LocalStack, name: string, listeners: Staying["listeners"]): Promise<() => Promise<void>> {
  const served = await serveRedeploys({
    async redeploy() {
      const changes = await stack.redeploy();
      // The outputs may have changed.
      removeFile = await writeFile();
      return changes;
    },
    onEngineLine(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  const writeFile = () => writeOperatorFile(name, stack, undefined, { url: served.url, token: served.token });
  let removeFile = await writeFile();
  return async () => {
    await served.close();
    await removeFile();
  };
}

void program.parseAsync();
