/** Object tags. https://www.alibabacloud.com/help/en/oss/user-guide/object-tagging */
import type { Tags } from "../../protocol/snapshot";
import { BridgeError } from "../errors";
import { escapeXml, xmlElements, xmlText } from "./xml";

/** What a tag of OSS may hold: fewer characters than one of S3. */
const ALLOWED = /^[A-Za-z0-9 +\-=._:/]*$/;
const MAX_TAGS = 10;
const MAX_NAME_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;

/** @throws BridgeError `Invalid` that names the tag OSS would refuse, and why. */
export function assertTags(op: string, tags: Tags): void {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS)
    throw new BridgeError("Invalid", op, `the object has ${entries.length} tags, OSS takes at most ${MAX_TAGS}`);
  for (const [name, value] of entries) {
    const reason = refusedBecause(name, value);
    if (reason !== undefined) throw new BridgeError("Invalid", op, `OSS cannot hold the tag ${JSON.stringify(name)}: ${reason}`);
  }
}

function refusedBecause(name: string, value: string): string | undefined {
  if (name === "") return "its name is empty";
  if (name.length > MAX_NAME_LENGTH) return `its name is longer than ${MAX_NAME_LENGTH} characters`;
  if (value.length > MAX_VALUE_LENGTH) return `its value is longer than ${MAX_VALUE_LENGTH} characters`;
  if (!ALLOWED.test(name) || !ALLOWED.test(value)) return "only letters, digits, spaces and + - = . _ : / are allowed";
  return undefined;
}

export function taggingHeader(tags: Tags): { "x-oss-tagging"?: string } {
  const pairs = Object.entries(tags).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? {} : { "x-oss-tagging": pairs.join("&") };
}

export function taggingDocument(tags: Tags): Buffer {
  const set = Object.entries(tags).map(
    ([name, value]) => `<Tag><Key>${escapeXml(name)}</Key><Value>${escapeXml(value)}</Value></Tag>`,
  );
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?><Tagging><TagSet>${set.join("")}</TagSet></Tagging>`);
}

export function parseTags(document: string): Tags {
  return Object.fromEntries(xmlElements(document, "Tag").map((tag) => [xmlText(tag, "Key") ?? "", xmlText(tag, "Value") ?? ""]));
}
