import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { type BridgeErrorKind, isBridgeError } from "../../../runtime/stores/errors";
import type { ObjectAttributes, ObjectStore, PutOptions, StoreCapabilities } from "../../../runtime/stores/object-store";
import { readAll } from "../../../runtime/stores/read-all";

export interface StoreUnderTest {
  store: ObjectStore;
  /** GETs a presigned URL as it is, without normalising its path. */
  fetch(url: string, headers: Record<string, string>): Promise<{ status: number; body: Buffer }>;
  /** Lets time pass on the store's clock. */
  elapse(ms: number): Promise<void>;
  cleanup?(): Promise<void>;
}

/** One sentence of the contract. `knownGaps` refers to it by its id. */
export type Check = (id: string, sentence: string, body: () => Promise<void>, timeoutMs?: number) => void;

export interface Context {
  /** The store of the current run. Use it only inside a check. */
  readonly subject: StoreUnderTest;
  readonly store: ObjectStore;
  readonly capabilities: StoreCapabilities;
  readonly versioned: boolean;
  readonly check: Check;
  /** A key that no other check uses. */
  freshKey(name?: string): string;
}

export const NO_ATTRIBUTES: ObjectAttributes = { headers: {}, metadata: {}, tags: {} };

export function textBytes(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

/** The chunks have a size that no adapter uses, so that no adapter can rely on its own size. */
export function streamOf(bytes: Uint8Array, chunkBytes = 40_001): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.byteLength; at += chunkBytes) yield Buffer.from(bytes.subarray(at, at + chunkBytes));
    })(),
    { objectMode: false },
  );
}

/** Distinct bytes, so that a lost, doubled or swapped block shows. */
export function someBytes(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

export async function putText(context: Context, key: string, text: string, options: Partial<PutOptions> = {}) {
  const bytes = textBytes(text);
  return context.store.put(key, bytes, { attributes: NO_ATTRIBUTES, sizeBytes: bytes.length, ...options });
}

export async function readBytes(context: Context, key: string): Promise<Buffer> {
  const { body } = await context.store.get(key);
  return readAll(body, 64 * 1024 ** 2);
}

export async function readText(context: Context, key: string): Promise<string> {
  return (await readBytes(context, key)).toString("utf8");
}

/** Awaits the rejection and checks that it has one of these kinds. */
export async function expectKind(promise: Promise<unknown>, ...kinds: BridgeErrorKind[]): Promise<void> {
  const outcome = await promise.then(
    () => "resolved" as const,
    (error: unknown) => error,
  );
  if (!isBridgeError(outcome))
    throw new Error(`expected a BridgeError ${kinds.join(" or ")}, got: ${String(outcome)}`, { cause: outcome });
  expect(kinds).toContain(outcome.kind);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
