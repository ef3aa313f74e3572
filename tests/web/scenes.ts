/** Bridges in memory in the states that the page shows. */
import type { LogLine } from "../../operator/operated-bridge";
import { createLeaseStore } from "../../runtime/replication/lease";
import { BridgeError } from "../../runtime/stores/errors";
import { CLOCK, FakeBridge, NO_ATTRIBUTES, nativeRaw, pullRaw } from "../operator/backfill/fixture";

export const NOW = CLOCK.now();
const MINUTE = 60_000;

const line = (message: string, fields: Record<string, unknown>, atMs: number): LogLine => ({
  level: "info",
  ...{ message, fields, atMs },
});

const LAGS = [420, 510, 480, 900, 450, 610, 2_400, 530, 470, 640];

/** Twenty minutes of work, and the last keys. */
function working(bridge: FakeBridge): FakeBridge {
  const metrics = Array.from({ length: 120 }, (_, index) =>
    line(
      "metrics",
      { metrics: { LagMs: LAGS.map((ms) => ms + 7 * (index % 40)), Replicated: 1 + (index % 9), BytesMoved: 180_000 } },
      NOW - index * 10_000,
    ),
  );
  const recent = Array.from({ length: 14 }, (_, index) =>
    line(
      "notice",
      {
        key: `reports/2026/11/${String(20 - index).padStart(2, "0")}/daily.parquet`,
        result: "replicated",
        bytesMoved: 131_072 * (index + 1),
      },
      NOW - 4_000 - index * 9_000,
    ),
  );
  bridge.activity = async (side) => ({ lines: side === "source" ? metrics.reverse() : recent.reverse(), complete: true });
  return bridge;
}

export function healthy(): FakeBridge {
  return working(new FakeBridge(pullRaw()));
}

const REFUSED = {
  place: "destination",
  store: "aws-cn:to-there",
  reason:
    "S3 answered put with AccessDenied (HTTP 403): check the credentials and the policies of the role, the bucket and its KMS key",
};
const DOWN = { place: "border", reason: "the receiver cannot be connected to", atMs: NOW - 30_000 } as const;

const LETTERS = async () => ({
  letters: [
    { key: "archive/2019.tar", reason: "the source object is archived: GLACIER", parkedAt: new Date(NOW - 90 * MINUTE) },
    {
      key: "odd/<script>alert(1)</script>",
      reason: "too many tags: 11, and at most 10 fit",
      parkedAt: new Date(NOW - 5 * MINUTE),
    },
    { key: "", reason: "the platform gave the event up; the function's log says why", parkedAt: undefined },
  ],
  complete: true,
});

/** Refused writes, an outage, dead letters, and a large copy that runs. */
export async function troubled(): Promise<FakeBridge> {
  const bridge = working(new FakeBridge(pullRaw()));
  bridge.outputs = { ...bridge.outputs, deadLetterQueueUrl: "https://sqs/letters" };
  for (const key of ["reports/refused/a.csv", "reports/across.csv"]) await bridge.put(key, "x".repeat(2_000));
  await bridge.replicate("reports/across.csv");
  bridge.queued = async () => 18;
  bridge.log = async () => ({
    lines: ["a", "b", "c"].map((name, index) =>
      line(
        "put back",
        {
          ...{ key: `reports/refused/${name}.csv`, ...REFUSED, failures: 2 + index, firstSeenMs: NOW - (index + 3) * MINUTE },
          nextTryMs: NOW + 38_000 + index * 9_000,
        },
        NOW - 20_000,
      ),
    ),
    complete: true,
  });
  bridge.held = async () => ({
    looks: Array.from({ length: 7 }, (_, index) => ({
      ...{ key: `outage/${index}`, failures: 0, waits: 1, firstSeenMs: NOW - 12 * MINUTE + index * 1_000, last: DOWN },
    })),
    complete: true,
  });
  bridge.deadLetters = LETTERS;
  await copying(bridge);
  return bridge;
}

/** Nothing waits, and three keys were given up. */
export function letters(): FakeBridge {
  const bridge = healthy();
  bridge.outputs = { ...bridge.outputs, deadLetterQueueUrl: "https://sqs/letters" };
  bridge.deadLetters = LETTERS;
  return bridge;
}

async function copying(bridge: FakeBridge): Promise<void> {
  const key = "backups/2026-11-20.tar";
  await bridge.put(key, "x".repeat(1_000));
  const { uploadId } = await bridge.to.createUpload(key, { attributes: NO_ATTRIBUTES });
  await bridge.to.uploadPart(key, { uploadId, partNumber: 1 }, Buffer.alloc(640), { sizeBytes: 640 });
  const lease = { key, execution: "e", snapshotId: "s", leaseUntilMs: NOW + 5 * MINUTE, stop: false, reported: false };
  await createLeaseStore(bridge.to, bridge.config.name).write(
    { version: 1, ...lease, upload: { uploadId, partSizeBytes: 640 } },
    undefined,
  );
}

/** The events are held back, and one key was given up before. */
export function paused(): FakeBridge {
  const bridge = healthy();
  bridge.ways = { read: async () => [{ name: "the queue work", isOpen: false }], set: async () => undefined };
  bridge.queued = async () => 12;
  bridge.deadLetters = async () => ({
    letters: [{ key: "a", reason: "too many tags", parkedAt: new Date(NOW - MINUTE) }],
    complete: true,
  });
  return bridge;
}

const refused = (what: string) => async (): Promise<never> => {
  throw new BridgeError("PermissionDenied", "read", `${what} cannot be read: AccessDenied`);
};

/** Nothing is known to wait, because the queues and the log cannot be read. */
export function unread(): FakeBridge {
  const bridge = healthy();
  bridge.outputs = { ...bridge.outputs, queueUrl: "https://sqs/queue", deadLetterQueueUrl: "https://sqs/letters" };
  bridge.queued = refused("the queue");
  bridge.deadLetters = refused("the dead letters");
  bridge.log = refused("the log");
  return bridge;
}

/** No key waits that the queue counts, and the function of the sender fails. */
export function failing(): FakeBridge {
  const bridge = healthy();
  const error = { message: "the secret cannot be read" };
  bridge.log = async () => ({
    lines: [{ level: "error", message: "the function failed", fields: { error }, atMs: NOW - MINUTE }],
    complete: true,
  });
  return bridge;
}

/** Somebody deleted the work queue. */
export function queueGone(): FakeBridge {
  const bridge = healthy();
  bridge.outputs = { ...bridge.outputs, queueUrl: "https://sqs/queue" };
  bridge.queued = async () => {
    throw new BridgeError("NotFound", "count", "the work queue cannot be read: QueueDoesNotExist (400)");
  };
  return bridge;
}

/** The store itself replicates. */
export const native = (): FakeBridge => new FakeBridge(nativeRaw());

/** The destination bucket is gone. */
export function lost(): FakeBridge {
  const bridge = healthy();
  bridge.to.list = () => {
    throw new BridgeError("NoSuchBucket", "list", "S3 answered list with NoSuchBucket (HTTP 404)");
  };
  return bridge;
}
