/** Every event a sender may be woken by, turned into "look at this key". Pure, and never throws: what cannot be read is a problem to park. */
import { decodeLook, isLookMessage } from "../protocol/look";
import { decodeS3Key, possibleOssKeys } from "./event-key";

export interface DecodedLook {
  /** As the event names it; absent in the bridge's own looks, which always mean its source. */
  bucket?: string;
  key: string;
  attempt: number;
  /** Absent for a fresh event. */
  firstSeenMs?: number;
}

export interface DecodedRecord {
  /** The queue's id of the message, for a partial batch response; absent where no queue brought it. */
  messageId?: string;
  /** Empty for a message with nothing to do, such as S3's test event. */
  looks: DecodedLook[];
  /** What could not be read. `looks` holds what could; the message is done only when both are taken care of. */
  problem?: string;
  /** Beside a problem: the message to the letter, for its dead letter. */
  original?: string;
}

interface Reading {
  looks: DecodedLook[];
  problems: string[];
}

/** An event wrapped in SNS wrapped in SQS is two; a failed invocation's record adds one. */
const MAX_WRAPPERS = 4;
const EXCERPT_CHARACTERS = 200;

/**
 * Reads S3 notifications, EventBridge S3 events, OSS events and the bridge's own looks, each directly or inside SQS, SNS or the
 * record of a failed asynchronous invocation.
 * @param event what the platform handed to the function, parsed
 * @returns one record per queue message; a single one for anything else
 */
export function decodeEvent(event: unknown): DecodedRecord[] {
  const records = arrayAt(event, "Records");
  if (records !== undefined && records.length > 0 && records.every((record) => textAt(record, "eventSource") === "aws:sqs")) {
    return records.map((record) => {
      const messageId = textAt(record, "messageId");
      const body = textAt(record, "body");
      return {
        ...(messageId === undefined ? {} : { messageId }),
        ...asRecord(readText(body, 0), body ?? JSON.stringify(record)),
      };
    });
  }
  return [asRecord(read(event, 0), JSON.stringify(event) ?? String(event))];
}

function asRecord({ looks, problems }: Reading, original: string): Omit<DecodedRecord, "messageId"> {
  return problems.length === 0 ? { looks } : { looks, problem: problems.join("; "), original };
}

function readText(text: string | undefined, depth: number): Reading {
  if (text === undefined) return problem("the message has no body");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return problem(`the message is not JSON: ${excerpt(text)}`);
  }
  return read(value, depth);
}

function read(value: unknown, depth: number): Reading {
  if (depth > MAX_WRAPPERS) return problem(`the event is wrapped more than ${MAX_WRAPPERS} times`);
  if (isLookMessage(value)) return readLook(value);
  if (textAt(value, "Event") === "s3:TestEvent") return { looks: [], problems: [] };
  if (textAt(value, "Type") === "Notification") return readText(textAt(value, "Message"), depth + 1);
  if (isObject(at(value, "requestContext")) && at(value, "requestPayload") !== undefined) {
    return read(at(value, "requestPayload"), depth + 1);
  }
  if (textAt(value, "source") === "aws.s3") return readEventBridge(value);
  const records = arrayAt(value, "Records") ?? arrayAt(value, "events");
  if (records === undefined) return problem(`the event is of no known shape: ${excerpt(value)}`);
  return merge(records.map((record) => readRecord(record, depth)));
}

function readRecord(record: unknown, depth: number): Reading {
  if (textAt(record, "EventSource") === "aws:sns") return readText(textAt(at(record, "Sns"), "Message"), depth + 1);
  const source = textAt(record, "eventSource");
  if (source === "aws:s3") {
    return readNamed("S3", at(record, "s3"), (written) => {
      const key = decodeS3Key(written);
      return key === undefined ? undefined : [key];
    });
  }
  if (source === "acs:oss") return readNamed("OSS", at(record, "oss"), possibleOssKeys);
  return problem(`a record of the event is of no known source: ${excerpt(record)}`);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html: keys are written as they are. */
function readEventBridge(value: unknown): Reading {
  return readNamed("EventBridge", at(value, "detail"), (written) => [written]);
}

function readNamed(what: string, holder: unknown, keysOf: (written: string) => string[] | undefined): Reading {
  const bucket = textAt(at(holder, "bucket"), "name");
  const written = textAt(at(holder, "object"), "key");
  if (!bucket || !written) return problem(`the ${what} event names no bucket or no key`);
  const keys = keysOf(written);
  if (keys === undefined) return problem(`the ${what} event's key ${JSON.stringify(written)} has a malformed percent sequence`);
  return { looks: keys.map((key) => ({ bucket, key, attempt: 0 })), problems: [] };
}

function readLook(value: unknown): Reading {
  try {
    return { looks: [decodeLook(value)], problems: [] };
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

/** Enough to find where a stray message came from. */
function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= EXCERPT_CHARACTERS ? text : `${text.slice(0, EXCERPT_CHARACTERS)}...`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function at(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function textAt(value: unknown, name: string): string | undefined {
  const found = at(value, name);
  return typeof found === "string" ? found : undefined;
}

function arrayAt(value: unknown, name: string): unknown[] | undefined {
  const found = at(value, name);
  return Array.isArray(found) ? found : undefined;
}
