/** Options of the operator's clients of AWS. */
import { Agent } from "node:https";
import type { AwsAccess } from "../operated-bridge";

const CONNECTION_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Options of any client of the AWS SDK.
 * @param idleMs the longest wait for the next byte of an answer
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
