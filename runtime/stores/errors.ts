/** The kinds of failure of a store, or on the way to one. Callers switch on `kind`, never on the message. */
export type BridgeErrorKind =
  /** The key or upload is not there. S3 cannot tell a missing bucket from a missing key in its answer to HEAD. */
  | "NotFound"
  /** The bucket is not there. */
  | "NoSuchBucket"
  /** The store does not serve this through the host that was asked. A setting names another host. */
  | "HostRefused"
  /** A condition (`If-Match`, `If-None-Match`, create-only) did not hold; nothing was written. */
  | "PreconditionFailed"
  /** The credentials may not do this, or a presigned URL expired. */
  | "PermissionDenied"
  | "RateLimited"
  /** The other side did not answer, answered 5xx, or the connection broke. The outcome of a write is unknown. */
  | "Unavailable"
  /** This store cannot do this. */
  | "Unsupported"
  | "ConfigInvalid"
  /** The request is wrong (too large, bad digest, invalid name). Asking again cannot help. */
  | "Invalid"
  /** The bytes that arrived do not match their checksum or length. */
  | "Corrupted"
  | "Unexpected";

const RETRYABLE: ReadonlySet<BridgeErrorKind> = new Set(["RateLimited", "Unavailable", "Corrupted", "Unexpected"]);

/** The store serves no key now. Every other kind is an answer about one key. */
export const DOWN_KINDS: readonly BridgeErrorKind[] = ["Unavailable", "NoSuchBucket", "HostRefused"];

const PERMANENT: ReadonlySet<BridgeErrorKind> = new Set(["Invalid", "Unsupported", "ConfigInvalid"]);

/** `message` is safe to log and to send: it never holds a URL, a credential or object data. */
export class BridgeError extends Error {
  readonly kind: BridgeErrorKind;
  readonly retryable: boolean;
  /** The operation that failed, e.g. `head`, `uploadPart`. */
  readonly op: string;
  /** From the store's `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** The side whose store failed. Set by `locate`. */
  place: "source" | "destination" | undefined;
  /** The store that failed. Set by `locate`. */
  store: string | undefined;

  constructor(
    kind: BridgeErrorKind,
    op: string,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message, options);
    this.name = "BridgeError";
    this.kind = kind;
    this.op = op;
    this.retryable = RETRYABLE.has(kind);
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** Names the store in the message, and remembers the side. What a layer below has named stays. */
  locate({ store, place }: { store?: string | undefined; place?: "source" | "destination" | undefined }): this {
    if (this.store === undefined && store !== undefined) {
      this.store = store;
      this.message = `${store}: ${this.message}`;
    }
    this.place ??= place;
    return this;
  }
}

/** Locates a BridgeError. Returns any other error unchanged. */
export function locate(error: unknown, where: Parameters<BridgeError["locate"]>[0]): unknown {
  return error instanceof BridgeError ? error.locate(where) : error;
}

/** The seconds of a `Retry-After` header. A date in it is ignored: the clocks of two clouds differ. */
export function retryAfterOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,5}$/.test(header) ? Math.min(Number(header), 86_400) : undefined;
}

export function isBridgeError(error: unknown, ...kinds: BridgeErrorKind[]): error is BridgeError {
  return error instanceof BridgeError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** Whether a retry cannot help. */
export function isPermanent(error: unknown): error is BridgeError {
  return error instanceof BridgeError && PERMANENT.has(error.kind);
}

/** Operations that change nothing. `read` (reading a body) is one of them, because no store accepts a body that is too short. */
const READS: ReadonlySet<string> = new Set(["read", "get", "head", "getTags", "listParts", "readTail"]);

/** Whether the operation changes nothing, however it ended. */
export const isRead = (op: string): boolean => READS.has(op);

/** Whether the write may still land although it failed: perhaps only the answer was lost. */
export function mayStillLand(error: unknown): boolean {
  if (!(error instanceof BridgeError)) return true;
  return !isRead(error.op) && (error.kind === "Unavailable" || error.kind === "Unexpected");
}

/** The codes and statuses of a vendor that mean each kind. */
export type KindTable = Readonly<Partial<Record<BridgeErrorKind, readonly (string | number)[]>>>;

/** Kinds that callers take for a fact about the object, and the statuses that a store sends with their codes. */
const STATUSES: Partial<Record<BridgeErrorKind, ReadonlySet<number>>> = {
  NotFound: new Set([404]),
  NoSuchBucket: new Set([404]),
  PreconditionFailed: new Set([304, 409, 412]),
};

/** The kind, if the status agrees with it. A body alone is no proof that an object is absent: a proxy or an old cache may have written it. */
export function confirmedKind(kind: BridgeErrorKind, status: number): BridgeErrorKind {
  const statuses = STATUSES[kind];
  if (statuses === undefined || statuses.has(status)) return kind;
  return status >= 500 ? "Unavailable" : "Unexpected";
}

/** Looks a code or a status up in the table. */
export function kindLookup(table: KindTable): (code: string | number) => BridgeErrorKind | undefined {
  const kinds = new Map<string | number, BridgeErrorKind>();
  for (const [kind, codes] of Object.entries(table)) for (const code of codes) kinds.set(code, kind as BridgeErrorKind);
  return (code) => kinds.get(code);
}
