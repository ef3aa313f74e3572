/**
 * API Gateway REST proxy events.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import type { Deadline } from "../../protocol/ports";
import type { createEndpoint, EndpointRequest } from "../../roles/receiver/endpoint";

export function toEndpointRequest(event: APIGatewayProxyEvent): EndpointRequest {
  const { requestContext } = event as Partial<APIGatewayProxyEvent>;
  const sourceIp = requestContext?.identity?.sourceIp;
  return {
    method: event.httpMethod,
    path: event.path,
    headers: joinHeaders(event),
    rawBody: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"),
    sourceIp: sourceIp || undefined,
  };
}

/** Joins repeated headers. `headers` keeps only the last value, but a repeated signature header must stay visible. */
function joinHeaders({ headers, multiValueHeaders }: Partial<APIGatewayProxyEvent>): Record<string, string> {
  const joined = new Map<string, string>();
  const several = Object.entries(multiValueHeaders ?? {}).flatMap(([name, values]) => (values ? [[name, values] as const] : []));
  const single = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, [value]] as const],
  );
  for (const [name, values] of several.length > 0 ? several : single) {
    const known = joined.get(name.toLowerCase());
    joined.set(name.toLowerCase(), [...(known === undefined ? [] : [known]), ...values].join(", "));
  }
  return Object.fromEntries(joined);
}

export function createHttpHandler(endpoint: ReturnType<typeof createEndpoint>) {
  return async (event: APIGatewayProxyEvent, deadline: Deadline): Promise<APIGatewayProxyResult> => {
    const { status, headers, body } = await endpoint(toEndpointRequest(event), deadline);
    return { statusCode: status, headers, body, isBase64Encoded: false };
  };
}
