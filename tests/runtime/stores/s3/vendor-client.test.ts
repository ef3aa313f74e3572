/** The S3 store against AWS's own client: the same answers of a server give the same results, and the same refusals the same tries. */
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  type S3ServiceException,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { BridgeError } from "../../../../runtime/stores/errors";
import type { ObjectStore } from "../../../../runtime/stores/object-store";
import type { Refusal } from "../../../../runtime/stores/refusals";
import { createS3Store } from "../../../../runtime/stores/s3/store";
import { collect, NO_ATTRIBUTES, textBytes } from "../../../conformance/object-store/context";
import { type Answer, fakeServer, HEAD, refusal, type SeenRequest, s3Store, status } from "../fake-server";

const s3 = fakeServer();
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "t" };
const BYTES = textBytes("hello");
const OBJECT = { Bucket: "bucket", Key: "a b/文+" };
const KEY = OBJECT.Key;
const PUT = { attributes: NO_ATTRIBUTES, sizeBytes: BYTES.length };

function vendorClient(): S3Client {
  return new S3Client({
    region: "us-east-1",
    endpoint: s3.endpoint,
    forcePathStyle: true,
    credentials,
    responseChecksumValidation: "WHEN_REQUIRED",
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
}

const clients: S3Client[] = [];
const vendor = (): S3Client => {
  const client = vendorClient();
  clients.push(client);
  return client;
};
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

const unquoted = (etag: string | undefined) => etag?.replaceAll('"', "");

interface Call {
  name: string;
  answers: Answer[];
  /** The result in the form of the port. */
  vendor(client: S3Client): Promise<unknown>;
  ours(store: ObjectStore): Promise<unknown>;
}

const DESCRIBED = {
  ...HEAD,
  "content-length": "5",
  "content-type": "text/plain",
  "cache-control": "no-cache",
  "content-language": "de",
  "content-encoding": "gzip",
  "x-amz-meta-a": "1",
  "x-amz-meta-b": " spaces inside ",
  "x-amz-version-id": "v1",
  "x-amz-checksum-crc32": "NhCmhg==",
  "x-amz-checksum-type": "FULL_OBJECT",
  "x-amz-website-redirect-location": "/new",
};

const xml = (body: string, headers: Record<string, string> = {}) =>
  status(200, { "content-type": "application/xml", ...headers }, `<?xml version="1.0" encoding="UTF-8"?>\n${body}`);

const CALLS: Call[] = [
  {
    name: "head",
    answers: [status(200, DESCRIBED)],
    vendor: async (client) => {
      const found = await client.send(new HeadObjectCommand({ ...OBJECT, ChecksumMode: "ENABLED" }));
      return described({ ...found, sizeBytes: found.ContentLength }, [{ algorithm: "CRC32", value: found.ChecksumCRC32 }]);
    },
    ours: (store) => store.head(KEY),
  },
  {
    name: "get",
    answers: [status(200, DESCRIBED, "hello")],
    vendor: async (client) => {
      const found = await client.send(new GetObjectCommand({ ...OBJECT, IfMatch: '"e1"' }));
      return { ...described({ ...found, sizeBytes: found.ContentLength }), body: await found.Body?.transformToString() };
    },
    ours: (store) => opened(store, {}),
  },
  {
    name: "get of a range",
    answers: [status(206, { ...DESCRIBED, "content-length": "2", "content-range": "bytes 1-2/5" }, "el")],
    vendor: async (client) => {
      const found = await client.send(new GetObjectCommand({ ...OBJECT, IfMatch: '"e1"', Range: "bytes=1-2" }));
      return { ...described({ ...found, sizeBytes: 5 }), body: await found.Body?.transformToString() };
    },
    ours: (store) => opened(store, { range: { start: 1, end: 2 } }),
  },
  {
    name: "getTags",
    answers: [
      xml(
        '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>a &amp; b</Key><Value> x&#x20;</Value></Tag><Tag><Key>c</Key><Value></Value></Tag></TagSet></Tagging>',
      ),
    ],
    vendor: async (client) => {
      const { TagSet = [] } = await client.send(new GetObjectTaggingCommand(OBJECT));
      return Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value]));
    },
    ours: (store) => store.getTags(KEY),
  },
  {
    name: "put",
    answers: [status(200, { etag: '"e2"', "x-amz-version-id": "v2", "x-amz-checksum-crc32": "NhCmhg==" })],
    vendor: async (client) => {
      const put = await client.send(new PutObjectCommand({ ...OBJECT, Body: BYTES }));
      const checksums = [{ algorithm: "CRC32", value: put.ChecksumCRC32 }];
      return { etag: unquoted(put.ETag), versionId: put.VersionId, checksums };
    },
    ours: (store) => store.put(KEY, BYTES, PUT),
  },
  {
    name: "putTags",
    answers: [status(200)],
    vendor: async (client) => {
      await client.send(new PutObjectTaggingCommand({ ...OBJECT, Tagging: { TagSet: [{ Key: "a", Value: "1" }] } }));
    },
    ours: (store) => store.putTags(KEY, { a: "1" }),
  },
  {
    name: "delete",
    answers: [status(204, { "x-amz-delete-marker": "true" })],
    vendor: async (client) => void (await client.send(new DeleteObjectCommand(OBJECT))),
    ours: (store) => store.delete(KEY),
  },
  {
    name: "createUpload",
    answers: [xml("<InitiateMultipartUploadResult><UploadId>u&lt;1</UploadId></InitiateMultipartUploadResult>")],
    vendor: async (client) => ({ uploadId: (await client.send(new CreateMultipartUploadCommand(OBJECT))).UploadId }),
    ours: (store) => store.createUpload(KEY, { attributes: NO_ATTRIBUTES }),
  },
  {
    name: "uploadPart",
    answers: [status(200, { etag: '"p1"' })],
    vendor: async (client) => {
      const part = await client.send(new UploadPartCommand({ ...OBJECT, UploadId: "u", PartNumber: 1, Body: BYTES }));
      return { partNumber: 1, sizeBytes: BYTES.length, etag: unquoted(part.ETag) };
    },
    ours: (store) => store.uploadPart(KEY, { uploadId: "u", partNumber: 1 }, BYTES),
  },
  {
    name: "listParts",
    answers: [
      xml(
        "<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><ETag>&quot;p1&quot;</ETag><Size>5</Size><ChecksumCRC32>NhCmhg==</ChecksumCRC32></Part></ListPartsResult>",
      ),
    ],
    vendor: async (client) => {
      const { Parts = [] } = await client.send(new ListPartsCommand({ ...OBJECT, UploadId: "u" }));
      return Parts.map(({ PartNumber, Size, ETag, ChecksumCRC32 }) => ({
        partNumber: PartNumber,
        sizeBytes: Size,
        etag: unquoted(ETag),
        checksum: { algorithm: "CRC32", value: ChecksumCRC32 },
      }));
    },
    ours: (store) => store.listParts(KEY, "u"),
  },
  {
    name: "completeUpload",
    answers: [
      xml(
        "\n  <CompleteMultipartUploadResult><ETag>&quot;e-1&quot;</ETag><ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>",
        { "x-amz-version-id": "v3" },
      ),
    ],
    vendor: async (client) => {
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: "p1" }] };
      const done = await client.send(new CompleteMultipartUploadCommand({ ...OBJECT, UploadId: "u", MultipartUpload }));
      const checksums = [{ algorithm: "CRC64NVME", value: done.ChecksumCRC64NVME }];
      return { etag: unquoted(done.ETag), versionId: done.VersionId, checksums };
    },
    ours: (store) => store.completeUpload(KEY, "u", [{ partNumber: 1, sizeBytes: 5, etag: "p1" }]),
  },
  {
    name: "abortUpload",
    answers: [status(204)],
    vendor: async (client) => void (await client.send(new AbortMultipartUploadCommand({ ...OBJECT, UploadId: "u" }))),
    ours: (store) => store.abortUpload(KEY, "u"),
  },
  {
    name: "list",
    answers: [
      xml(
        '<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Contents><Key>a+b%2F%E6%96%87</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"e"</ETag><Size>7</Size></Contents></ListBucketResult>',
      ),
    ],
    vendor: async (client) => {
      const page = await client.send(new ListObjectsV2Command({ Bucket: "bucket", EncodingType: "url", Prefix: "" }));
      return (page.Contents ?? []).map(({ Key = "", Size, ETag, LastModified }) => ({
        key: decodeURIComponent(Key.replaceAll("+", " ")),
        sizeBytes: Size,
        etag: unquoted(ETag),
        lastModified: LastModified,
      }));
    },
    ours: (store) => collect(store.list("")),
  },
];

interface Described {
  VersionId?: string | undefined;
  ETag?: string | undefined;
  LastModified?: Date | undefined;
  ContentType?: string | undefined;
  CacheControl?: string | undefined;
  ContentLanguage?: string | undefined;
  ContentEncoding?: string | undefined;
  WebsiteRedirectLocation?: string | undefined;
  Metadata?: Record<string, string> | undefined;
  sizeBytes: number | undefined;
}

function described(found: Described, checksums?: unknown) {
  const { ContentType, CacheControl, ContentLanguage, ContentEncoding, WebsiteRedirectLocation } = found;
  return {
    versionId: found.VersionId,
    etag: unquoted(found.ETag),
    sizeBytes: found.sizeBytes,
    lastModified: found.LastModified,
    headers: {
      contentType: ContentType,
      cacheControl: CacheControl,
      contentLanguage: ContentLanguage,
      contentEncoding: ContentEncoding,
      websiteRedirectLocation: WebsiteRedirectLocation,
    },
    metadata: found.Metadata,
    ...(checksums !== undefined && { checksums }),
  };
}

async function opened(store: ObjectStore, options: { range?: { start: number; end: number } }) {
  const { head, body } = await store.get(KEY, { ifMatch: "e1", ...options });
  return { ...head, body: Buffer.concat(await body.toArray()).toString() };
}

/** The request without what differs by design: who asks, when, and how the body is signed. */
const meant = ({ method, url, headers }: SeenRequest) => {
  const parameters = new URL(url, "http://h").searchParams;
  parameters.delete("x-id");
  const named = Object.entries(headers).filter(([name]) => /^(if-|range|x-amz-(meta|tagging|version|copy))/.test(name));
  return {
    method,
    path: new URL(url, "http://h").pathname,
    query: Object.fromEntries(parameters),
    headers: Object.fromEntries(named),
  };
};

const REFUSALS: [string, Answer][] = [
  ["403 AccessDenied", refusal(403, "AccessDenied")],
  ["404 NoSuchBucket", refusal(404, "NoSuchBucket")],
  ["412 PreconditionFailed", refusal(412, "PreconditionFailed")],
  ["409 ConditionalRequestConflict", refusal(409, "ConditionalRequestConflict")],
  ["400 InvalidRequest", refusal(400, "InvalidRequest")],
  ["400 RequestTimeout", refusal(400, "RequestTimeout")],
  ["500 InternalError", refusal(500, "InternalError")],
  ["503 SlowDown", refusal(503, "SlowDown")],
  ["502 of a proxy", status(502, {}, "<html><body>bad gateway</body></html>")],
  ["a cut connection", (_request, response) => void response.destroy()],
];

describe.each(CALLS)("$name", ({ name, answers, vendor: byVendor, ours }) => {
  test("gives the same result for the same request", async () => {
    s3.answer(...answers);
    const expected = await byVendor(vendor());
    const theirs = s3.seen.map(meant);
    s3.answer(...answers);
    expect(await ours(s3Store(s3))).toEqual(expected);
    expect(s3.seen.map(meant)).toEqual(theirs);
  });

  // The answer to HEAD has no document, and 404 means that there is no object.
  test.each(REFUSALS.filter(([reason]) => name !== "head" || !reason.startsWith("404")))(
    "takes the same tries for %s, and names the same reason",
    async (_name, answer) => {
      const all = [answer, answer, answer, answer];
      s3.answer(...all);
      const theirs = await failureOf(byVendor(vendor()));
      const tries = s3.seen.length;
      s3.answer(...all);
      const failure = await failureOf(ours(s3Store(s3)));
      const { code, status: found } = (failure as BridgeError).cause as Refusal & { code?: string };
      expect(failure).toBeInstanceOf(BridgeError);
      expect(found).toBe(theirs.$metadata?.httpStatusCode);
      // An answer without a document has no code, and the vendor invents one.
      if (code !== undefined && found !== undefined) expect(code).toBe(theirs.name);
      // The store sends a write that was denied once more, with the header that some bucket policies want.
      const mayRepeat =
        (failure as BridgeError).kind === "PermissionDenied" && ["put", "createUpload"].includes((failure as BridgeError).op);
      expect(s3.seen.length).toBe(mayRepeat ? tries + 1 : tries);
    },
  );
});

async function failureOf(call: Promise<unknown>): Promise<Partial<S3ServiceException>> {
  return call.then(
    () => Promise.reject(new Error("the call did not fail")),
    (error) => error,
  );
}

test("a stream without a checksum has the vendor's own framing around the same bytes", async () => {
  const bytes = Buffer.alloc(2.5 * 1024 ** 2, "0123456789abcdef");
  const chunks = () => Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)], { objectMode: false });
  s3.answer(status(200, { etag: '"e"' }));
  await vendor().send(new PutObjectCommand({ ...OBJECT, Body: chunks(), ContentLength: bytes.length, ContentEncoding: "gzip" }));
  const theirs = s3.seen[0] as SeenRequest;
  s3.answer(status(200, { etag: '"e"' }));
  const attributes = { ...NO_ATTRIBUTES, headers: { contentEncoding: "gzip" } };
  await s3Store(s3).put(KEY, chunks(), { attributes, sizeBytes: bytes.length });
  const ours = s3.seen[0] as SeenRequest;
  for (const name of ["content-encoding", "x-amz-decoded-content-length", "x-amz-trailer", "x-amz-content-sha256"])
    expect([name, ours.headers[name]]).toEqual([name, theirs.headers[name]]);
  expect(unframed(ours.body)).toEqual(unframed(theirs.body));
  expect(unframed(ours.body).bytes.equals(bytes)).toBe(true);
  expect(ours.headers["content-length"]).toBe(`${ours.body.length}`);
});

/** Reads `aws-chunked`. */
function unframed(body: Buffer): { bytes: Buffer; trailer: string } {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.toString("latin1", at, lineEnd), 16);
    if (size === 0) return { bytes: Buffer.concat(pieces), trailer: body.toString("latin1", lineEnd + 2).trim() };
    pieces.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

test.each<[string, { region: string; bucket: string }]>([
  ["a region", { region: "eu-west-1", bucket: "photos" }],
  ["the first region", { region: "us-east-1", bucket: "photos" }],
  ["China", { region: "cn-north-1", bucket: "photos" }],
  ["a bucket with dots", { region: "eu-west-1", bucket: "my.photos" }],
])("presigned URLs of %s name the vendor's host and path", async (_name, { region, bucket }) => {
  const client = new S3Client({ region, credentials });
  const store = createS3Store({ region, bucket, credentials: () => credentials });
  for (const reads of ["object", "tags"] as const) {
    const target = { Bucket: bucket, Key: KEY };
    const command = reads === "tags" ? new GetObjectTaggingCommand(target) : new GetObjectCommand(target);
    const theirs = new URL(await getSignedUrl(client, command as GetObjectCommand, { expiresIn: 60 }));
    const ours = new URL(await store.presignGet(KEY, { expiresInSeconds: 60, reads }));
    expect([ours.host, ours.pathname]).toEqual([theirs.host, theirs.pathname]);
    expect(ours.searchParams.has("tagging")).toBe(theirs.searchParams.has("tagging"));
  }
  client.destroy();
});
