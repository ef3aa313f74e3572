/** The fine-grained codes of errors. The expected ones are those of the vendor's pages and suites. */
import { type Client, NOBODY, type OssFixture, SILICON_VALLEY, startFixture } from "./oss-fixture";
import { type RawAnswer, type RawRequest, type Signing, send, sendSigned } from "./raw-request";

const BUCKET = "codes-of-errors";
let fixture: OssFixture;
let client: Client;
beforeAll(async () => {
  fixture = await startFixture();
  client = await fixture.bucket(BUCKET);
  await client.put("key", Buffer.from("x"));
});
afterAll(() => fixture.stop());

const signed = (method: string, signing: Signing, change?: (request: RawRequest) => void): Promise<RawAnswer> =>
  sendSigned(fixture, { method, body: "" }, { bucket: BUCKET, ...signing }, change);

const tampered = (request: RawRequest) => {
  request.headers = { ...request.headers, authorization: `${request.headers?.authorization}0` };
};

const CASES: [string, number, string, string, () => Promise<RawAnswer>][] = [
  ["an absent object", 404, "NoSuchKey", "0026-00000001", () => signed("GET", { key: "absent" })],
  ["an absent bucket", 404, "NoSuchBucket", "0015-00000101", () => signed("GET", { bucket: "absent-bucket" })],
  ["a bucket's wrong name", 400, "InvalidBucketName", "0015-00000001", () => signed("GET", { bucket: "Upper" })],
  ["a bucket with objects", 409, "BucketNotEmpty", "0015-00000301", () => signed("DELETE", {})],
  [
    "a bucket without CORS rules",
    404,
    "NoSuchCORSConfiguration",
    "0034-00000001",
    () => signed("GET", { queries: { cors: "" } }),
  ],
  ["an unknown key", 403, "InvalidAccessKeyId", "0002-00000902", () => signed("GET", { accessKeyId: "LTAIWHO" })],
  ["a wrong V4 signature", 403, "SignatureDoesNotMatch", "0002-00000201", () => signed("GET", {}, tampered)],
  ["another region", 400, "InvalidArgument", "0002-00000226", () => signed("GET", { region: SILICON_VALLEY })],
  ["a late request", 403, "RequestTimeTooSkewed", "0002-00000504", () => signed("GET", { at: new Date(Date.now() - 3_600_000) })],
  ["no permission", 403, "AccessDenied", "0003-00000001", () => signed("GET", { key: "key", ...NOBODY })],
  ["a wrong method", 405, "MethodNotAllowed", "0003-00000016", () => signed("PATCH", {})],
  ["an XML document that ends early", 400, "MalformedXML", "0031-00000001", () => signed("PUT", { queries: { versioning: "" } })],
  ["an absent upload", 404, "NoSuchUpload", "0042-00000002", () => signed("DELETE", { key: "key", queries: { uploadId: "0" } })],
  [
    "a part of an absent upload",
    404,
    "NoSuchUpload",
    "0042-00000104",
    () => signed("PUT", { key: "key", queries: { uploadId: "0", partNumber: "1" } }),
  ],
];

test.each(CASES)("%s: %d %s is %s, in the document and in a header", async (_what, status, code, ec, ask) => {
  expect(await ask()).toMatchObject({ status, code, ec, headers: { "x-oss-ec": ec } });
});

test("a wrong V1 signature has a code of its own", async () => {
  const headers = { date: new Date().toUTCString(), authorization: "OSS LTAIROOT:wrong" };
  expect(await send(fixture, { method: "GET", path: `/${BUCKET}/key`, headers })).toMatchObject({ ec: "0002-00000040" });
});

test("an answer to HEAD has the code in its headers", async () => {
  expect(await signed("HEAD", { key: "absent" })).toMatchObject({
    status: 404,
    ec: "0026-00000001",
    headers: { "x-oss-ec": "0026-00000001" },
  });
});

test("an error that no document of the vendor lists has a code that OSS never answers", async () => {
  expect(await signed("GET", { queries: { "max-keys": "0" } })).toMatchObject({
    status: 400,
    code: "InvalidArgument",
    ec: "0000-00000000",
    headers: { "x-oss-ec": "0000-00000000" },
  });
});

test("304 is no error and has no code", async () => {
  const etag = String(((await client.head("key")).res.headers as { etag?: string }).etag);
  const answer = await sendSigned(fixture, { method: "GET", headers: { "if-none-match": etag } }, { bucket: BUCKET, key: "key" });
  expect(answer.status).toBe(304);
  expect(answer.headers).not.toHaveProperty("x-oss-ec");
});
