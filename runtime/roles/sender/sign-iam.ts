/**
 * SigV4 for a receiver behind AWS_IAM.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
 */

import { type AwsCredentials, type AwsCredentialsProvider, sha256Hex, signHeaders } from "../../http/sigv4";
import type { Clock } from "../../protocol/ports";
import * as z from "../../protocol/schema";

/** The content of `invokerParameter`. */
const invokerSchema = z.strictObject({
  accessKeyId: z.string().check(z.minLength(16), z.maxLength(128)),
  secretAccessKey: z.string().check(z.minLength(16), z.maxLength(256)),
});

/** @throws Error that names the fields, never a value. */
export function parseInvoker(text: string): AwsCredentials {
  const hint = 'the invoker secret must be JSON of the form {"accessKeyId":"...","secretAccessKey":"..."}';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which is secret.
    throw new Error(hint);
  }
  const parsed = invokerSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Error(`${hint}; wrong: ${parsed.error.issues.map((issue) => issue.path.join(".") || issue.code).join(", ")}`);
}

export interface UnsignedPost {
  url: URL;
  headers: Record<string, string>;
  /** Exactly the bytes that will be sent. */
  body: string;
}

/** @returns all headers to send, the given ones included */
export type RequestSigner = (post: UnsignedPost) => Promise<Record<string, string>>;

export interface IamSignerOptions {
  /** The region of the receiver's API. */
  region: string;
  credentials: AwsCredentialsProvider;
  clock: Clock;
}

export function createIamSigner({ region, credentials, clock }: IamSignerOptions): RequestSigner {
  return async ({ url, headers, body }) => {
    const payloadHash = sha256Hex(body);
    const signed = { ...headers, "x-amz-content-sha256": payloadHash };
    const request = {
      ...{ method: "POST", host: url.host, path: url.pathname, query: Object.fromEntries(url.searchParams) },
      ...{ headers: signed, signedHeaders: Object.keys(signed), payloadHash },
    };
    return signHeaders(request, await credentials(), { service: "execute-api", region, nowMs: clock.now() });
  };
}
