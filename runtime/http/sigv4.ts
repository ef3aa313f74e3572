/**
 * Signature version 4 of AWS: a request that is signed in its headers, or in its query. The data path signs thousands of requests in a second,
 * so the key of a day is computed once and kept.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from "node:crypto";
import { systemClock } from "../protocol/ports";

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Temporary credentials have one. */
  sessionToken?: string | undefined;
  /** Absent for credentials that do not expire, or whose end is unknown. */
  expiresAt?: Date | undefined;
}

/** Called before every request, so it may return new credentials at any time. */
export type AwsCredentialsProvider = () => AwsCredentials | Promise<AwsCredentials>;

export interface V4Scope {
  /** `s3`, `sqs`, `ssm`, `lambda`, `execute-api`. */
  service: string;
  region: string;
  /** Milliseconds since the epoch. */
  nowMs: number;
}

export interface V4Request {
  method: string;
  /** The host with its port, as the header `host` will have it. */
  host: string;
  /** Encoded, as it is sent. */
  path: string;
  /** Names and values are not encoded. An empty value is sent as `name=`. */
  query?: Readonly<Record<string, string>> | undefined;
  /** Names in lower case. `x-amz-*` are signed, others only where `signedHeaders` names them. */
  headers?: Readonly<Record<string, string>> | undefined;
  signedHeaders?: readonly string[] | undefined;
  /** The SHA-256 of the body in hex, or a constant such as `UNSIGNED_PAYLOAD`. */
  payloadHash: string;
}

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";
const ALGORITHM = "AWS4-HMAC-SHA256";

export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Everything but unreserved characters, in upper case. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The query as it is sent and signed: encoded, and sorted by name. */
export function canonicalQuery(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const);
  pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

/** @returns the headers to send: the given ones, `host` and those of the signature */
export function signHeaders(request: V4Request, credentials: AwsCredentials, scope: V4Scope): Record<string, string> {
  const date = v4Date(scope.nowMs);
  const headers: Record<string, string> = { ...request.headers, host: request.host, "x-amz-date": date };
  if (scope.service === "s3") headers["x-amz-content-sha256"] = request.payloadHash;
  if (credentials.sessionToken !== undefined) headers["x-amz-security-token"] = credentials.sessionToken;
  const names = signedNames(headers, request.signedHeaders);
  const signature = signatureOf({ ...request, headers }, names, credentials, { ...scope, date });
  const credential = `${credentials.accessKeyId}/${scopeText(scope, date)}`;
  headers.authorization = `${ALGORITHM} Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return headers;
}

/** @returns the query to send, as text without `?`. Only `host` is signed, so the reader of the URL may add headers. */
export function presignQuery(
  request: Pick<V4Request, "method" | "host" | "path" | "query">,
  credentials: AwsCredentials,
  { expiresInSeconds, ...scope }: V4Scope & { expiresInSeconds: number },
): string {
  const date = v4Date(scope.nowMs);
  const query: Record<string, string> = {
    ...request.query,
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${credentials.accessKeyId}/${scopeText(scope, date)}`,
    "X-Amz-Date": date,
    "X-Amz-Expires": `${expiresInSeconds}`,
    "X-Amz-SignedHeaders": "host",
  };
  if (credentials.sessionToken !== undefined) query["X-Amz-Security-Token"] = credentials.sessionToken;
  const signing = { ...request, query, headers: { host: request.host }, payloadHash: UNSIGNED_PAYLOAD };
  const signature = signatureOf(signing, ["host"], credentials, { ...scope, date });
  return `${canonicalQuery(query)}&X-Amz-Signature=${signature}`;
}

/** `yyyymmddThhmmssZ` */
function v4Date(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
}

function scopeText({ region, service }: Pick<V4Scope, "region" | "service">, date: string): string {
  return `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
}

function signedNames(headers: Readonly<Record<string, string>>, others: readonly string[] = []): string[] {
  return Object.keys(headers)
    .filter((name) => name === "host" || name.startsWith("x-amz-") || others.includes(name))
    .sort();
}

function signatureOf(
  { method, path, query, headers = {}, payloadHash }: Omit<V4Request, "host" | "signedHeaders">,
  names: readonly string[],
  { secretAccessKey }: AwsCredentials,
  { date, ...scope }: Pick<V4Scope, "region" | "service"> & { date: string },
): string {
  // Every service but S3 encodes the path once more.
  const canonicalPath = scope.service === "s3" ? path : path.split("/").map(encodeRfc3986).join("/");
  const lines = names.map((name) => `${name}:${(headers[name] ?? "").trim().replace(/ +/g, " ")}\n`).join("");
  const canonical = `${method}\n${canonicalPath}\n${canonicalQuery(query ?? {})}\n${lines}\n${names.join(";")}\n${payloadHash}`;
  const toSign = `${ALGORITHM}\n${date}\n${scopeText(scope, date)}\n${sha256Hex(canonical)}`;
  return createHmac("sha256", signingKey(secretAccessKey, date.slice(0, 8), scope))
    .update(toSign)
    .digest("hex");
}

/** More than one pair of credentials and services is in use at once, but not many. */
const MAX_KEYS = 32;
const keys = new Map<string, Buffer>();

function signingKey(secret: string, day: string, { region, service }: Pick<V4Scope, "region" | "service">): Buffer {
  const id = `${day}/${region}/${service}/${secret}`;
  const known = keys.get(id);
  if (known !== undefined) return known;
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), "aws4_request");
  if (keys.size >= MAX_KEYS) keys.clear();
  keys.set(id, key);
  return key;
}

/** Credentials are renewed this long before they end, so that a request under way still ends in time. */
const MARGIN_MS = 60_000;

/** Caches the credentials of `load` until shortly before their end. Concurrent callers share one load. A failed load is not cached. */
export function cacheCredentials<C extends { expiresAt?: Date | undefined }>(
  load: () => Promise<C>,
  now: () => number = systemClock.now,
): () => Promise<C> {
  let loading: Promise<C> | undefined;
  let usableUntilMs = 0;
  return () => {
    if (loading !== undefined && now() < usableUntilMs) return loading;
    usableUntilMs = Number.POSITIVE_INFINITY;
    const current = load();
    loading = current;
    current.then(
      ({ expiresAt }) => {
        if (loading === current && expiresAt !== undefined) usableUntilMs = expiresAt.getTime() - MARGIN_MS;
      },
      () => {
        if (loading === current) loading = undefined;
      },
    );
    return current;
  };
}
