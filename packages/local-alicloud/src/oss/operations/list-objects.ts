/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/listobjects
 * https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectsv2
 */

import { restoreHeader } from "../attributes";
import type { Operation } from "../operation";
import { invalidArgument } from "../oss-error";
import { commonPrefixBefore, commonPrefixOf, nameEncoder, numberParameter } from "../paging";
import type { Bucket } from "../store/bucket";
import type { StoredObject } from "../store/model";
import { compareKeys } from "../store/sorted-keys";
import { currentObject } from "../store/versions";
import { xmlTime } from "../xml";

export interface ListingRequest {
  prefix: string;
  delimiter: string;
  /** The page begins after this name. A common prefix counts as a name. */
  after: string;
  limit: number;
}

export interface Listing {
  objects: { key: string; object: StoredObject }[];
  prefixes: string[];
  truncated: boolean;
  /** The last name of the page. */
  last: string;
}

/** One page of the current objects. */
export function listPage(bucket: Bucket, { prefix, delimiter, after, limit }: ListingRequest): Listing {
  const listing: Listing = { objects: [], prefixes: [], truncated: false, last: "" };
  const start = compareKeys(after, prefix) > 0 ? after : prefix;
  let common = commonPrefixBefore(after, prefix, delimiter);
  for (const key of bucket.keys.sorted.from(start)) {
    if (!key.startsWith(prefix)) break;
    if (key === after || (common !== undefined && key.startsWith(common))) continue;
    const object = currentObject(bucket.keys.versions(key));
    if (object === undefined) continue;
    if (listing.objects.length + listing.prefixes.length === limit) {
      listing.truncated = true;
      break;
    }
    const group = commonPrefixOf(key, prefix, delimiter);
    if (group === undefined) listing.objects.push({ key, object });
    else listing.prefixes.push(group);
    common = group;
    listing.last = group ?? key;
  }
  return listing;
}

export const ownerOf = (bucket: Bucket) => ({ ID: bucket.record.ownerId, DisplayName: bucket.record.ownerId });

const pageSize = (query: ReadonlyMap<string, string>) => numberParameter(query, "max-keys", { min: 1, max: 1000, fallback: 100 });

const described = (object: StoredObject, now: number) => ({
  LastModified: xmlTime(object.lastModified),
  ETag: `"${object.etag}"`,
  Type: object.type,
  Size: object.sizeBytes,
  StorageClass: object.storageClass,
  RestoreInfo: restoreHeader(object, now),
});

/** GET of a bucket: version 1, or 2 with `list-type=2`. */
export async function listObjects(operation: Operation): Promise<void> {
  operation.permit("oss:ListObjects");
  const { exchange, bucket } = operation;
  const version = exchange.query.get("list-type");
  if (version === undefined) listV1(operation, bucket);
  else if (version === "2") listV2(operation, bucket);
  else throw invalidArgument("list-type must be 2.", { name: "list-type", value: version });
}

function listV1({ exchange, now }: Operation, bucket: Bucket): void {
  const { query } = exchange;
  const { type, encode } = nameEncoder(query);
  const limit = pageSize(query);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const marker = query.get("marker") ?? "";
  const page = listPage(bucket, { prefix, delimiter, after: marker, limit });
  exchange.sendXml("ListBucketResult", {
    EncodingType: type,
    Name: bucket.name,
    Prefix: encode(prefix),
    Marker: encode(marker),
    MaxKeys: limit,
    Delimiter: encode(delimiter),
    IsTruncated: page.truncated,
    NextMarker: page.truncated ? encode(page.last) : undefined,
    Contents: page.objects.map(({ key, object }) => ({ Key: encode(key), ...described(object, now), Owner: ownerOf(bucket) })),
    CommonPrefixes: page.prefixes.map((common) => ({ Prefix: encode(common) })),
  });
}

/** A continuation token is opaque to a client: the last name in base64. */
const tokenOf = (name: string) => Buffer.from(name, "utf8").toString("base64");

function nameOf(token: string): string {
  const name = Buffer.from(token, "base64").toString("utf8");
  if (tokenOf(name) !== token)
    throw invalidArgument("The continuation token is invalid.", { name: "continuation-token", value: token });
  return name;
}

function listV2({ exchange, now }: Operation, bucket: Bucket): void {
  const { query } = exchange;
  const { type, encode } = nameEncoder(query);
  const limit = pageSize(query);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const startAfter = query.get("start-after") ?? "";
  // An empty token stands for none.
  const token = query.get("continuation-token") || undefined;
  const page = listPage(bucket, { prefix, delimiter, after: token === undefined ? startAfter : nameOf(token), limit });
  const owner = query.get("fetch-owner") === "true" ? ownerOf(bucket) : undefined;
  exchange.sendXml("ListBucketResult", {
    EncodingType: type,
    Name: bucket.name,
    Prefix: encode(prefix),
    StartAfter: startAfter === "" ? undefined : encode(startAfter),
    MaxKeys: limit,
    Delimiter: encode(delimiter),
    IsTruncated: page.truncated,
    ContinuationToken: token,
    NextContinuationToken: page.truncated ? tokenOf(page.last) : undefined,
    KeyCount: page.objects.length + page.prefixes.length,
    Contents: page.objects.map(({ key, object }) => ({ Key: encode(key), ...described(object, now), Owner: owner })),
    CommonPrefixes: page.prefixes.map((common) => ({ Prefix: encode(common) })),
  });
}
