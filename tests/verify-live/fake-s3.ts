/** A server of a few calls of S3, in memory: put, head, delete a version, list, list versions. Every object has one version. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeS3 {
  endpoint: string;
  readonly requests: number;
  put(bucket: string, ...keys: string[]): void;
  /** The bucket is gone from now on. */
  remove(bucket: string): void;
  /** Sorted. */
  keys(bucket: string): string[];
  stop(): Promise<void>;
}

export async function startFakeS3(buckets: readonly string[]): Promise<FakeS3> {
  const stored = new Map(buckets.map((bucket) => [bucket, new Set<string>()]));
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume().on("end", () => answer(stored, request, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    put: (bucket, ...keys) => {
      for (const key of keys) stored.get(bucket)?.add(key);
    },
    remove: (bucket) => void stored.delete(bucket),
    keys: (bucket) => [...(stored.get(bucket) ?? [])].sort(),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function answer(stored: Map<string, Set<string>>, { method, url = "" }: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(url, "http://127.0.0.1");
  const [, bucket = "", ...rest] = pathname.split("/");
  const key = decodeURIComponent(rest.join("/"));
  const objects = stored.get(bucket);
  const send = (status: number, body = "", headers: Record<string, string> = {}) => {
    response.writeHead(status, { "content-type": "application/xml", ...headers });
    response.end(body);
  };
  if (objects === undefined) send(404, "<Error><Code>NoSuchBucket</Code></Error>");
  else if (key === "") send(200, listing(objects, searchParams));
  else if (method === "PUT") {
    objects.add(key);
    send(200, "", { etag: '"e"', "x-amz-version-id": "v1" });
  } else if (method === "DELETE") {
    objects.delete(key);
    send(204);
  } else send(404, method === "HEAD" ? "" : "<Error><Code>NoSuchKey</Code></Error>");
}

function listing(objects: ReadonlySet<string>, query: URLSearchParams): string {
  const prefix = query.get("prefix") ?? "";
  const found = [...objects].filter((key) => key.startsWith(prefix)).sort();
  if (query.has("uploads")) return "<ListMultipartUploadsResult></ListMultipartUploadsResult>";
  const versions = found.map((key) => `<Version><Key>${encodeURIComponent(key)}</Key><VersionId>v1</VersionId></Version>`);
  return query.has("versions")
    ? `<ListVersionsResult><EncodingType>url</EncodingType>${versions.join("")}</ListVersionsResult>`
    : "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>";
}
