/** Deletes what a run has written: every version, delete marker and unfinished upload under its own prefixes, and nothing else. */
import { storeCredentials } from "../operator/clouds/aws";
import { forEachBounded } from "../operator/concurrency";
import type { XmlElement } from "../runtime/http/xml";
import { OssClient } from "../runtime/stores/oss/client";
import { ossEndpoint } from "../runtime/stores/oss/endpoint";
import { documentOf as ossDocumentOf } from "../runtime/stores/oss/metadata";
import { OSS_CAPABILITIES } from "../runtime/stores/oss/store";
import { documentOf as s3DocumentOf } from "../runtime/stores/s3/calls";
import { S3Client } from "../runtime/stores/s3/client";
import { decodeListedKey } from "../runtime/stores/s3/metadata";
import type { LiveSide } from "./check";

export interface Version {
  key: string;
  versionId: string;
}

export interface Upload {
  key: string;
  uploadId: string;
}

/** Some of what a bucket holds under a prefix, as its listings of versions and of uploads show it. */
export interface Contents {
  versions: Version[];
  uploads: Upload[];
}

type Listing = "versions" | "uploads";
/** Lists the first page. */
export type ListPage = (listing: Listing, prefix: string, signal: AbortSignal) => Promise<XmlElement>;

const DELETES_AT_ONCE = 16;
/** A listing that names the same versions again and again is an error of the store. */
const MAX_PAGES = 10_000;

/** @returns how many versions, delete markers and uploads were deleted */
export async function deleteUnder(
  side: Pick<LiveSide, "store" | "access" | "bucket" | "dispatcher" | "network">,
  prefix: string,
  signal: AbortSignal,
  list: ListPage = listerOf(side),
): Promise<number> {
  let deleted = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { versions, uploads } = await contentsUnder(list, prefix, signal);
    if (versions.length === 0 && uploads.length === 0) return deleted;
    const limits = { limit: DELETES_AT_ONCE, signal };
    // Uploads first: one that completes later would make an object again.
    await forEachBounded(uploads, limits, ({ key, uploadId }) => side.store.abortUpload(key, uploadId, { signal }));
    await forEachBounded(versions, limits, ({ key, versionId }) => side.store.delete(key, { versionId, signal }));
    deleted += versions.length + uploads.length;
  }
  throw new Error(`the bucket ${side.bucket} still lists objects under ${prefix} after ${MAX_PAGES} pages of deletes`);
}

/** @throws Error if the store names a key outside the prefix: it would belong to somebody else */
export async function contentsUnder(list: ListPage, prefix: string, signal: AbortSignal): Promise<Contents> {
  const versions = await list("versions", prefix, signal);
  const uploads = await list("uploads", prefix, signal);
  // A page of a proxy must not pass for an empty bucket.
  if (versions.name !== "ListVersionsResult" || uploads.name !== "ListMultipartUploadsResult")
    throw new Error(`the listing of ${prefix} is no listing but ${versions.name} and ${uploads.name}`);
  const named = (element: XmlElement, id: string, encoding: string | undefined) => {
    const key = decodeListedKey(element.textOf("Key") ?? "", encoding);
    if (!key.startsWith(prefix))
      throw new Error(`the listing of ${prefix} names ${JSON.stringify(key)}, which is not under it: the clean-up stops`);
    return { key, id: element.textOf(id) ?? "null" };
  };
  return {
    versions: [...versions.all("Version"), ...versions.all("DeleteMarker")]
      .map((element) => named(element, "VersionId", versions.textOf("EncodingType")))
      .map(({ key, id }) => ({ key, versionId: id })),
    uploads: uploads
      .all("Upload")
      .map((element) => named(element, "UploadId", uploads.textOf("EncodingType")))
      .map(({ key, id }) => ({ key, uploadId: id })),
  };
}

/**
 * - https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 * - https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectversions
 */
function listerOf({
  access,
  bucket,
  dispatcher,
  network,
}: Pick<LiveSide, "access" | "bucket" | "dispatcher" | "network">): ListPage {
  const op = "list";
  const { region } = access;
  if (access.cloud !== "alicloud") {
    const { endpoint } = access;
    const client = new S3Client({ bucket, region, credentials: storeCredentials(access), endpoint, dispatcher });
    return (listing, prefix, signal) => {
      const query = { [listing]: "", "encoding-type": "url", prefix };
      return client.send({ op, method: "GET", query, signal }, (answer) => s3DocumentOf(op, answer));
    };
  }
  const endpoint = ossEndpoint(region, network, access.originOf);
  const options = { bucket, region, credentials: access.credentials, endpoint, dispatcher };
  const client = new OssClient(options, OSS_CAPABILITIES);
  return (listing, prefix, signal) => {
    const queries = { [listing]: null, "encoding-type": "url", prefix };
    return client.text({ op, method: "GET", queries, signal }, (text) => ossDocumentOf(op, text));
  };
}
