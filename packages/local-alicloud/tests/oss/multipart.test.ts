import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import type OSS from "ali-oss";
import { crc64Of } from "../../src/crc64";
import { type Client, type OssFixture, refusal, startFixture } from "./oss-fixture";
import { sendSigned } from "./raw-request";

const BUCKET = "multipart-of-tests";
const KIB = 1024;
let fixture: OssFixture;
let client: Client;
beforeAll(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
});
afterAll(() => fixture.stop());

const headersOf = (result: unknown) => (result as { res: { headers: Record<string, string> } }).res.headers;
const crcOf = (bytes: Buffer) => crc64Of(bytes);
const md5Of = (bytes: Buffer) => createHash("md5").update(bytes).digest("hex").toUpperCase();

async function start(key: string, sizes: number[]) {
  const { uploadId } = await client.initMultipartUpload(key);
  const bodies = sizes.map((size) => randomBytes(size));
  const parts: { number: number; etag: string }[] = [];
  for (const [index, body] of bodies.entries())
    parts.push({ number: index + 1, etag: await upload(key, uploadId, index + 1, body) });
  return { uploadId, bodies, parts, complete: () => client.completeMultipartUpload(key, uploadId, parts) };
}

async function upload(key: string, uploadId: string, number: number, body: Buffer): Promise<string> {
  const part = await client._uploadPart(key, uploadId, number, { stream: Readable.from([body]), size: body.byteLength });
  expect(headersOf(part)).toMatchObject({ etag: `"${md5Of(body)}"`, "x-oss-hash-crc64ecma": crcOf(body) });
  return part.etag;
}

const document = (parts: { number: number; etag: string }[]) =>
  `<CompleteMultipartUpload>${parts
    .map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`)
    .join("")}</CompleteMultipartUpload>`;

const complete = (key: string, uploadId: string, body: string, headers: Record<string, string> = {}) =>
  sendSigned(fixture, { method: "POST", body, headers }, { bucket: BUCKET, key, queries: { uploadId } });

test("parts become one object with the attributes of InitiateMultipartUpload", async () => {
  const { uploadId } = await client.initMultipartUpload("whole", {
    mime: "video/mp4",
    headers: { "x-oss-tagging": "a=1", "Cache-Control": "no-store" },
    meta: { origin: "here" } as unknown as OSS.UserMeta,
  } as OSS.InitMultipartUploadOptions);
  const bodies = [randomBytes(100 * KIB), randomBytes(150 * KIB), randomBytes(7)];
  const parts = [];
  for (const [index, body] of bodies.entries())
    parts.push({ number: index + 1, etag: await upload("whole", uploadId, index + 1, body) });
  expect(await refusal(client.head("whole"))).toEqual({ status: 404, code: "NoSuchKey" });
  const completed = await client.completeMultipartUpload("whole", uploadId, parts);
  const whole = Buffer.concat(bodies);
  const { res } = await client.head("whole");
  expect(res.headers).toMatchObject({
    etag: (completed as unknown as { etag: string }).etag,
    "content-type": "video/mp4",
    "cache-control": "no-store",
    "content-length": String(whole.byteLength),
    "x-oss-hash-crc64ecma": crcOf(whole),
    "x-oss-object-type": "Multipart",
    "x-oss-meta-origin": "here",
    "x-oss-tagging-count": "1",
  });
  expect(headersOf(completed)["x-oss-hash-crc64ecma"]).toBe(crcOf(whole));
  expect((await client.get("whole")).content.equals(whole)).toBe(true);
  // Across the border of two parts.
  const middle = await client.get("whole", { headers: { Range: "bytes=102390-102410" } } as OSS.GetObjectOptions);
  expect(middle.content.equals(whole.subarray(102390, 102411))).toBe(true);
});

test("ali-oss's own multipart upload", async () => {
  const bytes = randomBytes(1_000_000);
  await client.multipartUpload("by-client", bytes, { partSize: 200 * KIB, parallel: 3 });
  expect((await client.get("by-client")).content.equals(bytes)).toBe(true);
});

test("a part can be uploaded again, and the last upload counts", async () => {
  const { uploadId, bodies, parts } = await start("again", [100 * KIB, 10]);
  const other = randomBytes(120 * KIB);
  const stale = parts.map((part) => ({ ...part }));
  (parts[0] as { etag: string }).etag = await upload("again", uploadId, 1, other);
  expect(await refusal(client.completeMultipartUpload("again", uploadId, stale))).toEqual({ status: 400, code: "InvalidPart" });
  await client.completeMultipartUpload("again", uploadId, parts);
  expect((await client.get("again")).content.equals(Buffer.concat([other, bodies[1] as Buffer]))).toBe(true);
});

test("parts may be left out and numbers may jump", async () => {
  const { uploadId } = await client.initMultipartUpload("gaps");
  const first = randomBytes(100 * KIB);
  const last = randomBytes(5);
  const etags = [
    await upload("gaps", uploadId, 3, first),
    await upload("gaps", uploadId, 7, randomBytes(5)),
    await upload("gaps", uploadId, 10_000, last),
  ];
  await client.completeMultipartUpload("gaps", uploadId, [
    { number: 3, etag: etags[0] as string },
    { number: 10_000, etag: etags[2] as string },
  ]);
  expect((await client.get("gaps")).content.equals(Buffer.concat([first, last]))).toBe(true);
});

test("a small part before the last is refused, and the upload stays open", async () => {
  const { uploadId, complete: finish } = await start("small", [100 * KIB - 1, 10]);
  expect(await refusal(finish())).toEqual({ status: 400, code: "EntityTooSmall" });
  expect((await client.listParts("small", uploadId, {})).parts).toHaveLength(2);
});

test.each<[string, (parts: { number: number; etag: string }[]) => string, string]>([
  ["out of order", ([a, b]) => document([b, a] as never), "InvalidPartOrder"],
  ["twice", ([a]) => document([a, a] as never), "InvalidPartOrder"],
  ["that was never sent", ([a]) => document([a as never, { number: 9, etag: '"0"' }]), "InvalidPart"],
  ["with another ETag", ([a]) => document([{ ...(a as { number: number }), etag: '"0"' }]), "InvalidPart"],
  ["in a broken document", () => "<CompleteMultipartUpload><Part>", "MalformedXML"],
  ["under another root", () => "<Complete/>", "MalformedXML"],
])("a part %s is refused", async (_what, make, code) => {
  const { uploadId, parts } = await start("refused", [100 * KIB, 100 * KIB]);
  expect(await complete("refused", uploadId, make(parts))).toMatchObject({ status: 400, code });
  expect(await refusal(client.head("refused"))).toEqual({ status: 404, code: "NoSuchKey" });
  await client.abortMultipartUpload("refused", uploadId);
});

test("an upload completed without parts is an empty object", async () => {
  const { uploadId } = await start("none", [100 * KIB]);
  expect(await complete("none", uploadId, document([]))).toMatchObject({ status: 200, headers: { "x-oss-hash-crc64ecma": "0" } });
  expect((await client.get("none")).content).toHaveLength(0);
  expect((await client.head("none")).res.headers).toMatchObject({ "content-length": "0", "x-oss-object-type": "Multipart" });
  await client.copy("copy-of-none", "none");
  expect((await client.get("copy-of-none")).content).toHaveLength(0);
});

test("the completion sets the ACL", async () => {
  const { uploadId, parts } = await start("acl", [10]);
  expect(await complete("acl", uploadId, document(parts), { "x-oss-object-acl": "everybody" })).toMatchObject({
    status: 400,
    code: "InvalidArgument",
  });
  fixture.requests.length = 0;
  expect((await complete("acl", uploadId, document(parts), { "x-oss-object-acl": "private" })).status).toBe(200);
  expect(fixture.requests.map(({ action }) => action)).toEqual(["oss:PutObject", "oss:PutObjectAcl"]);
  expect((await client.getACL("acl")).acl).toBe("private");
});

test("x-oss-complete-all takes all parts and no list", async () => {
  const { uploadId, bodies, parts } = await start("all", [100 * KIB, 100 * KIB, 1]);
  expect(await complete("all", uploadId, document(parts), { "x-oss-complete-all": "yes" })).toMatchObject({
    status: 400,
    code: "InvalidArgument",
  });
  expect(await complete("all", uploadId, "", { "x-oss-complete-all": "yes" })).toMatchObject({ status: 200 });
  expect((await client.get("all")).content.equals(Buffer.concat(bodies))).toBe(true);
});

test.each(["0", "10001", "x", "-1"])("part number %s is refused", async (partNumber) => {
  const { uploadId } = await client.initMultipartUpload("numbers");
  const answer = await sendSigned(
    fixture,
    { method: "PUT", body: "x", headers: { "content-length": "1" } },
    { bucket: BUCKET, key: "numbers", queries: { partNumber, uploadId } },
  );
  expect(answer).toMatchObject({ status: 400, code: "InvalidArgument" });
});

test("an upload that has ended or has another key is refused", async () => {
  const { uploadId, parts, complete: finish } = await start("ended", [10]);
  const noSuchUpload = { status: 404, code: "NoSuchUpload" };
  expect(await refusal(client.completeMultipartUpload("elsewhere", uploadId, parts))).toEqual(noSuchUpload);
  await finish();
  expect(await refusal(finish())).toEqual(noSuchUpload);
  expect(await refusal(client.listParts("ended", uploadId, {}))).toEqual(noSuchUpload);
  expect(await refusal(client.abortMultipartUpload("ended", uploadId))).toEqual(noSuchUpload);
  const aborted = await start("aborted", [10]);
  await client.abortMultipartUpload("aborted", aborted.uploadId);
  expect(await refusal(aborted.complete())).toEqual(noSuchUpload);
  expect(await refusal(client.head("aborted"))).toEqual({ status: 404, code: "NoSuchKey" });
});

test("completion honours x-oss-forbid-overwrite", async () => {
  await client.put("taken", Buffer.from("first"));
  expect(await refusal(client.initMultipartUpload("taken", { headers: { "x-oss-forbid-overwrite": "true" } } as never))).toEqual({
    status: 409,
    code: "FileAlreadyExists",
  });
  const { uploadId, parts } = await start("taken", [10]);
  expect(await complete("taken", uploadId, document(parts), { "x-oss-forbid-overwrite": "true" })).toMatchObject({
    status: 409,
    code: "FileAlreadyExists",
  });
  expect((await client.get("taken")).content.toString()).toBe("first");
  expect(await complete("taken", uploadId, document(parts))).toMatchObject({ status: 200 });
});

test("parts are listed page by page", async () => {
  const { uploadId, bodies } = await start("listed", [100 * KIB, 200 * KIB, 3]);
  const page = await client.listParts("listed", uploadId, { "max-parts": 2 });
  expect(page.parts).toEqual([
    expect.objectContaining({ PartNumber: "1", Size: String(100 * KIB), HashCrc64ecma: crcOf(bodies[0] as Buffer) }),
    expect.objectContaining({ PartNumber: "2", ETag: `"${md5Of(bodies[1] as Buffer)}"` }),
  ]);
  expect(page).toMatchObject({ isTruncated: "true", nextPartNumberMarker: "2" });
  const rest = await client.listParts("listed", uploadId, { "part-number-marker": 2 });
  expect(rest).toMatchObject({ isTruncated: "false", parts: { PartNumber: "3" } });
});

describe("uploads", () => {
  let many: Client;
  const ids: string[] = [];
  beforeAll(async () => {
    many = await fixture.bucket("uploads-of-tests");
    for (const key of ["a", "b", "b", "dir/x", "dir/y"]) ids.push((await many.initMultipartUpload(key)).uploadId);
  });

  const names = (result: { uploads: { name: string }[] }) => result.uploads.map(({ name }) => name);

  test("are listed by key, page by page", async () => {
    expect(names(await many.listUploads({}))).toEqual(["a", "b", "b", "dir/x", "dir/y"]);
    const first = await many.listUploads({ "max-uploads": 2 });
    expect(names(first)).toEqual(["a", "b"]);
    expect(first.isTruncated).toBe(true);
    const second = await many.listUploads({
      "key-marker": first.nextKeyMarker,
      "upload-id-marker": first.nextUploadIdMarker,
    } as never);
    expect(names(second)).toEqual(["b", "dir/x", "dir/y"]);
    expect(names(await many.listUploads({ "key-marker": "b" } as never))).toEqual(["dir/x", "dir/y"]);
  });

  test("are listed under a prefix and by delimiter", async () => {
    expect(names(await many.listUploads({ prefix: "dir/" } as never))).toEqual(["dir/x", "dir/y"]);
    expect(names(await many.listUploads({ delimiter: "/" } as never))).toEqual(["a", "b", "b"]);
    expect(await refusal(many.listUploads({ "max-uploads": 1001 } as never))).toEqual({ status: 400, code: "InvalidArgument" });
  });

  test("keep a bucket from being deleted", async () => {
    expect(await refusal(many.deleteBucket("uploads-of-tests"))).toEqual({ status: 409, code: "BucketNotEmpty" });
    const keys = ["a", "b", "b", "dir/x", "dir/y"];
    for (const [index, uploadId] of ids.entries()) await many.abortMultipartUpload(keys[index] as string, uploadId);
    await many.deleteBucket("uploads-of-tests");
    expect(await refusal(many.listUploads({}))).toEqual({ status: 404, code: "NoSuchBucket" });
  });
});
