import { Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent } from "node:https";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

export interface S3ClientOptions {
  region: string;
  /** The region's own endpoint when absent. Hosts outside AWS are addressed path-style. */
  endpoint?: string;
  /** The SDK's default chain when absent. */
  credentials?: NonNullable<S3ClientConfig["credentials"]>;
  /** Tries of one call, bodies that cannot be sent twice excepted. @default 3 */
  maxAttempts?: number;
  /** To establish a connection, in milliseconds. @default 5000 */
  connectionTimeoutMs?: number;
  /** Without a byte in either direction, in milliseconds. @default 30000 */
  socketIdleTimeoutMs?: number;
  /** Connections at once. @default 64 */
  maxSockets?: number;
  /** Trusted instead of the bundle that Node brings. */
  ca?: AgentOptions["ca"];
  /** Replaces the HTTP layer; the timeouts, `maxSockets` and `ca` above are then its own business. */
  requestHandler?: NonNullable<S3ClientConfig["requestHandler"]>;
}

const AWS_HOST = /(^|\.)amazonaws\.com(\.cn)?$/;

/** The SDK writes to the console unless it has a logger; every failure reaches the caller as an error anyway. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** An S3 client that `createS3Store` can rely on: explicit time limits, and no checksum work besides what the store asks for. */
export function createS3Client(options: S3ClientOptions): S3Client {
  const { region, endpoint, credentials, ca, maxSockets = 64 } = options;
  const agent = { keepAlive: true, maxSockets };
  return new S3Client({
    region,
    ...(endpoint !== undefined && { endpoint, forcePathStyle: !AWS_HOST.test(new URL(endpoint).hostname) }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: options.maxAttempts ?? 3,
    logger: SILENT,
    // The store names the checksum of every write, and a GET is verified by the store that its bytes are written to.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // Waiting for "100 Continue" would cost a new connection for every body above 2 MiB, made without the agents below.
    expectContinueHeader: false,
    requestHandler: options.requestHandler ?? {
      connectionTimeout: options.connectionTimeoutMs ?? 5_000,
      socketTimeout: options.socketIdleTimeoutMs ?? 30_000,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(ca === undefined ? agent : { ...agent, ca }),
    },
  });
}
