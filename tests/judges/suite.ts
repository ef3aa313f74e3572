/** A suite of tests or client scenarios that judges a local cloud, and what one of its cases did. */

export interface Result {
  passed: boolean;
  /** What the suite printed about the case. */
  detail: string;
}

export type Results = ReadonlyMap<string, Result>;

export interface Suite {
  /** The name of its file in `expectations`, without `.yaml`. */
  id: string;
  /** The version that runs. */
  version: string;
  /** All its cases, in the order of the suite. Installs what is missing. */
  list(): Promise<string[]>;
  /** A case that gives no result is one that did not pass. */
  run(cases: readonly string[]): Promise<Results>;
}

export interface Chunks<W> {
  /** How many run at the same time. Suites for the real OSS mostly sleep until settings are in effect. */
  workers: number;
  casesPerChunk: number;
  /** Called once for each worker. */
  start(): Promise<{ worker: W; stop(): Promise<void> }>;
  /** Returns the results of the cases that ended. */
  run(worker: W, cases: readonly string[]): Promise<{ results: Results; output: string }>;
}

/** Runs the cases in chunks, each chunk in the order of the suite. */
export async function runInChunks<W>(cases: readonly string[], chunks: Chunks<W>): Promise<Results> {
  const waiting: (readonly string[])[] = [];
  for (let at = 0; at < cases.length; at += chunks.casesPerChunk) waiting.push(cases.slice(at, at + chunks.casesPerChunk));
  const results = new Map<string, Result>();
  const work = async () => {
    const { worker, stop } = await chunks.start();
    try {
      for (let chunk = waiting.shift(); chunk !== undefined; chunk = waiting.shift()) {
        const ended = await chunks.run(worker, chunk);
        for (const name of chunk) results.set(name, ended.results.get(name) ?? noResult(ended.output));
      }
    } finally {
      await stop();
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: Math.min(chunks.workers, waiting.length) }, work));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return results;
}

const noResult = (output: string): Result => ({
  passed: false,
  detail: `the case gave no result; the output ends with\n${output.slice(-2000)}`,
});
