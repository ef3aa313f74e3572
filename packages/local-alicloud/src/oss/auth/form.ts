/**
 * Signatures of form uploads: they cover the policy in the form.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/signature-version-4-recommend (V4)
 * https://www.alibabacloud.com/help/en/oss/developer-reference/signature-version-1 (V1)
 */
import { createHmac } from "node:crypto";
import { EC } from "../error-codes";
import { invalidArgument } from "../oss-error";
import { assertNotExpired, assertNotSkewed, assertSignature, type Claim } from "./signed-request";
import { ALGORITHM, MAX_EXPIRES_SECONDS, readScope, readTime, signatureV4 } from "./v4";

const V4_FIELDS = ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature"];
const V1_FIELDS = ["OSSAccessKeyId", "Signature"];

/**
 * Undefined for a form without a signature.
 * @param fields by lower-case name
 * @throws OssError `InvalidArgument` when a part of the signature is missing
 */
export function readFormClaim(fields: ReadonlyMap<string, string>, now: number): Claim | undefined {
  const has = (name: string) => fields.has(name.toLowerCase());
  const isV4 = V4_FIELDS.some(has);
  if (!isV4 && ![...V1_FIELDS, "policy"].some(has)) return undefined;
  const required = (name: string): string => {
    const value = fields.get(name.toLowerCase()) ?? "";
    if (value === "") throw invalidArgument(`The form has no field ${name}.`, { name, value });
    return value;
  };
  const policy = required("policy");
  const sessionToken = fields.get("x-oss-security-token");
  if (isV4) return readV4(required, { policy, sessionToken, now });
  const [accessKeyId = "", signature = ""] = V1_FIELDS.map(required);
  return {
    accessKeyId,
    sessionToken,
    region: undefined,
    verify: (secret) => {
      const expected = createHmac("sha1", secret).update(policy).digest("base64");
      assertSignature(signature, expected, accessKeyId, { StringToSign: policy });
    },
  };
}

function readV4(
  required: (name: string) => string,
  { policy, sessionToken, now }: { policy: string; sessionToken: string | undefined; now: number },
): Claim {
  const [version = "", credential = "", time = "", signature = ""] = V4_FIELDS.map(required);
  if (version !== ALGORITHM)
    throw invalidArgument(`x-oss-signature-version must be ${ALGORITHM}.`, { name: "x-oss-signature-version", value: version });
  const scope = readScope(credential);
  const at = readTime(time, scope);
  // A form may be sent up to seven days after its date, but the date must not be in the future.
  if (at > now) assertNotSkewed(at, now);
  assertNotExpired(at + MAX_EXPIRES_SECONDS * 1000, now);
  return {
    accessKeyId: scope.accessKeyId,
    sessionToken,
    region: scope.region,
    verify: (secret) =>
      assertSignature(signature, signatureV4(secret, scope, policy), scope.accessKeyId, {
        StringToSign: policy,
        ec: EC.signatureV4,
      }),
  };
}
