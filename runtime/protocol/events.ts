/**
 * Decodes every event that starts a sender or a dispatcher into looks ("look at this key"), and decodes the keys.
 * Pure. Never throws: an event that cannot be read becomes a `problem`, which the role parks.
 */

import { arrayAt, at, excerpt, isObject, parseText, textAt } from "./json";
import { decodeLook, isLookMessage, type StoredLook } from "./queue-messages";

export interface DecodedLook extends StoredLook {
  /** The bucket that the event names. Absent in the bridge's own looks, which always concern its source. */
  bucket?: string | undefined;
  /** The event's id, the same on every delivery. Absent where the store gives none. */
  eventId?: string | undefined;
  /** The size of the object that the event reports. Absent where the event does not say it, or says it of something else. */
  sizeBytes?: number | undefined;
  /** The event reports a change of tags alone. */
  tagging?: TaggingChange | undefined;
  /** The message was delivered before, or may have been. Absent in messages that are certainly delivered for the first time. */
  redelivered?: true | undefined;
  /** When the object changed, by the source's clock. Absent in the bridge's own looks. */
  eventTimeMs?: number | undefined;
}

export interface TaggingChange {
  /** Who changed the tags. For a role `AWS:<unique id of the role>:<session>`. Absent in events of EventBridge, which name nobody. */
  principal?: string | undefined;
}

export interface DecodedRecord {
  /** The queue's id of the message, for a partial batch response; absent where no queue delivered it. */
  messageId?: string | undefined;
  /** The platform does not say for certain whether it delivers the message for the first time. Implied where there is no `messageId`. */
  uncounted?: true | undefined;
  /** Empty for a message with nothing to do, such as S3's test event. */
  looks: DecodedLook[];
  /** Why a part could not be read. `looks` holds the other parts; the message is done only when both are handled. */
  problem?: string;
  /** The unchanged message, for the dead letter. Present with a problem. */
  original?: string;
}

interface Reading {
  looks: DecodedLook[];
  problems: string[];
}

/** An event in SNS in SQS has two wrappers. The record of a failed invocation adds one. */
const MAX_WRAPPERS = 4;

/**
 * Reads S3 notifications, EventBridge S3 events, OSS events and the bridge's own looks, one or several, each directly or inside SQS, SNS or the
 * record of a failed asynchronous invocation.
 * @param event the function's event, parsed
 * @returns one record per queue message; a single one for anything else
 */
export function decodeEvent(event: unknown): DecodedRecord[] {
  const records = arrayAt(event, "Records");
  if (records !== undefined && records.length > 0 && records.every((record) => textAt(record, "eventSource") === "aws:sqs")) {
    return records.map((record) => {
      const messageId = textAt(record, "messageId");
      const body = textAt(record, "body");
      const reading = readText(body, 0);
      const read = isFirstDelivery(record) ? reading : { ...reading, looks: reading.looks.map(asRedelivered) };
      return { messageId, ...asRecord(read, body ?? JSON.stringify(record)) };
    });
  }
  return [asRecord(read(event, 0), JSON.stringify(event) ?? String(event))];
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
function isFirstDelivery(sqsRecord: unknown): boolean {
  return textAt(at(sqsRecord, "attributes"), "ApproximateReceiveCount") === "1";
}

const asRedelivered = (look: DecodedLook): DecodedLook => ({ ...look, redelivered: true });

/** The record of an event that the platform delivers again. */
export function redelivered(record: DecodedRecord): DecodedRecord {
  return { ...record, looks: record.looks.map(asRedelivered) };
}

/** Decodes text like `decodeEvent` does: the event as received, or a message that a redrive took from a queue. */
export function decodeText(text: string): DecodedRecord[] {
  // A dead letter that is parked again keeps its first original; otherwise each redrive would add a wrapper.
  const original = originalIn(parseText(text)?.value) ?? text;
  return [asRecord(readText(text, 0), original)];
}

/** The unchanged message that a dead letter keeps. */
function originalIn(value: unknown): string | undefined {
  return textAt(at(value, "deadLetter"), "original");
}

function asRecord({ looks, problems }: Reading, original: string): Omit<DecodedRecord, "messageId"> {
  return problems.length === 0 ? { looks } : { looks, problem: problems.join("; "), original };
}

function readText(text: string | undefined, depth: number): Reading {
  if (text === undefined) return problem("the message has no body");
  const json = parseText(text);
  return json === undefined ? problem(`the message is not JSON: ${excerpt(text)}`) : read(json.value, depth);
}

function read(value: unknown, depth: number): Reading {
  if (depth > MAX_WRAPPERS) return problem(`the event is wrapped more than ${MAX_WRAPPERS} times`);
  if (isLookMessage(value)) return readLook(value);
  const looks = arrayAt(value, "looks");
  if (looks !== undefined) return merge(looks.map(readLook));
  if (textAt(value, "Event") === "s3:TestEvent") return { looks: [], problems: [] };
  if (textAt(value, "Type") === "Notification") return readText(textAt(value, "Message"), depth + 1);
  const original = originalIn(value);
  if (original !== undefined) return readText(original, depth + 1);
  const payload = at(value, "requestPayload");
  if (isObject(at(value, "requestContext")) && payload !== undefined) {
    // Lambda keeps the event as JSON, Function Compute as text.
    return typeof payload === "string" ? readText(payload, depth + 1) : read(payload, depth + 1);
  }
  if (textAt(value, "source") === "aws.s3") return readEventBridge(value);
  const records = arrayAt(value, "Records") ?? arrayAt(value, "events");
  if (records === undefined) return problem(`the event is of no known shape: ${excerpt(value)}`);
  return merge(records.map((record) => readRecord(record, depth)));
}

function readRecord(record: unknown, depth: number): Reading {
  if (textAt(record, "EventSource") === "aws:sns") return readText(textAt(at(record, "Sns"), "Message"), depth + 1);
  const source = textAt(record, "eventSource");
  if (source === "aws:s3") return readS3(record);
  if (source === "acs:oss") return readOss(record);
  return problem(`a record of the event is of no known source: ${excerpt(record)}`);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
function readS3(record: unknown): Reading {
  const named = readNamed("S3", at(record, "s3"), (written) => {
    const key = decodeS3Key(written);
    return key === undefined ? undefined : [key];
  });
  const reading = withTime(named, textAt(record, "eventTime"));
  if (!/^(s3:)?ObjectTagging:/.test(textAt(record, "eventName") ?? "")) return reading;
  return taggingOnly(reading, { principal: textAt(at(record, "userIdentity"), "principalId") });
}

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html: keys are written as they are. `requester` names only an account or a
 * service.
 */
function readEventBridge(value: unknown): Reading {
  const named = readNamed("EventBridge", at(value, "detail"), (written) => [written]);
  const reading = withTime(named, textAt(value, "time"));
  return /^Object Tags (Added|Deleted)$/.test(textAt(value, "detail-type") ?? "") ? taggingOnly(reading, {}) : reading;
}

function taggingOnly({ looks, problems }: Reading, tagging: TaggingChange): Reading {
  return { looks: looks.map((look) => ({ ...look, tagging })), problems };
}

/** https://www.alibabacloud.com/help/en/oss/user-guide/event-notification */
function readOss(record: unknown): Reading {
  const eventId = ossEventId(record);
  const name = textAt(record, "eventName") ?? "";
  const size = at(at(at(record, "oss"), "object"), "size");
  // A symbolic link has a size of its own. Readers of it get its target.
  const sizeBytes = typeof size === "number" && WRITES_WHOLE_OBJECT.test(name) ? size : undefined;
  const named = readNamed("OSS", at(record, "oss"), possibleOssKeys);
  const { looks, problems } = withTime(named, textAt(record, "eventTime"));
  return { looks: looks.map((look) => ({ ...look, eventId, sizeBytes })), problems };
}

const WRITES_WHOLE_OBJECT = /^ObjectCreated:(PutObject|PostObject|CopyObject|CompleteMultipartUpload)$/;

/** The request id alone is not unique: one DeleteObjects can remove several versions of a key, each with its own event. */
function ossEventId(record: unknown): string | undefined {
  const requestId = textAt(at(record, "responseElements"), "requestId");
  const parts = [textAt(record, "eventTime"), textAt(at(at(record, "oss"), "object"), "eTag")];
  return requestId ? [requestId, ...parts.filter(Boolean)].join(" ") : undefined;
}

function readNamed(what: string, holder: unknown, keysOf: (written: string) => string[] | undefined): Reading {
  const bucket = textAt(at(holder, "bucket"), "name");
  const written = textAt(at(holder, "object"), "key");
  if (!bucket || !written) return problem(`the ${what} event names no bucket or no key`);
  const keys = keysOf(written);
  if (keys === undefined) return problem(`the ${what} event's key ${JSON.stringify(written)} has a malformed percent sequence`);
  return { looks: keys.map((key) => ({ bucket, key, failures: 0 })), problems: [] };
}

function withTime({ looks, problems }: Reading, text: string | undefined): Reading {
  const eventTimeMs = Date.parse(text ?? "");
  return { looks: Number.isNaN(eventTimeMs) ? looks : looks.map((look) => ({ ...look, eventTimeMs })), problems };
}

function readLook(value: unknown): Reading {
  try {
    const look = decodeLook(value);
    // The key of a dead letter begins anew, but an earlier attempt may have left a copy that runs.
    return { looks: [look.firstSeenMs === undefined ? { ...look, redelivered: true } : look], problems: [] };
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error));
  }
}

function merge(readings: readonly Reading[]): Reading {
  return {
    looks: readings.flatMap(({ looks }) => looks),
    problems: [...new Set(readings.flatMap(({ problems }) => problems))],
  };
}

function problem(text: string): Reading {
  return { looks: [], problems: [text] };
}

/**
 * S3 notifications: `+` is a space, the rest percent-encoded UTF-8.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 * @returns undefined for a malformed percent sequence
 */
export function decodeS3Key(encoded: string): string | undefined {
  return percentDecode(encoded.replaceAll("+", " "));
}

/**
 * OSS does not document whether the key of an event is encoded. Every possible reading is a look: looking at a key that did not
 * change does no harm.
 * @returns one key, or each of its different readings
 */
export function possibleOssKeys(written: string): string[] {
  const readings = [written, percentDecode(written), decodeS3Key(written)];
  return [...new Set(readings.filter((key) => key !== undefined))];
}

function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
