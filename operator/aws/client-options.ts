import { Agent } from "node:https";
import type { AwsAccess } from "../side-access";

const CONNECTION_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Configuration of any client of AWS's SDK.
 * @param idleMs how long an answer may be waited for without a byte
 */
export function awsClientOptions({ region, credentials, endpoint, ca }: AwsAccess, idleMs = IDLE_TIMEOUT_MS) {
  return {
    region,
    credentials,
    ...(endpoint === undefined ? {} : { endpoint }),
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: idleMs,
      httpsAgent: new Agent({ keepAlive: true, maxSockets: 64, ...(ca === undefined ? {} : { ca }) }),
    },
  };
}
