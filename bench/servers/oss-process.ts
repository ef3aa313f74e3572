/**
 * The process of an OSS server: `oss-process.ts FOLDER REGION CERTIFICATE KEY ACCESS_KEY_ID SECRET`. Sends its endpoint once it listens, and then,
 * for each message, the requests since the last one.
 */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { startLocalOss } from "local-alicloud";
import { endWithParent } from "./child";
import { addRequest, operationOf, type RequestCounts } from "./store-server";

const ACCOUNT_ID = "1234567890123456";

async function main([dataDir = "", region = "", certPath = "", keyPath = "", id = "", secret = ""]: string[]): Promise<void> {
  let counts: RequestCounts = {};
  // The message of the channel is of Node: https://nodejs.org/api/diagnostics_channel.html#http
  subscribe("http.server.request.start", (message) => {
    const { method = "", url = "" } = (message as { request: IncomingMessage }).request;
    addRequest(counts, operationOf(method, url));
  });
  const principal = { accountId: ACCOUNT_ID, arn: `acs:ram::${ACCOUNT_ID}:root` };
  const oss = await startLocalOss({
    regions: [region],
    dataDir,
    tls: { certPath, keyPath },
    credentials: { find: (accessKeyId) => (accessKeyId === id ? { secret, principal } : undefined) },
    authorize: () => "allow",
  });
  process.on("message", () => {
    process.send?.(counts);
    counts = {};
  });
  process.send?.(oss.endpoints[region]?.public);
}

endWithParent();
void main(process.argv.slice(2));
