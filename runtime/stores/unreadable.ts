/** Objects whose bytes nobody can read now: archived ones before their restore is complete, and links of OSS that lead nowhere. */

export interface Archive {
  /** The store's own name for the class or the tier. */
  storageClass: string;
  /** `ongoing`: a restore runs. `done`: the bytes can be read for some days. */
  restore: "none" | "ongoing" | "done";
}

/** Reads `x-amz-restore` and `x-oss-restore`, which have one form. Both are absent as long as nobody asked for a restore. */
export function restoreOf(header: string | undefined): Archive["restore"] {
  if (header === undefined) return "none";
  return /ongoing-request="true"/.test(header) ? "ongoing" : "done";
}

/** The reason of a store that refuses to read the bytes. */
export const ARCHIVED = "the object is archived: restore it first";

/** What an operator does about an archived source object. */
export const ARCHIVE_ADVICE =
  "restore it at the source, then redrive its dead letter; S3 reports the end of a restore, and then the bridge copies it without a redrive";

/** Why nobody can read through a symbolic link. https://www.alibabacloud.com/help/en/oss/developer-reference/getobject */
export const LINK_WITHOUT_TARGET = "the target of the symbolic link does not exist: write the target, or delete the link";
export const LINK_TO_LINK =
  "the symbolic link leads to another symbolic link, which OSS does not follow: link to the object itself";
