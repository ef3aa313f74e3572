/**
 * Records in a store without conditional writes. Each key has a log of JSON lines that only grows; its last line is the state. The
 * compare-and-swap is an append at the length that was read.
 *
 * A log is never deleted here. The token is the length of the log: a log that was deleted and grew to the same length again would accept a
 * write of a function that read the old log. So removing a record appends a line. A lifecycle rule on `recordLogPrefix` deletes old logs, by
 * age since the last change. That is safe when the age is greater than the longest run of any function (24 hours on Function Compute): every
 * function that read the log has ended by then. The rule waits five days. The prefix must be in a bucket without versions: where versions are
 * kept, an expired log leaves a delete marker, and nothing can be appended to it.
 *
 * OSS appends to an object up to 5 GiB. A log that is nearly full is closed: its last line says so, and the next log goes on from that line.
 */
import { randomUUID } from "node:crypto";
import { controlPrefix } from "../protocol/control";
import { parseJson } from "../protocol/json";
import * as z from "../protocol/schema";
import { BridgeError, isBridgeError, mayStillLand } from "../stores/errors";
import type { AppendStore } from "../stores/object-store";
import { type HeldRecord, MAX_RECORD_BYTES, notOfThisKind, type RecordKind, type RecordStore } from "./record-store";

/** Tries of one append whose outcome is unknown. */
const ATTEMPTS = 3;

/** A log that has reached this length is closed. https://www.alibabacloud.com/help/en/oss/developer-reference/appendobject */
const CLOSE_AT_BYTES = 4 * 1024 ** 3;

/** The place of the next line: a log of the key, and its length. */
interface Place {
  /** 0 for the first log of the key, 1 for the one after it. */
  log: number;
  position: number;
}

/** The end of a key's logs: where the next line goes, and the last line as it was written. */
interface LogEnd<T> extends Place {
  line: Buffer;
  /** Undefined when the record was removed. */
  record: T | undefined;
}

export interface AppendRecordOptions {
  /** Marks the lines of this record store. @default a random one */
  writer?: string | undefined;
  /** @default CLOSE_AT_BYTES */
  closeAtBytes?: number | undefined;
}

/** The prefix of the logs, for the lifecycle rule that deletes them. It is named after the leases, which were its first records. */
export function recordLogPrefix(bridgeId: string): string {
  return `${controlPrefix(bridgeId)}lease-logs/`;
}

/**
 * Each record store marks its lines with its own `writer`, so that it knows them again. If two stores write the same record at the same
 * moment, exactly one succeeds. If one store writes a line twice because the answer was lost, it finds its line and succeeds.
 */
export function createAppendRecordStore<T>(
  store: AppendStore,
  bridgeId: string,
  kind: RecordKind<T>,
  { writer = randomUUID(), closeAtBytes = CLOSE_AT_BYTES }: AppendRecordOptions = {},
): RecordStore<T> {
  const logs = new Logs(store, { prefix: recordLogPrefix(bridgeId), kind });

  const lineAt = ({ position }: Place, content: object): Buffer => {
    const isLast = position >= closeAtBytes;
    return lineOf({ writer, ...content, closed: isLast || undefined }, kind.what);
  };

  /** The next place, or undefined when the record has changed since `place` was read. */
  const append = (key: string, place: Place, content: object, signal?: AbortSignal): Promise<Place | undefined> =>
    logs.append(key, place, lineAt(place, content), signal);

  return {
    async read(key, signal) {
      const end = await logs.end(key, signal);
      return end?.record === undefined ? undefined : { record: end.record, token: tokenOf(end) };
    },
    async write(key, record, previous, signal) {
      const content = { [kind.what]: kind.schema.parse(record) };
      const held = (place: Place): HeldRecord<T> => ({ record, token: tokenOf(place) });
      if (previous !== undefined) {
        const place = await append(key, placeOf(previous.token), content, signal);
        return place && held(place);
      }
      const end = await logs.end(key, signal);
      if (end?.record !== undefined) return end.line.equals(lineAt(end, content)) ? held(end) : undefined;
      const place = await append(key, end ?? { log: 0, position: 0 }, content, signal);
      return place && held(place);
    },
    async remove(key, held, signal) {
      await append(key, placeOf(held.token), { removed: true }, signal);
    },
  };
}

const tokenOf = ({ log, position }: Place): string => `${log}:${position}`;

function placeOf(token: string): Place {
  const [log, position] = token.split(":").map(Number) as [number, number];
  return { log, position };
}

/** The logs of each key. */
class Logs<T> {
  /** The newest log that was seen, for keys that have several. */
  private readonly newest = new Map<string, number>();

  constructor(
    private readonly store: AppendStore,
    private readonly options: { prefix: string; kind: RecordKind<T> },
  ) {}

  /** Undefined where the key has no log. A closed log is followed by the next one, which may not be there yet. */
  async end(key: string, signal: AbortSignal | undefined): Promise<LogEnd<T> | undefined> {
    const begin = this.newest.get(key) ?? 0;
    let closed: LogEnd<T> | undefined;
    for (let log = begin; ; log++) {
      const end = await this.endOf(key, log, signal);
      if (end === undefined && closed === undefined && begin > 0) {
        // A lifecycle rule has deleted the log that was the newest.
        this.newest.delete(key);
        return this.end(key, signal);
      }
      if (end === undefined) return closed && { ...closed, log, position: 0 };
      if (log > 0) this.newest.set(key, log);
      if (!end.isClosed) return end;
      closed = end;
    }
  }

  /**
   * Appends a line if the log is `position` bytes long. After a lost answer it reads the log: if the log has grown without this line, the append
   * can no longer land.
   * @returns the next place; undefined where the log has another length
   */
  async append(key: string, { log, position }: Place, line: Buffer, signal?: AbortSignal): Promise<Place | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { sizeBytes } = await this.store.append(this.nameOf(key, log), position, line, { signal });
        return afterLine({ log, position: sizeBytes }, line);
      } catch (error) {
        if (!isBridgeError(error, "PreconditionFailed") && !mayStillLand(error)) throw error;
        const end = await this.endOf(key, log, signal);
        if (end !== undefined && end.position === position + line.length && end.line.equals(line)) return afterLine(end, line);
        if ((end?.position ?? 0) !== position) return undefined;
        if (attempt >= ATTEMPTS) throw error;
      }
    }
  }

  private nameOf(key: string, log: number): string {
    const { prefix, kind } = this.options;
    return `${prefix}${kind.logName(key)}${log === 0 ? "" : `-${log}`}`;
  }

  private async endOf(
    key: string,
    log: number,
    signal: AbortSignal | undefined,
  ): Promise<(LogEnd<T> & { isClosed: boolean }) | undefined> {
    const { kind } = this.options;
    const name = this.nameOf(key, log);
    const tail = await this.store.readTail(name, MAX_RECORD_BYTES, { signal });
    if (tail === undefined) return undefined;
    const { bytes, sizeBytes } = tail;
    const line = bytes.subarray(bytes.lastIndexOf("\n", -2) + 1);
    const parsed = parseLine(line, kind);
    if (parsed === undefined || (parsed.record !== undefined && !kind.fits(parsed.record, key)))
      throw notOfThisKind(name, kind.what);
    return { log, position: sizeBytes, line, ...parsed };
  }
}

/** The place behind a line. */
const afterLine = ({ log, position }: Place, line: Buffer): Place =>
  isClosing(parseJson(line.toString("utf8"))) ? { log: log + 1, position: 0 } : { log, position };

const isClosing = (line: unknown): boolean => (line as { closed?: unknown } | undefined)?.closed === true;

const closed = z.optional(z.literal(true));
const removedSchema = z.strictObject({ writer: z.string(), removed: z.literal(true), closed });

/** The record of a line; without one where it was removed. Undefined where the line is of no such kind. */
function parseLine<T>(line: Buffer, { what, schema }: RecordKind<T>): { record: T | undefined; isClosed: boolean } | undefined {
  const json = parseJson(line.toString("utf8"));
  const isClosed = isClosing(json);
  if (removedSchema.safeParse(json).success) return { record: undefined, isClosed };
  const written = z.strictObject({ writer: z.string(), [what]: z.unknown(), closed }).safeParse(json);
  const record = schema.safeParse((written.data as Record<string, unknown> | undefined)?.[what]);
  return record.success ? { record: record.data, isClosed } : undefined;
}

function lineOf(content: object, what: string): Buffer {
  const line = Buffer.from(`${JSON.stringify(content)}\n`);
  if (line.length > MAX_RECORD_BYTES)
    throw new BridgeError(
      "Invalid",
      "writeRecord",
      `a ${what} takes at most ${MAX_RECORD_BYTES} bytes, this one has ${line.length}`,
    );
  return line;
}
