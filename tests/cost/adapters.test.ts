/** The model counts calls of the store's port. Each of them is one HTTP request of the adapters for S3 and OSS. */
import type { ServerResponse } from "node:http";
import { checksumOf } from "../../runtime/stores/checksums";
import type { ObjectStore } from "../../runtime/stores/object-store";
import { crcHeader, fakeServer, HEAD, ossStore, queryOf, type SeenRequest, s3Store } from "../runtime/stores/fake-server";

const server = fakeServer();
const EMPTY = Buffer.alloc(0);

/** Answers any request that the model counts as a store does for an empty object. */
function answerAny(request: SeenRequest, response: ServerResponse): void {
  const query = queryOf(request);
  const headers = { ...HEAD, ...crcHeader(EMPTY), "x-oss-next-append-position": "1", "x-oss-tagging-count": "0" };
  const xml = (body: string): void => {
    const { "content-length": _, ...rest } = headers;
    response.writeHead(200, { ...rest, "content-type": "application/xml" });
    response.end(body);
  };
  const isPost = request.method === "POST";
  if ("tagging" in query) xml("<Tagging><TagSet></TagSet></Tagging>");
  else if (isPost && "uploads" in query)
    xml("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
  else if (isPost && "uploadId" in query) xml('<CompleteMultipartUploadResult><ETag>"e1"</ETag></CompleteMultipartUploadResult>');
  else {
    const isDelete = request.method === "DELETE";
    response.writeHead(isDelete ? 204 : 200, isDelete ? {} : headers);
    response.end();
  }
}

const attributes = { headers: {}, metadata: {}, tags: {} };
const CALLS: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>> = {
  head: (store) => store.head("key"),
  getTags: (store) => store.getTags("key"),
  get: async (store) => (await store.get("key")).body.resume(),
  put: (store) => store.put("key", EMPTY, { sizeBytes: 0, attributes }),
  "put of tags and metadata": (store) =>
    store.put("key", EMPTY, { sizeBytes: 0, attributes: { headers: {}, metadata: { a: "b" }, tags: { a: "b" } } }),
  delete: (store) => store.delete("key"),
  createUpload: (store) => store.createUpload("key", { attributes }),
  uploadPart: (store) => store.uploadPart("key", { uploadId: "u", partNumber: 1 }, EMPTY),
  // The copier passes back the parts' checksums. Without them OSS would list the parts first.
  completeUpload: (store) =>
    store.completeUpload("key", "u", [{ partNumber: 1, sizeBytes: 0, etag: "e1", checksum: checksumOf("CRC64XZ", EMPTY) }]),
};

describe.each([
  ["S3", () => s3Store(server)],
  ["OSS", () => ossStore(server)],
])("%s", (_vendor, open) => {
  test.each(Object.entries(CALLS))("%s is one request", async (_name, call) => {
    server.answer(...Array.from({ length: 5 }, () => answerAny));
    await call(open());
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toHaveLength(1);
  });
});

test.each([
  ["append", (store: ReturnType<typeof ossStore>) => store.append("key", 1, Buffer.from("x"))],
  ["readTail", (store: ReturnType<typeof ossStore>) => store.readTail("key", 10)],
])("OSS: %s is one request", async (_name, call) => {
  server.answer(...Array.from({ length: 5 }, () => answerAny));
  await call(ossStore(server));
  expect(server.seen).toHaveLength(1);
});
