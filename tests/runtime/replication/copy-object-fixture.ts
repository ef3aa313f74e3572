import { setImmediate as nextTurn } from "node:timers/promises";
import type { CopyContext } from "../../../runtime/replication/copy-context";
import { copyObject } from "../../../runtime/replication/copy-object";
import type { LeasedUpload } from "../../../runtime/replication/lease";
import { Pace } from "../../../runtime/replication/pace";
import { takeSnapshot } from "../../../runtime/replication/snapshot";
import { BridgeError } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import type { StoreCapabilities } from "../../../runtime/stores/object-store";
import { VirtualTime } from "../../support/virtual-time";
import { BRIDGE } from "../support/make-snapshot";
import { memorySource } from "../support/memory-reader";

export const CONTENT = "abcdefghijk";
export const attributes = { headers: { contentType: "text/plain" }, metadata: { author: "someone" }, tags: { team: "red" } };

export interface OpenOptions {
  content?: string;
  source?: Partial<StoreCapabilities>;
  destination?: Partial<StoreCapabilities>;
}

export async function open({ content = CONTENT, ...options }: OpenOptions = {}) {
  const clock = new VirtualTime();
  const source = new MemoryStore({ clock, name: "source", capabilities: options.source ?? {} });
  const destination = new MemoryStore({ clock, capabilities: { minPartSizeBytes: 1, ...options.destination } });
  await source.put("k", Buffer.from(content), { sizeBytes: content.length, attributes });
  const snapshot = await takeSnapshot(source, "k");
  if (snapshot === undefined) throw new Error("the source object is gone");
  const bound = memorySource(source, "k");
  const sleeps: number[] = [];
  const moved: number[] = [];
  const timeLeft = { ms: 1_000_000 };
  const shrunk: number[] = [];
  let remembered: LeasedUpload | undefined;
  const copy = (changes: Partial<CopyContext> = {}) =>
    copyObject({
      destination,
      source: bound,
      bridge: BRIDGE,
      partSizeBytes: 4,
      mayStream: false,
      partsAtOnce: 2,
      key: "to/k",
      snapshot,
      upload: remembered,
      rememberUpload: async (upload) => {
        remembered = upload;
      },
      forgetUpload: async () => {
        remembered = undefined;
      },
      fence: async () => undefined,
      clock,
      pace: new Pace({ clock, timeLeftMs: () => timeLeft.ms, of: "part" }),
      completionMs: 100,
      outOfTime: new AbortController().signal,
      shrinkParts: async (partSizeBytes) => {
        remembered = undefined;
        shrunk.push(partSizeBytes);
      },
      onPart: (sizeBytes) => moved.push(sizeBytes),
      tries: 3,
      retryDelayMs: 100,
      random: () => 0.5,
      sleep: async (ms) => void sleeps.push(ms),
      ...changes,
    });
  return {
    source,
    destination,
    bound,
    snapshot,
    sleeps,
    moved,
    shrunk,
    timeLeft,
    clock,
    copy,
    remembered: () => remembered,
    text: () => Buffer.from(destination.snapshotOf("to/k")?.bytes ?? []).toString(),
  };
}

/** The third part is refused once the parts before it are in the upload. `uploaded`: before the upload has it, or after. */
export function refuseTheThirdPart(destination: MemoryStore, uploaded: "before" | "after" = "before"): { restore(): void } {
  const upload = destination.uploadPart.bind(destination);
  const others: Promise<unknown>[] = [];
  const spy = jest.spyOn(destination, "uploadPart").mockImplementation(async (key, part, body, options) => {
    if (part.partNumber !== 3) {
      const uploading = upload(key, part, body, options);
      others.push(uploading);
      return await uploading;
    }
    if (uploaded === "after") await upload(key, part, body, options);
    await Promise.all(others);
    await nextTurn();
    throw new BridgeError("PermissionDenied", "uploadPart", "no");
  });
  return { restore: () => spy.mockRestore() };
}
