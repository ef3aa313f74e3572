/** Native OSS triggers. https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-oss-trigger */
import * as z from "zod";
import type { TriggerSpec } from "../contracts";
import type { OssEvent } from "../oss/contracts";
import { invalidArgument } from "./names";

const EVENTS: Record<string, readonly string[]> = {
  ObjectCreated: [
    "PutObject",
    "PutSymlink",
    "PostObject",
    "CopyObject",
    "InitiateMultipartUpload",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "AppendObject",
  ],
  ObjectRemoved: ["DeleteObject", "DeleteObjects", "AbortMultipartUpload"],
  ObjectModified: ["UpdateObjectMeta"],
  ObjectReplication: ["ObjectCreated", "ObjectModified", "ObjectRemoved"],
};
export const MAX_TRIGGERS_PER_BUCKET = 10;

const literal = z.string().default("");
const configSchema = z.strictObject({
  events: z.array(z.string()).min(1),
  filter: z.strictObject({ key: z.strictObject({ prefix: literal, suffix: literal }).prefault({}) }).prefault({}),
});

export interface OssTrigger {
  bucket: string;
  /** Without `oss:` and with wildcards expanded, e.g. `ObjectCreated:PutObject`. */
  events: ReadonlySet<string>;
  prefix: string;
  suffix: string;
  invocationRole: string;
}

/** @throws ApiError `InvalidArgument` */
export function parseOssTrigger(spec: TriggerSpec, where: { region: string; accountId: string }): OssTrigger {
  const refuse = (message: string) => invalidArgument(`trigger '${spec.triggerName}': ${message}`);
  const parsed = configSchema.safeParse(parseJson(spec.triggerConfig, refuse));
  if (!parsed.success) throw refuse(`triggerConfig: ${z.prettifyError(parsed.error)}`);
  const { region, accountId } = where;
  const [, bucket] = new RegExp(`^acs:oss:${region}:${accountId}:([a-z0-9-]+)$`).exec(spec.sourceArn ?? "") ?? [];
  if (bucket === undefined)
    throw refuse(`sourceArn is ${spec.sourceArn}; it must be acs:oss:${region}:${accountId}:<bucket>, in the function's region`);
  if (spec.invocationRole === undefined) throw refuse("invocationRole is missing");
  const { events, filter } = parsed.data;
  const named = events.flatMap((event) => {
    const [, type = "", name = ""] = /^oss:(\w+):(\w+|\*)$/.exec(event) ?? [];
    const names = EVENTS[type] ?? [];
    if (name !== "*" && !names.includes(name)) throw refuse(`OSS has no event ${event}`);
    if (names.length === 0) throw refuse(`OSS has no event ${event}`);
    return (name === "*" ? names : [name]).map((one) => `${type}:${one}`);
  });
  return { bucket, events: new Set(named), ...filter.key, invocationRole: spec.invocationRole };
}

export function parseJson(text: string, refuse: (message: string) => Error): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse("triggerConfig is not JSON");
  }
}

export function fits(trigger: OssTrigger, event: OssEvent): boolean {
  const { bucket, object } = event.oss;
  return (
    bucket.name === trigger.bucket &&
    trigger.events.has(event.eventName) &&
    object.key.startsWith(trigger.prefix) &&
    object.key.endsWith(trigger.suffix)
  );
}

/** Whether one event could match both. OSS does not allow such triggers. */
export function overlap(a: OssTrigger, b: OssTrigger): boolean {
  return (
    a.bucket === b.bucket &&
    [...a.events].some((event) => b.events.has(event)) &&
    (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)) &&
    (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix))
  );
}
