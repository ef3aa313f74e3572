import type { SenderConfig } from "../../../../runtime/protocol/env";
import type { DecodedLook, DecodedRecord } from "../../../../runtime/protocol/events";
import type { Receipt, ReplicationRequest } from "../../../../runtime/protocol/messages";
import type { Look, MetricName } from "../../../../runtime/protocol/ports";
import { Sender } from "../../../../runtime/roles/sender/sender";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import { VirtualTime } from "../../../support/virtual-time";
import { MemoryOutageQueue } from "../../support/outage-queue";
import { recordingLogger } from "../../support/recording-logger";

export type Answer = Omit<Receipt, "key">;
type Handle = (request: ReplicationRequest) => Receipt[] | Promise<Receipt[]>;

export const config: SenderConfig = {
  bridgeId: "bridge",
  sourceId: "aws:source",
  destinationId: "aws-cn:destination",
  logLevel: "error",
  source: { kind: "s3", bucket: "source", region: "r" },
  scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 },
  deletes: "replicate",
  statusTags: false,
  queueUrl: "queue",
  outageQueueUrl: "outage",
  deadLetterUrl: "dead-letters",
  receiverUrl: "https://receiver.example/",
  auth: { kind: "token", parameter: "p" },
  urlExpiresInSeconds: 3600,
  receiverTimeoutSeconds: 29,
  maxAttempts: 3,
  giveUpAfterSeconds: 604_800,
  inlineLimitBytes: 8 * 1024 ** 2,
};

/** A sender whose calls are recorded. The receiver returns `answers` in order and repeats the last one. */
export function open(answers: Answer[] | Handle, changes: { config?: Partial<SenderConfig>; remainingMs?: number } = {}) {
  const clock = new VirtualTime();
  const source = new MemoryStore({ clock, name: "source", versioned: true });
  const requests: ReplicationRequest[] = [];
  /** How often the source was read when a connection was opened ahead, for each time. */
  const headsBeforeWarm: number[] = [];
  const enqueued: [key: string, failures: number, delaySeconds: number][] = [];
  const parked: [key: string, reason: string][] = [];
  const metrics: Partial<Record<MetricName, number>> = {};
  const looks: Look[] = [];
  const outage = new MemoryOutageQueue(clock);
  const logger = recordingLogger();
  const given = (request: ReplicationRequest): Receipt[] => {
    const answer = (answers as Answer[])[Math.min(requests.length, (answers as Answer[]).length) - 1] as Answer;
    return request.notices.map(({ key }) => ({ key, ...answer }));
  };
  const deadLetters = {
    park: async ({ key }: { key: string }, reason: string) => void parked.push([key, reason]),
  };
  const queue = {
    enqueue: async (look: Look, delaySeconds: number) => {
      looks.push(look);
      enqueued.push([look.key, look.failures, delaySeconds]);
    },
    enqueueAll: async (all: readonly Look[]) => {
      for (const look of all) await queue.enqueue(look, 0);
    },
  };
  const sender = new Sender({
    config: { ...config, ...changes.config },
    source,
    receiver: {
      warm: () => void headsBeforeWarm.push(source.calls.head ?? 0),
      post: async (request) => {
        requests.push(request);
        return { version: 1, receipts: await (Array.isArray(answers) ? given(request) : answers(request)) };
      },
    },
    queue,
    deadLetters,
    clock,
    logger,
    metrics: {
      add: (name, value) => {
        metrics[name] = (metrics[name] ?? 0) + value;
      },
    },
    random: () => 0.5,
    outage,
  });
  const remaining = { ms: changes.remainingMs ?? 60_000 };
  const run = (...records: DecodedRecord[]) => sender.handle(records, { remainingMs: () => remaining.ms });
  return {
    clock,
    source,
    requests,
    headsBeforeWarm,
    enqueued,
    parked,
    metrics,
    looks,
    outage,
    sender,
    logger,
    queue,
    deadLetters,
    run,
    remaining,
  };
}

export const put = (source: MemoryStore, key: string, text = "123456", metadata = {}, tags = {}) =>
  source.put(key, Buffer.from(text), { sizeBytes: text.length, attributes: { headers: {}, metadata, tags } });
export const message = (messageId: string, ...looks: Partial<DecodedLook>[]): DecodedRecord => ({
  messageId,
  looks: looks.map((look) => ({ bucket: "source", key: "k", failures: 0, ...look })),
});
export const keysOf = (requests: ReplicationRequest[]) => requests.map(({ notices }) => notices.map(({ key }) => key));
