/** https://www.alibabacloud.com/help/en/mns/developer-reference/sign-requests */
import { createHmac } from "node:crypto";
import type { OssCredentials } from "../../stores/oss/credentials";

const VERSION = "2015-06-06";

export interface MessageRequest {
  method: string;
  /** With its query. */
  path: string;
  /** Of the body, where there is one. */
  contentType?: string;
  date: Date;
}

/** The headers of a request to Simple Message Queue, signed. */
export function signMessageRequest(
  { method, path, contentType, date }: MessageRequest,
  { accessKeyId, accessKeySecret, securityToken }: OssCredentials,
): Record<string, string> {
  const gmt = date.toUTCString();
  // The second line is for a Content-MD5, which TLS makes needless.
  const toSign = [method, "", contentType ?? "", gmt, `x-mns-version:${VERSION}`, path].join("\n");
  return {
    ...(contentType === undefined ? {} : { "content-type": contentType }),
    date: gmt,
    "x-mns-version": VERSION,
    ...(securityToken === undefined ? {} : { "security-token": securityToken }),
    authorization: `MNS ${accessKeyId}:${createHmac("sha1", accessKeySecret).update(toSign).digest("base64")}`,
  };
}
