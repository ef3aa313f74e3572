/** The OSS store against ali-oss: the same answers of a server give the same results, and the same refusals the same reason. */
import OSS from "ali-oss";
import { BridgeError } from "../../../../runtime/stores/errors";
import type { ObjectStore } from "../../../../runtime/stores/object-store";
import type { Refusal } from "../../../../runtime/stores/refusals";
import { collect, NO_ATTRIBUTES, textBytes } from "../../../conformance/object-store/context";
import {
  type Answer,
  CREDENTIALS,
  crcHeader,
  fakeServer,
  HEAD,
  ossStore,
  refusal,
  type SeenRequest,
  status,
} from "../fake-server";

const oss = fakeServer();
const KEY = "a b/文+";
const BYTES = textBytes("hello");
const DESCRIBED = { ...HEAD, ...crcHeader(BYTES), "content-length": "5", "content-type": "text/plain", "x-oss-meta-a": "1" };

function vendor(): OSS {
  return new OSS({
    ...CREDENTIALS,
    bucket: "bucket",
    region: "oss-cn-shanghai",
    endpoint: oss.endpoint,
    sldEnable: true,
    authorizationV4: true,
  } as OSS.Options);
}

const unquoted = (etag: unknown) => String(etag).replaceAll('"', "");
const xml = (body: string) =>
  status(200, { "content-type": "application/xml" }, `<?xml version="1.0" encoding="UTF-8"?>\n${body}`);
/** What `@types/ali-oss` leaves out. */
interface Untyped {
  listParts(name: string, uploadId: string, query: object): Promise<unknown>;
  listV2(query: object): Promise<unknown>;
  getObjectTagging(name: string): Promise<{ tag: unknown }>;
  putObjectTagging(name: string, tags: Record<string, string>): Promise<unknown>;
}
type VendorClient = Omit<OSS, "listV2"> & Untyped;

interface Call {
  name: string;
  answers: Answer[];
  /** The result in the form of the port. */
  vendor(client: VendorClient): Promise<unknown>;
  ours(store: ObjectStore): Promise<unknown>;
}

const CALLS: Call[] = [
  {
    name: "head",
    answers: [status(200, { ...DESCRIBED, "x-oss-version-id": "v1", "x-oss-tagging-count": "2" })],
    vendor: async (client) => {
      const { meta, res } = await client.head(KEY);
      const { headers } = res as { headers: Record<string, string> };
      return { ...described(headers, meta), checksums: [crcOf(headers)], tagCount: Number(headers["x-oss-tagging-count"]) };
    },
    ours: (store) => store.head(KEY),
  },
  {
    name: "get",
    answers: [status(200, DESCRIBED, "hello")],
    vendor: async (client) => {
      const { content, res } = await client.get(KEY);
      const { headers } = res as { headers: Record<string, string> };
      return { ...described(headers, { a: headers["x-oss-meta-a"] }), body: String(content) };
    },
    ours: async (store) => {
      const { head, body } = await store.get(KEY);
      return { ...head, body: Buffer.concat(await body.toArray()).toString() };
    },
  },
  {
    name: "getTags",
    answers: [xml("<Tagging><TagSet><Tag><Key>a &amp; b</Key><Value>文</Value></Tag></TagSet></Tagging>")],
    vendor: async (client) => (await client.getObjectTagging(KEY)).tag,
    ours: (store) => store.getTags(KEY),
  },
  {
    name: "put",
    answers: [status(200, { ...crcHeader(BYTES), etag: '"E"', "x-oss-version-id": "v2" })],
    vendor: async (client) => {
      const { headers } = (await client.put(KEY, Buffer.from(BYTES))).res as unknown as { headers: Record<string, string> };
      return { etag: unquoted(headers.etag), versionId: headers["x-oss-version-id"], checksums: [crcOf(headers)] };
    },
    ours: (store) => store.put(KEY, BYTES, { attributes: NO_ATTRIBUTES, sizeBytes: BYTES.length }),
  },
  {
    name: "putTags",
    answers: [status(200)],
    vendor: async (client) => void (await client.putObjectTagging(KEY, { a: "1" })),
    ours: (store) => store.putTags(KEY, { a: "1" }),
  },
  {
    name: "delete",
    answers: [status(204)],
    vendor: async (client) => void (await client.delete(KEY)),
    ours: (store) => store.delete(KEY),
  },
  {
    name: "createUpload",
    answers: [xml("<InitiateMultipartUploadResult><UploadId>U&lt;1</UploadId></InitiateMultipartUploadResult>")],
    vendor: async (client) => ({ uploadId: (await client.initMultipartUpload(KEY)).uploadId }),
    ours: (store) => store.createUpload(KEY, { attributes: NO_ATTRIBUTES }),
  },
  {
    name: "listParts",
    answers: [
      xml(
        "<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><ETag>&quot;P1&quot;</ETag><Size>5</Size></Part><Part><PartNumber>2</PartNumber><ETag>&quot;P2&quot;</ETag><Size>7</Size></Part></ListPartsResult>",
      ),
    ],
    vendor: async (client) => {
      const { parts } = (await client.listParts(KEY, "u", { "max-parts": 1000 })) as { parts: Record<string, string>[] };
      return parts.map(({ PartNumber, Size, ETag }) => ({
        partNumber: Number(PartNumber),
        sizeBytes: Number(Size),
        etag: unquoted(ETag),
      }));
    },
    ours: (store) => store.listParts(KEY, "u"),
  },
  {
    name: "abortUpload",
    answers: [status(204)],
    vendor: async (client) => void (await client.abortMultipartUpload(KEY, "u")),
    ours: (store) => store.abortUpload(KEY, "u"),
  },
  {
    name: "list",
    answers: [
      xml(
        '<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Contents><Key>a%20b%2F%E6%96%87</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"e"</ETag><Size>7</Size></Contents></ListBucketResult>',
      ),
    ],
    vendor: async (client) => {
      const { objects } = (await client.listV2({ "max-keys": 1000, "encoding-type": "url" })) as { objects: OSS.ObjectMeta[] };
      return objects.map(({ name, size, etag, lastModified }) => ({
        key: decodeURIComponent(name),
        sizeBytes: size,
        etag: unquoted(etag),
        lastModified: new Date(lastModified),
      }));
    },
    ours: (store) => collect(store.list("")),
  },
];

function described(headers: Record<string, string>, meta: unknown) {
  const versionId = headers["x-oss-version-id"];
  return {
    ...(versionId !== undefined && { versionId }),
    etag: unquoted(headers.etag),
    sizeBytes: Number(headers["content-length"]),
    lastModified: new Date(headers["last-modified"] ?? ""),
    headers: { contentType: headers["content-type"] },
    metadata: meta,
  };
}

function crcOf(headers: Record<string, string>) {
  const digest = Buffer.alloc(8);
  digest.writeBigUInt64BE(BigInt(headers["x-oss-hash-crc64ecma"] ?? ""));
  return { algorithm: "CRC64XZ", value: digest.toString("base64") };
}

const asked = ({ method, url }: SeenRequest) => {
  const { pathname, searchParams } = new URL(url, "http://h");
  return { method, pathname, query: Object.fromEntries(searchParams) };
};

describe.each(CALLS)("$name", ({ name, answers, vendor: byVendor, ours }) => {
  test("gives the same result for the same request", async () => {
    oss.answer(...answers);
    const expected = await byVendor(vendor() as VendorClient);
    const theirs = oss.seen.map(asked);
    oss.answer(...answers);
    expect(await ours(ossStore(oss))).toEqual(expected);
    expect(oss.seen.map(asked)).toEqual(theirs);
  });

  // ali-oss calls every 404 of a HEAD NoSuchKey. The store reads the header, and a missing bucket is no missing object.
  test.each<[number, string]>(
    [
      [403, "AccessDenied"],
      [404, "NoSuchBucket"],
      [409, "FileAlreadyExists"],
      [400, "InvalidArgument"],
      [500, "InternalError"],
      [503, "SlowDown"],
    ].filter(([code]) => name !== "head" || code !== 404) as [number, string][],
  )("names the same reason for %i %s", async (code, reason) => {
    const answer: Answer =
      name === "head"
        ? status(code, { "x-oss-err": Buffer.from(`<Error><Code>${reason}</Code></Error>`).toString("base64") })
        : refusal(code, reason);
    oss.answer(answer);
    const theirs = await failureOf(byVendor(vendor() as VendorClient));
    oss.answer(answer);
    const failure = await failureOf(ours(ossStore(oss, { maxAttempts: 1 })));
    expect(failure).toBeInstanceOf(BridgeError);
    const { code: found, status: httpStatus } = (failure as unknown as BridgeError).cause as Refusal;
    expect([httpStatus, found]).toEqual([theirs.status, theirs.code]);
  });
});

async function failureOf(call: Promise<unknown>): Promise<{ status?: number; code?: string }> {
  return call.then(
    () => Promise.reject(new Error("the call did not fail")),
    (error) => error,
  );
}
