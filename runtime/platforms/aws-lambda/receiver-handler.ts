import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import type { createEndpoint } from "../../roles/receiver/endpoint";
import { toEndpointRequest, toProxyResult } from "./http";
import type { LambdaTime } from "./sender-handler";

export function createReceiverHandler(endpoint: ReturnType<typeof createEndpoint>) {
  return async (event: APIGatewayProxyEvent, context: LambdaTime): Promise<APIGatewayProxyResult> =>
    toProxyResult(await endpoint(toEndpointRequest(event), { remainingMs: () => context.getRemainingTimeInMillis() }));
}
