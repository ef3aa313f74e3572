/** Encryption of objects, with the expectations of the vendor's suites for oss2 and the Go SDK. */
import { type Client, type OssFixture, startFixture } from "./oss-fixture";
import { sendSigned } from "./raw-request";

const BUCKET = "encryption-of-tests";
const KEY_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
let fixture: OssFixture;
let client: Client;
beforeAll(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
});
afterAll(() => fixture.stop());

const ALGORITHM = "x-oss-server-side-encryption";
const CIPHER = "x-oss-server-side-data-encryption";
const ID = "x-oss-server-side-encryption-key-id";
const call = (method: string, key: string, headers: Record<string, string> = {}, queries: Record<string, string> = {}) =>
  sendSigned(fixture, { method, body: "x", headers: { "content-length": "1", ...headers } }, { bucket: BUCKET, key, queries });
const seen = ({ headers }: { headers: Record<string, string | string[] | undefined> }) =>
  Object.fromEntries([ALGORITHM, CIPHER, ID].flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));

test.each<[Record<string, string>, object]>([
  [{}, {}],
  [{ [ALGORITHM]: "KMS" }, { [ALGORITHM]: "KMS", [ID]: expect.stringMatching(KEY_ID) }],
  [
    { [ALGORITHM]: "KMS", [ID]: "own-key" },
    { [ALGORITHM]: "KMS", [ID]: "own-key" },
  ],
  [
    { [ALGORITHM]: "KMS", [CIPHER]: "SM4" },
    { [ALGORITHM]: "KMS", [CIPHER]: "SM4", [ID]: expect.stringMatching(KEY_ID) },
  ],
  [{ [ALGORITHM]: "AES256" }, { [ALGORITHM]: "AES256" }],
  [{ [ALGORITHM]: "SM4" }, { [ALGORITHM]: "SM4" }],
  // The cipher of KMS has no meaning without KMS, and OSS ignores it.
  [{ [ALGORITHM]: "AES256", [CIPHER]: "SM4" }, { [ALGORITHM]: "AES256" }],
  [{ [ALGORITHM]: "SM4", [CIPHER]: "SM4" }, { [ALGORITHM]: "SM4" }],
  [{ [CIPHER]: "SM4" }, {}],
])("PutObject with %j answers %j, and so does HeadObject", async (headers, expected) => {
  expect(seen(await call("PUT", "put", headers))).toEqual(expected);
  expect(seen((await client.head("put")).res as never)).toEqual(expected);
});

test("a bucket under KMS names no key, and the objects in it name the one that KMS manages", async () => {
  await client.putBucketEncryption(BUCKET, { SSEAlgorithm: "KMS" });
  expect((await client.getBucketEncryption(BUCKET)).encryption).toEqual({ SSEAlgorithm: "KMS" });
  const first = seen(await call("PUT", "by-default"));
  expect(first).toEqual({ [ALGORITHM]: "KMS", [ID]: expect.stringMatching(KEY_ID) });
  expect(seen(await call("PUT", "by-header", { [ALGORITHM]: "KMS" }))).toEqual(first);
  await client.deleteBucketEncryption(BUCKET);
});

test("a bucket has a key and a cipher of KMS", async () => {
  const setting = (method: string, body = "") =>
    sendSigned(fixture, { method, body }, { bucket: BUCKET, queries: { encryption: "" } });
  const rule = (fields: string) =>
    setting(
      "PUT",
      `<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>${fields}</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>`,
    );
  const full = "<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>key-1</KMSMasterKeyID><KMSDataEncryption>SM4</KMSDataEncryption>";
  expect((await rule(full)).status).toBe(200);
  expect((await setting("GET")).body.toString()).toContain(full);
  // The cipher of KMS has no meaning without KMS, and OSS ignores it.
  expect((await rule("<SSEAlgorithm>AES256</SSEAlgorithm><KMSDataEncryption>SM4</KMSDataEncryption>")).status).toBe(200);
  expect((await setting("GET")).body.toString()).not.toContain("KMSDataEncryption");
  const unknown = "<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>ROT13</KMSDataEncryption>";
  expect(await rule(unknown)).toMatchObject({ status: 400, code: "InvalidArgument" });
  await client.deleteBucketEncryption(BUCKET);
});

test("the first append decides, and later ones say so", async () => {
  const append = (position: string, headers: Record<string, string> = {}) =>
    call("POST", "appended", headers, { append: "", position });
  const first = seen(await append("0", { [ALGORITHM]: "KMS" }));
  expect(first).toEqual({ [ALGORITHM]: "KMS", [ID]: expect.stringMatching(KEY_ID) });
  expect(seen(await append("1"))).toEqual(first);
  expect(seen(await append("2", { [ALGORITHM]: "AES256" }))).toEqual(first);
});

test("an upload in parts says its key with each part, and its parts and completion choose nothing", async () => {
  const KMS = { [ALGORITHM]: "KMS", [CIPHER]: "SM4" };
  const started = await call("POST", "parts", KMS, { uploads: "" });
  const uploadId = /<UploadId>(.*)<\/UploadId>/.exec(started.body.toString())?.[1] ?? "";
  expect(seen(started)).toEqual({ ...KMS, [ID]: expect.stringMatching(KEY_ID) });
  const part = (headers: Record<string, string> = {}) => call("PUT", "parts", headers, { uploadId, partNumber: "1" });
  expect(await part(KMS)).toMatchObject({ status: 400, code: "InvalidArgument" });
  expect(seen(await part())).toEqual(seen(started));
  const complete = (headers: Record<string, string> = {}) =>
    sendSigned(
      fixture,
      { method: "POST", headers: { "x-oss-complete-all": "yes", ...headers } },
      { bucket: BUCKET, key: "parts", queries: { uploadId } },
    );
  expect(await complete(KMS)).toMatchObject({ status: 400, code: "InvalidArgument" });
  const completed = await complete();
  expect(completed.status).toBe(200);
  expect(seen(completed)).toEqual(seen(started));
});
