/** https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectsv2 */
import type { CallOptions, ListedObject } from "../object-store";
import { type OssClient, required } from "./client";
import { unquote } from "./metadata";
import type { OssQueries } from "./sign";
import { withSignal } from "./uploads";
import { xmlElements, xmlText } from "./xml";

const op = "list";
const PAGE = "1000";

export async function* listObjects(
  client: OssClient,
  prefix: string,
  { signal, startAfter }: CallOptions & { startAfter?: string },
): AsyncGenerator<ListedObject> {
  // XML 1.0 cannot hold every key, so they come URL-encoded.
  const queries: OssQueries = { "list-type": "2", "encoding-type": "url", "max-keys": PAGE };
  if (prefix !== "") queries.prefix = prefix;
  let position: OssQueries = startAfter === undefined ? {} : { "start-after": startAfter };
  for (;;) {
    const request = { op, method: "GET", queries: { ...queries, ...position }, ...withSignal(signal) } as const;
    const page = await client.text(request, (text) => text);
    for (const object of xmlElements(page, "Contents")) yield parseObject(object);
    if (xmlText(page, "IsTruncated") !== "true") return;
    position = { "continuation-token": required(op, "continuation token", xmlText(page, "NextContinuationToken")) };
  }
}

function parseObject(object: string): ListedObject {
  const field = (name: string): string => required(op, name, xmlText(object, name));
  const storageClass = xmlText(object, "StorageClass");
  return {
    key: decodeURIComponent(field("Key").replaceAll("+", "%20")),
    sizeBytes: Number(field("Size")),
    etag: unquote(field("ETag")),
    lastModified: new Date(field("LastModified")),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
}
