/** The two buckets of a bridge: errors that name them, and the first look at both. */
import { BridgeError, isBridgeError } from "../runtime/stores/errors";
import type { ObjectStore } from "../runtime/stores/object-store";
import { CannotLook } from "./command";
import type { OperatedBridge, OperatedSide } from "./operated-bridge";

type Place = Pick<OperatedSide, "side" | "cloud" | "region" | "bucket">;

/** `the destination bucket reports (aws-cn, cn-north-1)` */
export const bucketText = ({ side, cloud, region, bucket }: Place): string =>
  `the ${side} bucket ${bucket} (${cloud}, ${region})`;

/** The same error with `where` at the beginning of its message. Other errors stay as they are. */
function named(error: unknown, where: string, bucket = ""): unknown {
  if (!isBridgeError(error)) return error;
  const { kind, op, retryAfterSeconds } = error;
  return new BridgeError(kind, op, namedText(error, where, bucket), { cause: error, retryAfterSeconds });
}

/** Many a message of a store begins with the bucket: it is named once. */
function namedText({ message }: BridgeError, where: string, bucket: string): string {
  if (message.startsWith(where)) return message;
  return `${where}: ${bucket !== "" && message.startsWith(`${bucket}: `) ? message.slice(bucket.length + 2) : message}`;
}

/** Resolves like `work`. An error names the place. */
export async function naming<T>(where: string, work: Promise<T>, bucket?: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw named(error, where, bucket);
  }
}

async function* namingEach<T>(where: string, items: AsyncIterable<T>, bucket: string): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    throw named(error, where, bucket);
  }
}

/** A store whose errors name its side, bucket and region. */
export function withNamedErrors(store: ObjectStore, place: Place): ObjectStore {
  const where = bucketText(place);
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const result: unknown = member.apply(target, args);
        if (result instanceof Promise) return naming(where, result, place.bucket);
        const isListing = property === "list" || property === "listPages";
        return isListing ? namingEach(where, result as AsyncIterable<unknown>, place.bucket) : result;
      };
    },
  });
}

/** A bucket that cannot be looked at. */
export interface LostBucket {
  side: OperatedSide["side"];
  /** Names the bucket, the vendor's answer and the way out. */
  message: string;
}

/** Every key sorts before this one, so the answer to a listing after it is empty and short. */
const LAST_KEY = "\u{10FFFF}";

/**
 * Asks both stores for a part of their listing that is always empty. Unlike the answer to HeadBucket, which has no body, the answer says
 * why it is a refusal.
 */
export async function lostBuckets(
  { source, destination }: Pick<OperatedBridge, "source" | "destination">,
  signal: AbortSignal,
  patienceMs = 15_000,
): Promise<LostBucket[]> {
  const looks = [source, destination].map(async (side): Promise<LostBucket | undefined> => {
    const patience = AbortSignal.timeout(patienceMs);
    try {
      const listing = side.store.list("", { startAfter: LAST_KEY, signal: AbortSignal.any([signal, patience]) });
      await listing[Symbol.asyncIterator]().next();
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (patience.aborted)
        return { side: side.side, message: `${bucketText(side)}: no answer within ${patienceMs / 1000} s; ${UNREACHABLE}` };
      if (!isBridgeError(error)) throw error;
      return { side: side.side, message: `${namedText(error, bucketText(side), side.bucket)}; ${adviceOn(error)}` };
    }
  });
  return (await Promise.all(looks)).filter((lost) => lost !== undefined);
}

/** @throws CannotLook that names every bucket that cannot be looked at */
export async function assertBuckets(bridge: Pick<OperatedBridge, "source" | "destination">, signal: AbortSignal): Promise<void> {
  const lost = await lostBuckets(bridge, signal);
  if (lost.length > 0) throw new CannotLook(lost.map(({ message }) => message).join("\n"));
}

const UNREACHABLE = "the store cannot be reached from here";

function adviceOn(error: BridgeError): string {
  if (causeNames(error, "CredentialsProviderError")) return "there are no credentials for this side: log in to its profile";
  switch (error.kind) {
    case "NoSuchBucket":
    case "NotFound":
      return "the bucket is gone: create it again (pulumi refresh, pulumi up), then run a backfill";
    case "PermissionDenied":
      return "the bucket refuses your own credentials; the bridge uses others";
    case "HostRefused":
      return "then run pulumi up: the functions use the same setting";
    case "Unavailable":
    case "RateLimited":
      return UNREACHABLE;
    default:
      return "the bucket cannot be read";
  }
}

function causeNames(error: unknown, name: string): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause.name === name) return true;
  return false;
}
