/** https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectversions */

import { restoreHeader } from "../attributes";
import type { Operation } from "../operation";
import { invalidArgument } from "../oss-error";
import { commonPrefixBefore, commonPrefixOf, nameEncoder, numberParameter } from "../paging";
import { isDeleteMarker, type Version } from "../store/model";
import { compareKeys } from "../store/sorted-keys";
import { type XmlFields, xmlTime } from "../xml";
import { ownerOf } from "./list-objects";

const MAX_NAME_BYTES = 1024;

interface Entry {
  key: string;
  version: Version;
  latest: boolean;
}

interface Page {
  entries: Entry[];
  prefixes: string[];
  truncated: boolean;
  nextKey: string;
  nextVersionId: string;
}

interface Markers {
  key: string;
  /** Empty: the page begins after all versions of the key. */
  versionId: string;
}

function versionsPage({ bucket }: Operation, prefix: string, delimiter: string, marker: Markers, limit: number): Page {
  const page: Page = { entries: [], prefixes: [], truncated: false, nextKey: "", nextVersionId: "" };
  let common = marker.versionId === "" ? commonPrefixBefore(marker.key, prefix, delimiter) : undefined;
  for (const key of bucket.keys.sorted.from(compareKeys(marker.key, prefix) > 0 ? marker.key : prefix)) {
    if (!key.startsWith(prefix)) break;
    if (common !== undefined && key.startsWith(common)) continue;
    const versions = bucket.keys.versions(key);
    let first = 0;
    if (key === marker.key && marker.key !== "") {
      const named = versions.findIndex(({ versionId }) => versionId === marker.versionId);
      first = marker.versionId === "" ? versions.length : named + 1;
    }
    const group = commonPrefixOf(key, prefix, delimiter);
    const rest = group === undefined ? versions.slice(first) : versions.slice(0, 1);
    for (const version of rest) {
      if (page.entries.length + page.prefixes.length === limit) return { ...page, truncated: true };
      if (group === undefined) {
        page.entries.push({ key, version, latest: version === versions[0] });
        page.nextKey = key;
        page.nextVersionId = version.versionId;
      } else {
        common = group;
        page.prefixes.push(group);
        page.nextKey = group;
        page.nextVersionId = "";
      }
    }
  }
  return page;
}

export async function listObjectVersions(operation: Operation): Promise<void> {
  operation.permit("oss:ListObjectVersions");
  const { exchange, bucket } = operation;
  const { query } = exchange;
  const { type, encode } = nameEncoder(query);
  const limit = numberParameter(query, "max-keys", { min: 1, max: 1000, fallback: 100 });
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const marker = { key: query.get("key-marker") ?? "", versionId: query.get("version-id-marker") ?? "" };
  if (marker.versionId !== "" && marker.key === "")
    throw invalidArgument("A version-id marker cannot be specified without a key marker.", {
      name: "version-id-marker",
      value: marker.versionId,
    });
  for (const name of ["prefix", "delimiter", "key-marker", "version-id-marker"]) {
    const value = query.get(name) ?? "";
    if (Buffer.byteLength(value) > MAX_NAME_BYTES)
      throw invalidArgument(`The length of ${name} must be at most ${MAX_NAME_BYTES} bytes.`, { name, value });
  }
  const page = versionsPage(operation, prefix, delimiter, marker, limit);
  const owner = ownerOf(bucket);
  const common = ({ key, version, latest }: Entry): XmlFields => ({
    Key: encode(key),
    VersionId: version.versionId,
    IsLatest: latest,
    LastModified: xmlTime(version.lastModified),
  });
  exchange.sendXml("ListVersionsResult", {
    EncodingType: type,
    Name: bucket.name,
    Prefix: encode(prefix),
    KeyMarker: encode(marker.key),
    VersionIdMarker: marker.versionId,
    MaxKeys: limit,
    Delimiter: encode(delimiter),
    IsTruncated: page.truncated,
    NextKeyMarker: page.truncated ? encode(page.nextKey) : undefined,
    NextVersionIdMarker: page.truncated ? page.nextVersionId : undefined,
    DeleteMarker: page.entries
      .filter(({ version }) => isDeleteMarker(version))
      .map((entry) => ({ ...common(entry), Owner: owner })),
    Version: page.entries.flatMap((entry) =>
      isDeleteMarker(entry.version)
        ? []
        : [
            {
              ...common(entry),
              ETag: `"${entry.version.etag}"`,
              Type: entry.version.type,
              Size: entry.version.sizeBytes,
              StorageClass: entry.version.storageClass,
              RestoreInfo: restoreHeader(entry.version, operation.now),
              Owner: owner,
            },
          ],
    ),
    CommonPrefixes: page.prefixes.map((name) => ({ Prefix: encode(name) })),
  });
}
