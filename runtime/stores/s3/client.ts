import { Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent } from "node:https";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

export interface S3ClientOptions {
  region: string;
  /** Hosts outside AWS are addressed path-style. @default the region's own endpoint */
  endpoint?: string | undefined;
  /** @default the SDK's chain of providers */
  credentials?: S3ClientConfig["credentials"] | undefined;
  /** Tries of one call, except for bodies that cannot be sent twice. @default 3 */
  maxAttempts?: number | undefined;
  /** The time to connect. @default 5000 */
  connectionTimeoutMs?: number | undefined;
  /** The time without a byte in either direction. @default 30000 */
  socketIdleTimeoutMs?: number | undefined;
  /** Concurrent connections. @default 64 */
  maxSockets?: number | undefined;
  /** Trusted certificates. @default those of Node */
  ca?: AgentOptions["ca"] | undefined;
  /** Replaces the HTTP layer; the timeouts, `maxSockets` and `ca` above then have no effect. */
  requestHandler?: S3ClientConfig["requestHandler"] | undefined;
}

const AWS_HOST = /(^|\.)amazonaws\.com(\.cn)?$/;

/** The SDK writes to the console unless it has a logger. Every failure reaches the caller as an error. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** An S3 client for `createS3Store`: it has explicit time limits and computes only the checksums that the store asks for. */
export function createS3Client(options: S3ClientOptions): S3Client {
  const { region, endpoint, credentials, ca, maxSockets = 64 } = options;
  const agent = { keepAlive: true, maxSockets };
  return new S3Client({
    region,
    ...(endpoint !== undefined && { endpoint, forcePathStyle: !AWS_HOST.test(new URL(endpoint).hostname) }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: options.maxAttempts ?? 3,
    logger: SILENT,
    // The store names the checksum of every write. The store that the bytes of a GET are written to verifies them.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // Waiting for "100 Continue" would open a new connection for every body above 2 MiB, without the agents below.
    expectContinueHeader: false,
    requestHandler: options.requestHandler ?? {
      connectionTimeout: options.connectionTimeoutMs ?? 5_000,
      socketTimeout: options.socketIdleTimeoutMs ?? 30_000,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(ca === undefined ? agent : { ...agent, ca }),
    },
  });
}
