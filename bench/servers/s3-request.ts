/** Signed requests to an S3 server, for what surrounds a measurement. */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { Agent, type Dispatcher } from "undici";
import { encodeRfc3986, signHeaders, UNSIGNED_PAYLOAD } from "../../runtime/http/sigv4";
import type { BucketAccess } from "./store-server";

export interface S3Request {
  method: "GET" | "HEAD" | "PUT";
  /** Absent for a request about the bucket. */
  key?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  body?: Iterable<Buffer> | undefined;
}

export interface SignedRequest {
  path: string;
  headers: Record<string, string>;
}

/** The CRC-64/NVME of the whole object. */
export const CHECKSUM_HEADER = "x-amz-checksum-crc64nvme";

/** Valid for 15 minutes. */
export function signS3(access: BucketAccess, { method, key, headers }: Omit<S3Request, "body">): SignedRequest {
  const path = `/${access.bucket}${key === undefined ? "" : `/${key.split("/").map(encodeRfc3986).join("/")}`}`;
  const { host } = new URL(access.endpoint);
  const request = { method, host, path, headers, payloadHash: UNSIGNED_PAYLOAD };
  const scope = { service: "s3", region: access.region, nowMs: Date.now() };
  return { path, headers: signHeaders(request, access.credentials, scope) };
}

export class S3Requests {
  readonly #agent: Agent;

  constructor(caPath: string) {
    this.#agent = new Agent({ connections: 16, connect: { ca: readFileSync(caPath) }, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** @throws Error for any status but 200 */
  async send(access: BucketAccess, request: S3Request): Promise<Dispatcher.ResponseData["headers"]> {
    const { method, key, body } = request;
    const { path, headers } = signS3(access, request);
    const answer = await this.#agent.request({
      origin: access.endpoint,
      path,
      method,
      headers,
      body: body === undefined ? null : Readable.from(body, { objectMode: false }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200)
      throw new Error(`${method} ${access.bucket}/${key ?? ""} was answered ${answer.statusCode}: ${text.slice(0, 300)}`);
    return answer.headers;
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }
}
