/**
 * A server of two buckets with very many numbered keys, which are computed when they are asked for. It answers ListObjectsV2 and HEAD. Of each
 * `EVERY` keys one is missing at the destination, one has another size there, one has other bytes, and one is only there.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { compareKeys } from "../../../runtime/stores/keys";

export const SOURCE = "from-here";
export const DESTINATION = "to-there";
export const EVERY = 997;
const PAGE = 1000;
const MODIFIED = "2026-11-01T10:00:00.000Z";

export const numbered = (index: number): string => `data/${String(index).padStart(8, "0")}`;
/** Sorts after the key of the same number and before the next one. */
export const extraKey = (index: number): string => `${numbered(index)}-extra`;

export type Planted = "missing" | "other size" | "other bytes" | "extra" | undefined;
export function plantedAt(index: number): Planted {
  switch (index % EVERY) {
    case 11:
      return "missing";
    case 222:
      return "other size";
    case 333:
      return "other bytes";
    case 444:
      return "extra";
    default:
      return undefined;
  }
}

interface Listed {
  key: string;
  size: number;
  etag: string;
}

const etagOf = (index: number, variant = 0): string => (index * 4 + variant).toString(16).padStart(32, "0");

/** The objects of one number, in order. */
function objectsOf(bucket: string, index: number): Listed[] {
  const planted = plantedAt(index);
  const plain = { key: numbered(index), size: 1000 + (index % 100), etag: etagOf(index) };
  if (bucket === SOURCE) return [plain];
  if (planted === "missing") return [];
  if (planted === "other size") return [{ ...plain, size: 1, etag: etagOf(index, 1) }];
  if (planted === "other bytes") return [{ ...plain, etag: etagOf(index, 1) }];
  if (planted === "extra") return [plain, { key: extraKey(index), size: 7, etag: etagOf(index, 2) }];
  return [plain];
}

export interface ListingServer {
  origin: string;
  /** Pages that were listed so far. */
  pages(): number;
  /** Called before each page. */
  onPage: (pages: number) => void;
  close(): Promise<void>;
}

export async function startListingServer(count: number): Promise<ListingServer> {
  let pages = 0;
  const listing: ListingServer = {
    origin: "",
    pages: () => pages,
    onPage: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, bucket = "", ...rest] = url.pathname.split("/");
    const key = decodeURIComponent(rest.join("/"));
    if (request.method === "HEAD") return head(response, bucket, key);
    pages += 1;
    listing.onPage(pages);
    const { query, prefix } = { query: url.searchParams, prefix: url.searchParams.get("prefix") ?? "" };
    const after = query.get("continuation-token") ?? query.get("start-after") ?? undefined;
    send(response, page(bucket, { prefix, after, count }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  listing.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return listing;
}

function head(response: ServerResponse<IncomingMessage>, bucket: string, key: string): void {
  const index = Number(/^data\/(\d{8})/.exec(key)?.[1] ?? Number.NaN);
  const object = Number.isNaN(index) ? undefined : objectsOf(bucket, index).find((one) => one.key === key);
  if (object === undefined) {
    response.writeHead(404).end();
    return;
  }
  const headers = { etag: `"${object.etag}"`, "content-length": object.size, "last-modified": new Date(MODIFIED).toUTCString() };
  response.writeHead(200, headers).end();
}

/** The first number whose keys can come after this one. */
function firstNumber(after: string, count: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (compareKeys(extraKey(middle), after) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

function page(
  bucket: string,
  { prefix, after = "", count }: { prefix: string; after: string | undefined; count: number },
): string {
  const entries: string[] = [];
  let last = "";
  let isTruncated = false;
  for (let index = firstNumber(after, count); index < count && !isTruncated; index++)
    for (const { key, size, etag } of objectsOf(bucket, index)) {
      if (compareKeys(key, after) <= 0 || !key.startsWith(prefix)) continue;
      isTruncated = entries.length === PAGE;
      if (isTruncated) break;
      entries.push(
        `<Contents><Key>${key}</Key><LastModified>${MODIFIED}</LastModified><ETag>&quot;${etag}&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
      );
      last = key;
    }
  const next = isTruncated ? `<NextContinuationToken>${last}</NextContinuationToken>` : "";
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><Prefix>${prefix}</Prefix><KeyCount>${entries.length}</KeyCount><MaxKeys>${PAGE}</MaxKeys><EncodingType>url</EncodingType><IsTruncated>${isTruncated}</IsTruncated>${next}${entries.join("")}</ListBucketResult>`;
}

function send(response: ServerResponse<IncomingMessage>, text: string): void {
  const body = Buffer.from(text, "latin1");
  response.writeHead(200, { "content-type": "application/xml", "content-length": body.length }).end(body);
}
