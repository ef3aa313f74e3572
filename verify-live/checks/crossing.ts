/** Puts objects at the source and waits until they are equal at the destination. What counts is what a client reads on both sides. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { withoutProvenance } from "../../runtime/replication/provenance";
import { withoutStatusTags } from "../../runtime/replication/snapshot";
import { comparableHeaders, withoutHidden } from "../../runtime/stores/content-headers";
import { isBridgeError } from "../../runtime/stores/errors";
import { meaningOfHeaderText } from "../../runtime/stores/header-text";
import type { ObjectAttributes, ObjectHead, ObjectStore } from "../../runtime/stores/object-store";
import { type CheckContext, DoesNotHold } from "../check";

const POLL_MS = { local: 200, cloud: 2_000 };

/**
 * Repeats `look` until it returns a value. From outside of the clouds there is no event to wait for.
 * @throws DoesNotHold with `what` after the deadline
 */
export async function until<T>(
  { local, signal }: Pick<CheckContext, "local" | "signal">,
  { what, deadlineMs }: { what: string; deadlineMs: number },
  look: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() >= end) throw new DoesNotHold(`not within ${Math.round(deadlineMs / 1000)} s: ${what}`);
    await delay(local ? POLL_MS.local : POLL_MS.cloud, undefined, { signal });
  }
}

/** What a client sees of an object. */
export interface Seen {
  sizeBytes: number;
  sha256: string;
  headers: ObjectAttributes["headers"];
  /** Names of headers that the store does not show. */
  hiddenHeaders: ObjectHead["hiddenHeaders"];
  metadata: Record<string, string>;
  tags: Record<string, string>;
}

/** Undefined where there is no object. */
export async function seeObject(store: ObjectStore, key: string, signal: AbortSignal): Promise<Seen | undefined> {
  try {
    const { head, body } = await store.get(key, { signal });
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const chunk of body) {
      hash.update(chunk as Buffer);
      sizeBytes += (chunk as Buffer).length;
    }
    const tags = withoutStatusTags(await store.getTags(key, { signal }));
    const meanings = Object.entries(withoutProvenance(head.metadata)).map(([name, value]) => [name, meaningOfHeaderText(value)]);
    return {
      sizeBytes,
      sha256: hash.digest("hex"),
      headers: head.headers,
      hiddenHeaders: head.hiddenHeaders,
      metadata: Object.fromEntries(meanings),
      tags,
    };
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** The first difference in words; undefined for equal objects. */
export function differenceOf(source: Seen | undefined, destination: Seen | undefined): string | undefined {
  if (source === undefined || destination === undefined)
    return source === destination ? undefined : `there is no object at the ${source === undefined ? "source" : "destination"}`;
  if (source.sizeBytes !== destination.sizeBytes) return `${source.sizeBytes} bytes became ${destination.sizeBytes}`;
  if (source.sha256 !== destination.sha256) return "the bytes differ";
  const shown = ({ headers }: Seen) => withoutHidden(headers, source, destination);
  const [wanted, found] = comparableHeaders(shown(source), shown(destination));
  return (
    differentEntry("the header", { ...wanted }, { ...found }) ??
    differentEntry("the metadata entry", source.metadata, destination.metadata) ??
    differentEntry("the tag", source.tags, destination.tags)
  );
}

type Texts = Readonly<Record<string, string | undefined>>;

function differentEntry(what: string, wanted: Texts, found: Texts): string | undefined {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(found)])];
  const name = names.find((one) => wanted[one] !== found[one]);
  if (name === undefined) return undefined;
  return `${what} ${JSON.stringify(name)} is ${JSON.stringify(wanted[name])} at the source and ${JSON.stringify(found[name])} at the destination`;
}

export interface Sent extends Partial<ObjectAttributes> {
  /** The part of the key behind the run's own prefix. */
  name: string;
  body?: Buffer;
}

/** A body that brings the object into the scope of the stack. */
export function scopedBody(
  { keys }: Pick<CheckContext, "keys">,
  name: string,
  body: Buffer = Buffer.from(`the bytes of ${name}`),
): Buffer {
  return body.length >= keys.minSizeBytes ? body : Buffer.concat([body, Buffer.alloc(keys.minSizeBytes - body.length, " ")]);
}

/** @returns the key at the source */
export async function send(context: CheckContext, { name, body, headers = {}, metadata = {}, tags = {} }: Sent): Promise<string> {
  const { keys, sides, signal } = context;
  const key = keys.key(name);
  const bytes = scopedBody(context, name, body);
  const attributes = { headers, metadata, tags: { ...keys.tags, ...tags } };
  await sides.source.store.put(key, bytes, { attributes, sizeBytes: bytes.length, signal });
  return key;
}

/** Waits until the object is equal on both sides. @returns the milliseconds from the call until then */
export async function arrives(context: CheckContext, key: string, deadlineMs: number): Promise<number> {
  const { sides, signal } = context;
  const startMs = Date.now();
  let last = "nothing was seen";
  await until(context, { deadlineMs, what: `${JSON.stringify(key)} is equal on both sides` }, async () => {
    const [near, far] = await Promise.all([
      seeObject(sides.source.store, key, signal),
      seeObject(sides.destination.store, sides.destination.keyPrefix + key, signal),
    ]);
    const difference = differenceOf(near, far);
    last = difference ?? last;
    return difference === undefined ? true : undefined;
  }).catch((error: unknown) => {
    if (error instanceof DoesNotHold) throw new DoesNotHold(`${error.message}; ${last}`);
    throw error;
  });
  return Date.now() - startMs;
}

const PIECE = Buffer.alloc(64 * 1024, "0123456789abcdef-");

/** A stream of so many bytes, which repeat a text. */
export function bytesStream(sizeBytes: number): Readable {
  let left = sizeBytes;
  return new Readable({
    read() {
      const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
      left -= piece.length;
      this.push(piece);
      if (left === 0) this.push(null);
    },
  });
}
