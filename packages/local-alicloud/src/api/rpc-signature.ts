/** RPC signature 1.0, in the query or in a form. https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism */
import { percentEncode } from "../oss/names";
import { rpcParameters } from "./rpc-parameters";
import {
  invalidSignatureMethod,
  isoTime,
  matchesHmacSha1,
  missing,
  type SignedApiRequest,
  type SignedCall,
  signatureDoesNotMatch,
} from "./signed-call";

const METHOD = "HMAC-SHA1";
const MANDATORY = [
  "Action",
  "Version",
  "AccessKeyId",
  "Signature",
  "SignatureMethod",
  "SignatureVersion",
  "SignatureNonce",
  "Timestamp",
];

/** A request without an Authorization header that has a parameter of this signature. */
export function isRpcSigned(request: SignedApiRequest): boolean {
  if (request.headers.authorization !== undefined) return false;
  const parameters = rpcParameters(request);
  return parameters.has("AccessKeyId") || parameters.has("Signature");
}

/** @throws ApiError `Missing...`, `InvalidSignatureMethod` */
export function readRpcSignature(request: SignedApiRequest): SignedCall {
  const parameters = rpcParameters(request);
  for (const name of MANDATORY) if ((parameters.get(name) ?? "") === "") throw missing(name);
  const of = (name: string) => parameters.get(name) ?? "";
  if (of("SignatureMethod") !== METHOD || of("SignatureVersion") !== "1.0")
    throw invalidSignatureMethod(`${METHOD} of SignatureVersion 1.0`);
  const stringToSign = `${request.method}&%2F&${percentEncode(canonical(parameters))}`;
  return {
    action: of("Action"),
    version: of("Version"),
    accessKeyId: of("AccessKeyId"),
    securityToken: parameters.get("SecurityToken"),
    nonce: of("SignatureNonce"),
    at: isoTime(of("Timestamp")),
    verify: (secret) => {
      if (!matchesHmacSha1(stringToSign, `${secret}&`, of("Signature"))) throw signatureDoesNotMatch(stringToSign);
    },
  };
}

/** All parameters of the query and the form except the signature itself, sorted by name. */
function canonical(parameters: ReadonlyMap<string, string>): string {
  return [...parameters]
    .filter(([name]) => name !== "Signature")
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join("&");
}
