import type { ReceiverConfig } from "../../../../runtime/protocol/env";
import type { Notice } from "../../../../runtime/protocol/messages";
import type { CopyJob } from "../../../../runtime/protocol/ports";
import { createLeaseStore } from "../../../../runtime/replication/lease";
import { createSlots } from "../../../../runtime/replication/slots";
import { takeSnapshot } from "../../../../runtime/replication/snapshot";
import type { SourceReader } from "../../../../runtime/replication/source";
import { Receiver } from "../../../../runtime/roles/receiver/receiver";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import { VirtualTime } from "../../../support/virtual-time";
import { memoryReader } from "../../support/memory-reader";
import { recordingLogger } from "../../support/recording-logger";

const config: ReceiverConfig = {
  bridgeId: "bridge",
  sourceId: "aws:source",
  destinationId: "aws-cn:destination",
  logLevel: "error",
  destination: { kind: "s3", bucket: "destination", region: "r" },
  destinationPrefix: "to/",
  allowedSources: [{ origin: "https://source.example", pathPrefix: "/" }],
  auth: { kind: "token", parameter: "p" },
  inlineLimitBytes: 8,
  timeoutSeconds: 29,
  copier: { functionName: "copier", timeoutSeconds: 900 },
  copiesAtOnce: 10,
  allowedCidrs: [],
};
const plain = { headers: {}, metadata: {}, tags: {} };

export function open() {
  const clock = new VirtualTime();
  const source = new MemoryStore({ clock, name: "source" });
  const destination = new MemoryStore({ clock, name: "destination" });
  const control = new MemoryStore({ clock, name: "control" });
  const leases = createLeaseStore(control, "bridge");
  const jobs: CopyJob[] = [];
  let ids = 0;
  const logger = recordingLogger();
  /** The URLs of the requests, for which connections were opened ahead. */
  const warmed: (readonly string[])[] = [];
  const reader: SourceReader = { ...memoryReader(source), warm: (urls) => void warmed.push(urls) };
  const launcher = { start: async (job: CopyJob) => void jobs.push(job) };
  const receiver = new Receiver({
    config,
    destination,
    reader,
    launcher,
    clock,
    logger,
    newId: () => `x${++ids}`,
    leases,
    slots: createSlots(control, { bridgeId: "bridge", clock }),
  });
  const put = (key: string, text: string) => source.put(key, Buffer.from(text), { sizeBytes: text.length, attributes: plain });
  const noticeOf = async (key: string): Promise<Notice> => {
    const snapshot = await takeSnapshot(source, key);
    const url = await source.presignGet(key, { expiresInSeconds: 3600 });
    const tagsUrl = await source.presignGet(key, { expiresInSeconds: 3600, reads: "tags" });
    return snapshot === undefined ? { key, url, state: "absent" } : { key, url, tagsUrl, state: "present", snapshot };
  };
  const ask = (notices: Notice[], remainingMs = 29_000) =>
    receiver.handle({ version: 1, bridgeId: "bridge", notices }, { remainingMs: () => remainingMs });
  const about = async (...keys: string[]) => await ask(await Promise.all(keys.map(noticeOf)));
  const leaseOf = async (key: string) => (await leases.read(`to/${key}`))?.lease;
  return { warmed, clock, source, destination, jobs, launcher, logger, put, noticeOf, ask, about, leaseOf };
}

/** More than the fixture writes inline. */
export const LARGE = "123456789";
