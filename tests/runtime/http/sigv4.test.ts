/** The signer against AWS's own: the same request must get the same signature. */
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { encodeRfc3986, presignQuery, sha256Hex, signHeaders, UNSIGNED_PAYLOAD } from "../../../runtime/http/sigv4";

const NOW = Date.UTC(2026, 10, 30, 6, 7, 8);
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const path = fc
  .array(fc.string({ minLength: 1, maxLength: 8, unit: "binary" }), { minLength: 1, maxLength: 3 })
  // The vendor's signer folds `.` and `..` for every service but S3.
  .filter((pieces) => pieces.every((piece) => !/^[./]*$/.test(piece) && !piece.includes("/")))
  .map((pieces) => `/${pieces.map(encodeRfc3986).join("/")}`);
const query = fc.dictionary(
  fc.constantFrom("tagging", "uploadId", "partNumber", "a b"),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const token = fc.option(fc.constant("session/token=="), { nil: undefined });

const signer = (service: string, sessionToken: string | undefined) =>
  new SignatureV4({
    service,
    region: "cn-north-1",
    credentials: sessionToken === undefined ? credentials : { ...credentials, sessionToken },
    sha256: Sha256,
    uriEscapePath: service !== "s3",
    applyChecksum: false,
  });

test.each(["s3", "sqs", "ssm", "lambda", "execute-api"])("signed headers of %s", async (service) => {
  await fc.assert(
    fc.asyncProperty(path, query, token, async (path, query, sessionToken) => {
      const scope = { service, region: "cn-north-1", nowMs: NOW };
      const payloadHash = service === "s3" ? UNSIGNED_PAYLOAD : sha256Hex("{}");
      const given = { "x-amz-meta-a": " two  spaces ", "content-type": "text/plain" };
      const ours = signHeaders(
        { method: "PUT", host: "b.example:9000", path, query, headers: given, signedHeaders: ["content-type"], payloadHash },
        { ...credentials, sessionToken },
        scope,
      );
      const theirs = await signer(service, sessionToken).sign(
        {
          ...{ method: "PUT", protocol: "https:", hostname: "b.example", path, query },
          headers: { ...given, host: "b.example:9000", ...(service === "s3" ? { "x-amz-content-sha256": payloadHash } : {}) },
          ...(service === "s3" ? {} : { body: "{}" }),
        },
        { signingDate: new Date(NOW) },
      );
      expect(ours.authorization).toBe(theirs.headers.authorization);
    }),
  );
});

test("presigned URLs of S3", async () => {
  await fc.assert(
    fc.asyncProperty(path, query, token, async (path, query, sessionToken) => {
      const request = { method: "GET", host: "b.example", path, query };
      const ours = presignQuery(
        request,
        { ...credentials, sessionToken },
        { service: "s3", region: "cn-north-1", nowMs: NOW, expiresInSeconds: 900 },
      );
      const theirs = await signer("s3", sessionToken).presign(
        {
          ...{ method: "GET", protocol: "https:", hostname: "b.example", path, query },
          headers: { host: "b.example", "x-amz-content-sha256": UNSIGNED_PAYLOAD },
        },
        {
          ...{ signingDate: new Date(NOW), expiresIn: 900, unhoistableHeaders: new Set(["x-amz-content-sha256"]) },
          unsignableHeaders: new Set(["x-amz-content-sha256"]),
        },
      );
      expect(new URLSearchParams(ours).get("X-Amz-Signature")).toBe(theirs.query?.["X-Amz-Signature"]);
    }),
  );
});
