/**
 * Events of an HTTP trigger.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/http-trigger-invoking-function
 */

import { parseJson } from "../../protocol/json";
import type { Deadline } from "../../protocol/ports";
import * as z from "../../protocol/schema";
import type { createEndpoint, EndpointRequest } from "../../roles/receiver/endpoint";

const eventSchema = z.object({
  rawPath: z._default(z.string(), "/"),
  body: z._default(z.string(), ""),
  isBase64Encoded: z._default(z.boolean(), false),
  /** Several values of one name are joined by commas. */
  headers: z._default(z.record(z.string(), z.string()), {}),
  requestContext: z.object({ http: z.object({ method: z.string(), sourceIp: z.optional(z.string()) }) }),
});

export interface HttpResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: false;
}

/** @throws Error for an event that is not from an HTTP trigger. The message does not quote the event. */
export function toEndpointRequest(text: string): EndpointRequest {
  const parsed = eventSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new Error("the event is not one of an HTTP trigger");
  const { rawPath, body, isBase64Encoded, headers, requestContext } = parsed.data;
  const { method, sourceIp } = requestContext.http;
  return {
    method,
    path: rawPath,
    headers,
    rawBody: Buffer.from(body, isBase64Encoded ? "base64" : "utf8"),
    sourceIp: sourceIp || undefined,
  };
}

export function createHttpHandler(endpoint: ReturnType<typeof createEndpoint>) {
  return async (event: string, deadline: Deadline): Promise<HttpResult> => {
    const { status, headers, body } = await endpoint(toEndpointRequest(event), deadline);
    return { statusCode: status, headers, body, isBase64Encoded: false };
  };
}
