/** The document of an object's tags, which S3 and OSS share. */
import type { Tags } from "../protocol/snapshot";
import { parseXml } from "./xml";

/** Undefined for a document of another kind: a page of a proxy must not pass for an object without tags. */
export function parseTagging(document: string): Tags | undefined {
  const root = parseXml(document);
  const set = root?.name === "Tagging" ? root.child("TagSet") : undefined;
  return set && Object.fromEntries(set.all("Tag").map((tag) => [tag.textOf("Key") ?? "", tag.textOf("Value") ?? ""]));
}
