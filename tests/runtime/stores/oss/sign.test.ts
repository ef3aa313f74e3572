/** The signer against the one of ali-oss: the same request must get the same signature. */
import fc from "fast-check";
import { presignOssGet, signOssRequest } from "../../../../runtime/stores/oss/sign";

interface VendorRequest {
  headers: Record<string, string>;
  queries: Record<string, string | null>;
}
/** `@types/ali-oss` leaves these functions out. They call each other through `this`. */
interface VendorSigner {
  authorizationV4(
    id: string,
    secret: string,
    region: string,
    method: string,
    request: VendorRequest,
    bucket: string,
    key?: string,
  ): string;
  getCanonicalRequest(method: string, request: VendorRequest, bucket: string, key: string, additional: string[]): string;
  getStringToSign(region: string, date: string, canonical: string): string;
  getSignatureV4(secret: string, day: string, region: string, toSign: string): string;
}
const vendor: VendorSigner = require("ali-oss/lib/common/signUtils");

const NOW = Date.UTC(2026, 10, 30, 6, 7, 8);
const REGION = "cn-shanghai";
const ids = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret/of+it" };
const credentials = fc.option(fc.constant("token/of=="), { nil: undefined }).map((securityToken) => ({ ...ids, securityToken }));
const key = fc.option(fc.string({ unit: "binary", minLength: 1, maxLength: 12 }), { nil: undefined });
const queries = fc.dictionary(
  fc.constantFrom("uploads", "tagging", "partNumber", "uploadId", "prefix", "max-keys", "list-type"),
  fc.option(fc.string({ unit: "binary", maxLength: 6 }), { nil: null }),
);
/** One character a byte. */
const bytesOf = (text: string): string => Buffer.from(text).toString("latin1");
const headers = fc.dictionary(
  fc.constantFrom("content-type", "content-md5", "cache-control", "x-oss-meta-a", "x-oss-tagging"),
  fc.string({ unit: "grapheme", maxLength: 8 }).map(bytesOf),
);

test("signed headers", () => {
  fc.assert(
    fc.property(credentials, key, queries, headers, (own, key, queries, headers) => {
      const ours = signOssRequest({ method: "PUT", bucket: "b", key, queries, headers }, own, REGION, NOW);
      const { authorization, ...sent } = ours;
      const texts = Object.entries(sent).map(([name, value]) => [name, Buffer.from(value, "latin1").toString("utf8")]);
      const request = { headers: Object.fromEntries(texts), queries: { ...queries } };
      expect(authorization).toBe(vendor.authorizationV4(own.accessKeyId, own.accessKeySecret, REGION, "PUT", request, "b", key));
    }),
  );
});

test.each(["object", "tags"] as const)("a presigned URL of an %s", (reads) => {
  fc.assert(
    fc.property(credentials, fc.string({ unit: "binary", minLength: 1, maxLength: 12 }), (own, key) => {
      const { "x-oss-signature": signature, ...queries } = presignOssGet(
        { bucket: "b", key, expiresInSeconds: 900, reads },
        own,
        REGION,
        NOW,
      );
      const canonical = vendor.getCanonicalRequest("GET", { headers: {}, queries }, "b", key, []);
      const toSign = vendor.getStringToSign(REGION, "20261130T060708Z", canonical);
      expect(signature).toBe(vendor.getSignatureV4(own.accessKeySecret, "20261130", REGION, toSign));
    }),
  );
});
