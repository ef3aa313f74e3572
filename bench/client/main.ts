/** The process of one run of the product: `main.js JOB`. */
import { readFileSync, writeFileSync } from "node:fs";
import pLimit from "p-limit";
import type { ClientJob, ClientOutcome, Notices } from "./job";
import {
  newDeadline,
  openCopier,
  openPusher,
  openReadAndWrite,
  openReceiver,
  openSender,
  openSource,
  prepareNotice,
  recordsOf,
} from "./product";

interface Ended {
  key: string;
  result: string;
  reason?: string | undefined;
}

type Work = () => Promise<Ended[]>;

/** Reads what was prepared and opens the connections' owners; the clock starts with the call of the result. */
function open(job: ClientJob): Work {
  switch (job.driver) {
    case "prepare":
      return () => prepare(job);
    case "receiver": {
      const receiver = openReceiver(job);
      return () => inBatches(job, readNotices(job), (notices) => receiver.handle(requestOf(notices), newDeadline()));
    }
    case "copier": {
      const copies = openCopier(job);
      const receiver = openReceiver(job, copies.launcher);
      return async () => {
        const answers = await inBatches(job, readNotices(job), (notices) => receiver.handle(requestOf(notices), newDeadline()));
        const refused = answers.filter(({ result }) => result !== "in-progress");
        return [...refused, ...(await copies.results())];
      };
    }
    case "sender": {
      const { sender, receipts } = openSender(job);
      return async () => {
        const failed = await inBatches(job, job.keys, async (keys) => {
          const { failures } = await sender.handle(recordsOf(keys), newDeadline());
          return failures.map(({ messageId, reason }) => ({ key: messageId, result: "failed", reason }));
        });
        return failed.length > 0 ? failed : receipts;
      };
    }
    case "read-and-write": {
      const copy = openReadAndWrite(job);
      return () =>
        inBatches(job, readNotices(job), (notices) =>
          Promise.all(notices.map(async (notice) => ({ key: notice.key, ...(await copy(notice)) }))),
        );
    }
    case "pusher": {
      const push = openPusher(job);
      return () => inBatches(job, job.keys, (keys) => Promise.all(keys.map(async (key) => resultOf(await push(key)))));
    }
  }
}

const resultOf = ({
  key,
  result = "none",
  reason,
}: {
  key: string;
  result?: string | undefined;
  reason?: string | undefined;
}) => ({
  key,
  result,
  reason,
});

const requestOf = (notices: Notices) => ({ version: 1 as const, bridgeId: "bench", notices });

const readNotices = ({ noticesPath }: ClientJob): Notices => JSON.parse(readFileSync(noticesPath, "utf8")) as Notices;

const PREPARED_AT_ONCE = 16;

async function prepare(job: ClientJob): Promise<Ended[]> {
  const source = openSource(job);
  const limit = pLimit(PREPARED_AT_ONCE);
  const notices = await Promise.all(job.keys.map((key) => limit(() => prepareNotice(source, key))));
  writeFileSync(job.noticesPath, JSON.stringify(notices));
  return [];
}

/** Each batch is one request or one invocation. */
async function inBatches<T>(
  { batchSize, concurrency }: ClientJob,
  items: readonly T[],
  work: (batch: T[]) => Promise<Ended[]>,
): Promise<Ended[]> {
  const limit = pLimit(concurrency);
  const batches: T[][] = [];
  for (let start = 0; start < items.length; start += batchSize) batches.push(items.slice(start, start + batchSize));
  return (await Promise.all(batches.map((batch) => limit(() => work(batch))))).flat();
}

const REASONS_SHOWN = 5;

async function main(): Promise<void> {
  const job = JSON.parse(readFileSync(process.argv[2] as string, "utf8")) as ClientJob;
  const work = open(job);
  const startMs = performance.now();
  const ended = await work();
  const workSeconds = (performance.now() - startMs) / 1000;
  const results: Record<string, number> = {};
  for (const { result } of ended) results[result] = (results[result] ?? 0) + 1;
  const reasons = ended
    .filter(({ result }) => result !== "replicated")
    .slice(0, REASONS_SHOWN)
    .map(({ key, reason }) => `${key}: ${reason ?? "no reason given"}`);
  const outcome: ClientOutcome = { workSeconds, results, reasons };
  writeFileSync(job.outcomePath, JSON.stringify(outcome));
  // Connections that are kept open for a next request would keep the process alive.
  process.exit(0);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
