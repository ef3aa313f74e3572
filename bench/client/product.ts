/**
 * Puts the product's code together as its entries on the platforms do. Every name of the runtime that the benchmark uses is here, so that a change
 * of the runtime changes this file only.
 */
import { randomUUID } from "node:crypto";
import { createLogger } from "../../runtime/platforms/logger";
import type { PusherConfig, SenderConfig } from "../../runtime/protocol/env";
import { type DecodedRecord, decodeEvent } from "../../runtime/protocol/events";
import type { Notice, Receipt } from "../../runtime/protocol/messages";
import { type CopyLauncher, type Deadline, type Logger, type Look, systemClock } from "../../runtime/protocol/ports";
import type { PushState } from "../../runtime/protocol/push";
import { encodeLook } from "../../runtime/protocol/queue-messages";
import { KeptAttributes } from "../../runtime/replication/kept-attributes";
import { createAppendLeaseStore, createLeaseStore, type LeaseStore } from "../../runtime/replication/lease";
import { createAppendSlots, createSlots, type Slots } from "../../runtime/replication/slots";
import { takeSnapshot } from "../../runtime/replication/snapshot";
import { type SourceReader, storeSource } from "../../runtime/replication/source";
import { createSourceReader } from "../../runtime/replication/source-reader";
import { type ReplicationResult, writeObject } from "../../runtime/replication/write";
import { Copier } from "../../runtime/roles/copier/copier";
import { Pusher } from "../../runtime/roles/pusher/pusher";
import { Receiver } from "../../runtime/roles/receiver/receiver";
import { Sender } from "../../runtime/roles/sender/sender";
import { buildNotice } from "../../runtime/roles/sender/steps";
import type { ObjectStore } from "../../runtime/stores/object-store";
import { createOssStore, type OssStore } from "../../runtime/stores/oss/store";
import { createS3Store } from "../../runtime/stores/s3/store";
import type { BucketAccess } from "../servers/store-server";
import type { ClientJob } from "./job";

const BRIDGE = "bench";
const URL_SECONDS = 3600;
/** Longer than any workload takes: a handler that gives up early would measure its own deadline. */
const DEADLINE_MS = 30 * 60_000;
/** The receiver's own hard end is 29 s. It is longer here, because one request may carry a whole large object. */
const RECEIVER_SECONDS = DEADLINE_MS / 1000;

/** As deployed, the log has a line for each notice. */
const logger: Logger = createLogger({ level: "info", fields: { bridgeId: BRIDGE } });
const identity = ({ source, destination }: ClientJob) => ({
  bridgeId: BRIDGE,
  sourceId: idOf(source),
  destinationId: idOf(destination),
  logLevel: "info" as const,
});
const idOf = ({ kind, bucket }: BucketAccess): string => `${kind}:${bucket}`;

export function newDeadline(ms = DEADLINE_MS): Deadline {
  const endMs = systemClock.now() + ms;
  return { remainingMs: () => endMs - systemClock.now() };
}

function openS3({ bucket, region, endpoint, credentials }: BucketAccess): ObjectStore {
  return createS3Store({ bucket, region, endpoint, credentials: () => credentials });
}

function openOss({ bucket, region, endpoint, credentials }: BucketAccess): OssStore {
  const { accessKeyId, secretAccessKey: accessKeySecret } = credentials;
  return createOssStore({
    bucket,
    region,
    endpoint,
    credentials: async () => ({ accessKeyId, accessKeySecret }),
    versioned: false,
  });
}

function openStore(access: BucketAccess): ObjectStore {
  return access.kind === "s3" ? openS3(access) : openOss(access);
}

function openControl({ controlBucket }: ClientJob, destination: ObjectStore): { leases: LeaseStore; slots: Slots } {
  const options = { bridgeId: BRIDGE, clock: systemClock };
  if (controlBucket === undefined)
    return { leases: createLeaseStore(destination, BRIDGE), slots: createSlots(destination, options) };
  const store = openOss(controlBucket);
  return { leases: createAppendLeaseStore(store, BRIDGE), slots: createAppendSlots(store, options) };
}

/** Presigned URLs must be https. Over plain http the source is read as push mode reads it: with credentials. */
function openReader({ source, partsAtOnce, driver }: ClientJob): SourceReader {
  if (source.endpoint.startsWith("http:")) {
    const store = openStore(source);
    return { bind: (_url, key) => storeSource(store, key) };
  }
  return createSourceReader({
    allowedSources: [{ origin: source.endpoint, pathPrefix: `/${source.bucket}/` }],
    ...(driver === "copier" && { connections: 2 * partsAtOnce }),
  });
}

/** Takes the snapshot of every key and signs its URLs, as the sender does. */
export async function prepareNotice(source: ObjectStore, key: string): Promise<Notice> {
  const snapshot = await takeSnapshot(source, key);
  if (snapshot === undefined) throw new Error(`the source has no object ${key}`);
  const lifetime = { expiresInSeconds: URL_SECONDS };
  const urls = {
    url: await source.presignGet(key, lifetime),
    tagsUrl: await source.presignGet(key, { ...lifetime, reads: "tags" }),
  };
  return buildNotice({ look: lookAt(key), messageIds: new Set(), askedBefore: false, snapshot }, urls);
}

export const openSource = (job: ClientJob): ObjectStore => openStore(job.source);

const lookAt = (key: string): Look => ({ key, firstSeenMs: systemClock.now(), failures: 0 });

/** @param launcher absent where no object may be larger than the inline limit */
export function openReceiver(job: ClientJob, launcher: CopyLauncher = NO_COPIES): Receiver {
  const destination = openStore(job.destination);
  return new Receiver({
    config: { ...identity(job), destinationPrefix: "", inlineLimitBytes: job.inlineLimitBytes, copiesAtOnce: 64 },
    destination,
    reader: openReader(job),
    launcher,
    clock: systemClock,
    logger,
    newId: randomUUID,
    ...openControl(job, destination),
  });
}

const NO_COPIES: CopyLauncher = {
  start: ({ sourceKey }) => Promise.reject(new Error(`the receiver would start a copy of ${sourceKey}`)),
};

export interface RunningCopies {
  launcher: CopyLauncher;
  /** The results of the copies so far, once they have ended. */
  results(): Promise<{ key: string; result: string; reason?: string | undefined }[]>;
}

/** The copier in this process, in place of an asynchronous invocation. */
export function openCopier(job: ClientJob): RunningCopies {
  const destination = openStore(job.destination);
  const { partSizeBytes, partsAtOnce, mayStream, copierSeconds: timeoutSeconds } = job;
  const copier = new Copier({
    config: { ...identity(job), partSizeBytes, partsAtOnce, timeoutSeconds },
    destination,
    reader: openReader(job),
    clock: systemClock,
    logger,
    ...openControl(job, destination),
    mayStream,
  });
  const running: Promise<{ key: string; result: string; reason?: string | undefined }>[] = [];
  return {
    launcher: {
      async start(copy) {
        running.push(
          copier.run(copy, newDeadline(timeoutSeconds * 1000)).then((outcome) => ({ key: copy.sourceKey, ...outcome })),
        );
      },
    },
    results: () => Promise.all(running),
  };
}

/** The sender. Its requests go to the receiver in this process, as JSON. */
export function openSender(job: ClientJob): { sender: Sender; receipts: Receipt[] } {
  const receiver = openReceiver(job);
  const receipts: Receipt[] = [];
  const config: SenderConfig = {
    ...identity(job),
    source: { kind: "s3", bucket: job.source.bucket, region: job.source.region },
    scope: EVERYTHING,
    deletes: "replicate",
    statusTags: false,
    queueUrl: "none",
    outageQueueUrl: "none",
    deadLetterUrl: "none",
    receiverUrl: "https://receiver.invalid",
    auth: { kind: "token", parameter: "none" },
    urlExpiresInSeconds: URL_SECONDS,
    receiverTimeoutSeconds: 29,
    inlineLimitBytes: job.inlineLimitBytes,
    maxAttempts: 1,
    giveUpAfterSeconds: 3600,
  };
  const sender = new Sender({
    config,
    source: openStore(job.source),
    receiver: {
      async post(request) {
        const answered = await receiver.handle(JSON.parse(JSON.stringify(request)), newDeadline());
        receipts.push(...answered);
        return { version: 1, receipts: JSON.parse(JSON.stringify(answered)) };
      },
    },
    ...NO_QUEUES,
    clock: systemClock,
    logger,
    metrics: { add: () => undefined },
  });
  return { sender, receipts };
}

/** The records of one invocation, as SQS delivers them. */
export function recordsOf(keys: readonly string[]): DecodedRecord[] {
  const records = keys.map((key) => ({ eventSource: "aws:sqs", messageId: key, body: encodeLook(lookAt(key)) }));
  return decodeEvent({ Records: records });
}

const EVERYTHING = { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 };
const unused = (name: string) => (): Promise<never> => Promise.reject(new Error(`no key may go to the ${name}`));
const NO_QUEUES = {
  queue: { enqueue: unused("work queue"), enqueueAll: unused("work queue") },
  outage: {
    isEmpty: async () => true,
    add: unused("outage queue"),
    receive: async () => [],
    remove: async () => undefined,
  },
  deadLetters: { park: unused("dead letters") },
};

/** @returns a function that carries out the whole execution of a key */
export function openPusher(job: ClientJob): (key: string) => Promise<PushState> {
  const destination = openStore(job.destination);
  const config: PusherConfig = {
    ...identity(job),
    source: { kind: "s3", bucket: job.source.bucket, region: job.source.region },
    destination: { kind: "s3", bucket: job.destination.bucket, region: job.destination.region },
    destinationPrefix: "",
    scope: EVERYTHING,
    deletes: "replicate",
    statusTags: false,
    inlineLimitBytes: job.inlineLimitBytes,
    inlineTimeoutSeconds: RECEIVER_SECONDS,
    timeoutSeconds: RECEIVER_SECONDS,
    partSizeBytes: job.partSizeBytes,
    partsAtOnce: job.partsAtOnce,
    copiesAtOnce: 64,
    queueUrl: "none",
    outageQueueUrl: "none",
    dispatcherFunctionName: "none",
    deadLetterUrl: "none",
    maxAttempts: 1,
    giveUpAfterSeconds: 3600,
  };
  const pusher = new Pusher({
    config,
    source: openStore(job.source),
    destination,
    ...openControl(job, destination),
    ...NO_QUEUES,
    starter: { start: unused("dispatcher") },
    clock: systemClock,
    logger,
    metrics: { add: () => undefined },
    newId: randomUUID,
  });
  return async (key) => {
    const state: PushState = {
      version: 1,
      next: "inspect",
      key,
      execution: randomUUID(),
      firstSeenMs: systemClock.now(),
      attempt: 0,
      rounds: 0,
      bytesMoved: 0,
    };
    // Rejects with the reason if the workflow would have to go on.
    return await pusher.answer({ why: "first", state }, newDeadline());
  };
}

/** @returns a function that writes one object without a look at the destination before: a GET, and a PUT whose checksum the destination verifies */
export function openReadAndWrite(job: ClientJob): (notice: Notice) => Promise<ReplicationResult> {
  const destination = openStore(job.destination);
  const reader = openReader(job);
  const kept = new KeptAttributes();
  return async (notice) => {
    if (notice.state !== "present") throw new Error(`${notice.key} is no object to copy`);
    const { key, url, tagsUrl, snapshot } = notice;
    const signal = systemClock.after(DEADLINE_MS);
    const source = reader.bind(url, key, tagsUrl);
    return await writeObject({ destination, source, bridge: identity(job), key, seen: undefined, signal, kept }, snapshot);
  };
}
