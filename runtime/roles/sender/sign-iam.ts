/**
 * SigV4 for a receiver behind AWS_IAM.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/permissions.html
 */
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import * as z from "zod";
import type { Clock } from "../../protocol/ports";

/** The content of `invokerParameter`. */
const invokerSchema = z.strictObject({
  accessKeyId: z.string().min(16).max(128),
  secretAccessKey: z.string().min(16).max(256),
});
export interface InvokerCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** @throws Error that names the fields, never a value. */
export function parseInvoker(text: string): InvokerCredentials {
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
  /** Called for each request. */
  credentials: () => Promise<InvokerCredentials>;
  clock: Clock;
}

export function createIamSigner({ region, credentials, clock }: IamSignerOptions): RequestSigner {
  const signer = new SignatureV4({ service: "execute-api", region, credentials: () => credentials(), sha256: Sha256 });
  return async ({ url, headers, body }) => {
    const signed = await signer.sign(
      {
        method: "POST",
        protocol: url.protocol,
        hostname: url.hostname,
        ...(url.port === "" ? {} : { port: Number(url.port) }),
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { ...headers, host: url.host },
        body,
      },
      { signingDate: new Date(clock.now()) },
    );
    return signed.headers;
  };
}
