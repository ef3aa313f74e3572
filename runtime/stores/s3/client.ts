/** Addresses and signs the calls to one bucket of S3, or of another server of its protocol. */
import type { Dispatcher } from "undici";
import { type Call, type ClientLimits, HttpClient, type Signed } from "../../http/client";
import { RenewingAgent } from "../../http/renewing-agent";
import {
  type AwsCredentials,
  type AwsCredentialsProvider,
  canonicalQuery,
  encodeRfc3986,
  presignQuery,
  signHeaders,
  UNSIGNED_PAYLOAD,
} from "../../http/sigv4";
import { parseEndpoint } from "../endpoint";
import { isAscii } from "../header-text";
import type { PresignOptions } from "../object-store";
import { s3Errors } from "./errors";

export interface S3ClientOptions extends ClientLimits {
  bucket: string;
  region: string;
  credentials: AwsCredentialsProvider;
  /** `https://host[:port]`. Hosts outside AWS are addressed path-style. @default the region's own endpoint */
  endpoint?: string | undefined;
  /** For URLs that others read. @default endpoint */
  presignEndpoint?: string | undefined;
  /** From `createAgent`, shared by all stores of a process; its creator closes it. @default one of its own */
  dispatcher?: Dispatcher | undefined;
}

export interface S3Call extends Call {
  /** Absent for a call about the bucket. */
  key?: string | undefined;
  query?: Readonly<Record<string, string>> | undefined;
  /** What the signature says about the body. @default UNSIGNED-PAYLOAD */
  payload?: "STREAMING-UNSIGNED-PAYLOAD-TRAILER" | undefined;
}

/** The place of a bucket behind one endpoint. */
interface S3Target {
  origin: string;
  host: string;
  /** `/` where the bucket is part of the host, `/<bucket>/` where it cannot be. */
  pathPrefix: string;
}

const AWS_HOST = /(^|\.)amazonaws\.com(\.cn)?$/;
/** A certificate of AWS covers one label, so a name with dots is no part of the host. */
const HOST_LABEL = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/**
 * S3 wants its own headers and the content type signed. A type that is no ASCII is left out: S3 computes another signature for its bytes.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
const SIGNED = ["content-type"];

/** The client that talks to S3 and the address that presigned URLs name. */
export class S3Client extends HttpClient<S3Call> {
  /** Whether the endpoint is AWS's own. */
  readonly isAws: boolean;
  private readonly presignTarget: S3Target;
  private readonly settings: S3ClientOptions;

  /** @throws BridgeError `ConfigInvalid` for an endpoint that is not `https://host[:port]`. */
  constructor(options: S3ClientOptions) {
    const { bucket, region, endpoint = regionEndpoint(region), presignEndpoint = endpoint } = options;
    const target = s3Target(endpoint, bucket);
    const sign = (call: S3Call, nowMs: number) => signed(call, options, { target, nowMs });
    super({ ...options, dispatcher: options.dispatcher ?? new RenewingAgent(), errors: s3Errors, sign });
    this.isAws = isAwsEndpoint(endpoint);
    this.presignTarget = s3Target(presignEndpoint, bucket);
    this.settings = options;
  }

  presignGet(key: string, options: PresignOptions): string | Promise<string> {
    const credentials = this.settings.credentials();
    if (credentials instanceof Promise) return credentials.then((found) => this.presign(key, options, found));
    return this.presign(key, options, credentials);
  }

  /** Only the host is signed, so the reader of the URL may add headers. */
  private presign(key: string, { reads, expiresInSeconds }: PresignOptions, credentials: AwsCredentials): string {
    const { origin, host, pathPrefix } = this.presignTarget;
    const path = pathPrefix + encodeKey(key);
    const query = reads === "tags" ? { tagging: "" } : {};
    const scope = { service: "s3", region: this.settings.region, nowMs: this.now(), expiresInSeconds };
    return `${origin}${path}?${presignQuery({ method: "GET", host, path, query }, credentials, scope)}`;
  }
}

function signed(
  call: S3Call,
  { credentials, region }: S3ClientOptions,
  { target, nowMs }: { target: S3Target; nowMs: number },
): Signed | Promise<Signed> {
  const found = credentials();
  const sign = (known: AwsCredentials): Signed => {
    const { method, key, query = {}, headers = {}, payload = UNSIGNED_PAYLOAD } = call;
    const path = key === undefined ? target.pathPrefix : target.pathPrefix + encodeKey(key);
    const signing = {
      method,
      host: target.host,
      path,
      query,
      headers,
      signedHeaders: isAscii(headers["content-type"] ?? "") ? SIGNED : [],
      payloadHash: payload,
    };
    const text = canonicalQuery(query);
    return {
      origin: target.origin,
      path: text === "" ? path : `${path}?${text}`,
      headers: signHeaders(signing, known, { service: "s3", region, nowMs }),
    };
  };
  return found instanceof Promise ? found.then(sign) : sign(found);
}

/** The key as part of a path: its slashes stay, and nothing is normalised. */
export function encodeKey(key: string): string {
  return encodeRfc3986(key).replaceAll("%2F", "/");
}

/** https://docs.aws.amazon.com/general/latest/gr/s3.html */
function regionEndpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

function isAwsEndpoint(endpoint: string): boolean {
  return AWS_HOST.test(new URL(endpoint).hostname);
}

function s3Target(endpoint: string, bucket: string): S3Target {
  const { url, hostname } = parseEndpoint("S3", endpoint);
  if (!AWS_HOST.test(hostname) || !HOST_LABEL.test(bucket))
    return { origin: url.origin, host: url.host, pathPrefix: `/${bucket}/` };
  const host = `${bucket}.${url.host}`;
  return { origin: `${url.protocol}//${host}`, host, pathPrefix: "/" };
}
