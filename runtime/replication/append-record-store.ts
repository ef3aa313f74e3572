/**
 * Records in a store without conditional writes. Each key has a log of JSON lines that only grows; its last line is the state. The
 * compare-and-swap is an append at the length that was read.
 *
 * A log is never deleted here. The token is the length of the log: a log that was deleted and grew to the same length again would accept a
 * write of a function that read the old log. So removing a record appends a line. A lifecycle rule on `recordLogPrefix` deletes old logs, by
 * age since the last change. That is safe when the age is greater than the longest run of any function (24 hours on Function Compute): every
 * function that read the log has ended by then. The rule waits three days. The prefix must be in a bucket without versions: where versions are
 * kept, an expired log leaves a delete marker, and nothing can be appended to it.
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

/** The end of a log: its length, and its last line as it was written. */
interface LogEnd<T> {
  position: number;
  line: Buffer;
  /** Undefined when the record was removed. */
  record: T | undefined;
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
  writer: string = randomUUID(),
): RecordStore<T> {
  const name = (key: string): string => recordLogPrefix(bridgeId) + kind.logName(key);

  async function endOf(key: string, signal: AbortSignal | undefined): Promise<LogEnd<T> | undefined> {
    const tail = await store.readTail(name(key), MAX_RECORD_BYTES, { signal });
    if (tail === undefined) return undefined;
    const { bytes, sizeBytes } = tail;
    const line = bytes.subarray(bytes.lastIndexOf("\n", -2) + 1);
    const parsed = parseLine(line, kind);
    if (parsed === undefined || (parsed.record !== undefined && !kind.fits(parsed.record, key)))
      throw notOfThisKind(name(key), kind.what);
    return { position: sizeBytes, line, record: parsed.record };
  }

  /**
   * The new length, or undefined when the log is no longer `position` bytes long. After a lost answer it reads the log: if the log has grown
   * without this line, the append can no longer land.
   */
  async function append(key: string, position: number, line: Buffer, signal?: AbortSignal): Promise<number | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await store.append(name(key), position, line, { signal })).sizeBytes;
      } catch (error) {
        if (!isBridgeError(error, "PreconditionFailed") && !mayStillLand(error)) throw error;
        const end = await endOf(key, signal);
        if (end !== undefined && end.position === position + line.length && end.line.equals(line)) return end.position;
        if ((end?.position ?? 0) !== position) return undefined;
        if (attempt >= ATTEMPTS) throw error;
      }
    }
  }

  return {
    async read(key, signal) {
      const end = await endOf(key, signal);
      return end?.record === undefined ? undefined : { record: end.record, token: `${end.position}` };
    },
    async write(key, record, previous, signal) {
      const line = lineOf({ writer, [kind.what]: kind.schema.parse(record) }, kind.what);
      const held = (position: number): HeldRecord<T> => ({ record, token: `${position}` });
      if (previous !== undefined) {
        const position = await append(key, Number(previous.token), line, signal);
        return position === undefined ? undefined : held(position);
      }
      const end = await endOf(key, signal);
      if (end?.record !== undefined) return end.line.equals(line) ? held(end.position) : undefined;
      const position = await append(key, end?.position ?? 0, line, signal);
      return position === undefined ? undefined : held(position);
    },
    async remove(key, held, signal) {
      await append(key, Number(held.token), lineOf({ writer, removed: true }, kind.what), signal);
    },
  };
}

const removedSchema = z.strictObject({ writer: z.string(), removed: z.literal(true) });

/** The record of a line; without one where it was removed. Undefined where the line is of no such kind. */
function parseLine<T>(line: Buffer, { what, schema }: RecordKind<T>): { record: T | undefined } | undefined {
  const json = parseJson(line.toString("utf8"));
  if (removedSchema.safeParse(json).success) return { record: undefined };
  const written = z.strictObject({ writer: z.string(), [what]: z.unknown() }).safeParse(json);
  const record = schema.safeParse(written.data?.[what]);
  return record.success ? { record: record.data } : undefined;
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
