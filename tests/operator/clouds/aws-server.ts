/** A fake endpoint of AWS on loopback. */
import type { ServerResponse } from "node:http";
import type { AwsAccess } from "../../../operator/operated-bridge";
import { type SeenRequest, startHttps, type TestServer } from "../../runtime/support/https-server";

export interface AwsServer {
  access: AwsAccess;
  server: TestServer;
}

export async function startAws(answer: (request: SeenRequest, response: ServerResponse) => void): Promise<AwsServer> {
  const server = await startHttps(answer);
  return {
    server,
    access: {
      cloud: "aws",
      region: "us-east-1",
      endpoint: server.origin,
      ca: server.ca,
      credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
    },
  };
}

/** The operation of a request in the JSON protocol: `ReceiveMessage` of `AmazonSQS.ReceiveMessage`. */
export const operationOf = ({ headers }: SeenRequest): string => String(headers["x-amz-target"] ?? "").split(".")[1] ?? "";

export function reply(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.0", ...headers }).end(JSON.stringify(body));
}
