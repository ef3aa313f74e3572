/** https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header */
import { createHmac } from "node:crypto";
import { accessDenied, invalidArgument, OssError } from "../oss-error";
import { headerText, ossHeaderNames } from "./header-values";
import { assertNotExpired, assertNotSkewed, assertSignature, type Claim, type SignedRequest } from "./signed-request";
import { SUBRESOURCES } from "./subresources";

function canonicalResource({ bucket, key, query }: SignedRequest): string {
  const path = bucket === undefined ? "/" : `/${bucket}/${key ?? ""}`;
  const covered = [...query.keys()].filter((name) => SUBRESOURCES.has(name)).sort();
  if (covered.length === 0) return path;
  return `${path}?${covered.map((name) => (query.get(name) === "" ? name : `${name}=${query.get(name)}`)).join("&")}`;
}

function stringToSign(request: SignedRequest, date: string): string {
  const { method, headers } = request;
  const ossHeaders = ossHeaderNames(headers).map((name) => `${name}:${headerText(headers, name)}\n`);
  return [
    method,
    headerText(headers, "content-md5") ?? "",
    headerText(headers, "content-type") ?? "",
    date,
    ossHeaders.join("") + canonicalResource(request),
  ].join("\n");
}

function claim(request: SignedRequest, accessKeyId: string, signature: string, date: string, token: string | undefined): Claim {
  return {
    accessKeyId,
    sessionToken: token,
    region: undefined,
    verify: (secret) => {
      const text = stringToSign(request, date);
      const expected = createHmac("sha1", secret).update(text, "utf8").digest("base64");
      assertSignature(signature, expected, accessKeyId, { StringToSign: text });
    },
  };
}

/** `Authorization: OSS <AccessKeyId>:<signature>`. */
export function readV1Header(request: SignedRequest, authorization: string, now: number): Claim {
  const [, accessKeyId, signature] = /^OSS ([^:\s]+):(\S+)$/.exec(authorization) ?? [];
  if (accessKeyId === undefined || signature === undefined)
    throw invalidArgument("Authorization header is invalid.", { name: "Authorization", value: authorization });
  const date = headerText(request.headers, "x-oss-date") ?? headerText(request.headers, "date");
  if (date === undefined) throw accessDenied("OSS authentication requires a valid Date.");
  assertNotSkewed(Date.parse(date), now);
  return claim(request, accessKeyId, signature, date, headerText(request.headers, "x-oss-security-token"));
}

/** `?OSSAccessKeyId=..&Expires=<seconds>&Signature=..`. Only for objects. */
export function readV1Query(request: SignedRequest, now: number): Claim {
  const [accessKeyId, expires, signature] = ["OSSAccessKeyId", "Expires", "Signature"].map(
    (name) => request.query.get(name) ?? "",
  );
  if (!accessKeyId || !expires || !signature)
    throw new OssError(
      403,
      "AccessDenied",
      "Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters.",
    );
  if (request.key === undefined) throw accessDenied("Query-string authentication of this version is not for bucket operations.");
  if (!/^\d+$/.test(expires)) throw invalidArgument("Expires is not a number.", { name: "Expires", value: expires });
  assertNotExpired(Number(expires) * 1000, now);
  return claim(request, accessKeyId, signature, expires, request.query.get("security-token"));
}
