/** Answers in the vendor's two formats. */
import { type ApiAnswer, ApiError } from "../contracts";
import { type XmlFields, xmlDocument } from "../oss/xml";
import { rpcParameters } from "./rpc-parameters";
import { isRpcSigned } from "./rpc-signature";
import type { SignedApiRequest } from "./signed-call";

export type Format = "json" | "xml";

/** The parameter `Format` of an RPC call, whose default is XML; else the header Accept. */
export function formatOf(request: SignedApiRequest): Format {
  if (isRpcSigned(request)) return rpcParameters(request).get("Format")?.toLowerCase() === "json" ? "json" : "xml";
  return /\b(application|text)\/xml\b/.test(request.headers.accept ?? "") ? "xml" : "json";
}

export interface Rendered {
  headers: Record<string, string>;
  bytes: Buffer | undefined;
}

/** @param root the element of an XML document, e.g. `CreateRoleResponse` */
export function render({ body }: ApiAnswer, requestId: string, format: Format, root: string): Rendered {
  if (body === undefined || Buffer.isBuffer(body)) return { headers: {}, bytes: body };
  const fields = Array.isArray(body) ? body : { RequestId: requestId, ...body };
  if (format === "json" || Array.isArray(fields))
    return { headers: { "content-type": "application/json;charset=utf-8" }, bytes: Buffer.from(JSON.stringify(fields)) };
  return { headers: { "content-type": "text/xml;charset=utf-8" }, bytes: Buffer.from(xmlDocument(root, fields as XmlFields)) };
}

export function refusal(error: unknown, hostId: string): ApiAnswer {
  const [status, code, message] =
    error instanceof ApiError
      ? [error.status, error.code, error.message]
      : [500, "InternalError", "The request processing has failed due to some unknown error."];
  return { status, body: { HostId: hostId, Code: code, Message: message } };
}
