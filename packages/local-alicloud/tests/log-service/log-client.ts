/** Signs as the vendor's documents say: https://www.alibabacloud.com/help/en/sls/developer-reference/request-signatures */
import { createHash, createHmac } from "node:crypto";
import { request as httpsRequest } from "node:https";
import { percentEncode } from "../../src/oss/names";
import type { Keys } from "../api/api-fixture";

export interface LogRequest {
  method: string;
  path: string;
  /** The part of the host before the endpoint. */
  project?: string | undefined;
  query?: Record<string, string>;
  body?: unknown;
}

export interface LogAnswered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** Parsed when it is JSON. */
  body: unknown;
}

/** `sha1` is the Go client's signature, `sha256` that of the gateway library of the Terraform provider, `v4` the newest. */
export type LogSignature = "sha1" | "sha256" | "v4";

export interface LogClientOptions {
  origin: string;
  ca: string;
  keys: Keys;
  region: string;
  signature?: LogSignature;
  now?: () => number;
  /** Changes the request after it was signed. */
  change?: ((headers: Record<string, string>, sent: { path: string; body: string }) => void) | undefined;
}

export function sendLog(
  options: LogClientOptions,
  { method, path, project, query = {}, body }: LogRequest,
): Promise<LogAnswered> {
  const { origin, ca, keys, signature = "sha1", now = Date.now } = options;
  const { host, port } = new URL(origin);
  const sent = { path, body: body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body) };
  const at = new Date(now());
  const headers: Record<string, string> = {
    host: project === undefined ? host : `${project}.${host}`,
    "x-log-apiversion": "0.6.0",
    "x-log-bodyrawsize": String(Buffer.byteLength(sent.body)),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(keys.securityToken === undefined ? {} : { "x-acs-security-token": keys.securityToken }),
  };
  const sorted = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
  if (signature === "v4") signV4(options, method, sorted, headers, sent, at);
  else signV1(options, signature, method, sorted, headers, sent, at);
  options.change?.(headers, sent);
  const search = sorted.length === 0 ? "" : `?${new URLSearchParams(sorted)}`;
  return new Promise((resolve, reject) => {
    const to = {
      host: "127.0.0.1",
      servername: "localhost",
      port,
      method,
      path: sent.path + search,
      headers,
      ca,
      agent: false as const,
    };
    const request = httpsRequest(to, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: /^[[{]/.test(text) ? JSON.parse(text) : text,
        });
      });
    });
    request.on("error", reject);
    request.end(sent.body);
  });
}

type Sorted = [string, string][];
type Sent = { path: string; body: string };

function signV1(
  { keys }: LogClientOptions,
  hash: "sha1" | "sha256",
  method: string,
  query: Sorted,
  headers: Record<string, string>,
  { path, body }: Sent,
  at: Date,
): void {
  headers.date = at.toUTCString();
  headers["x-log-signaturemethod"] = `hmac-${hash}`;
  if (body !== "") headers["content-md5"] = createHash("md5").update(body).digest("hex").toUpperCase();
  const named = Object.keys(headers).filter((name) => /^x-(log|acs)-/.test(name));
  const resource = query.length === 0 ? path : `${path}?${query.map(([name, value]) => `${name}=${value}`).join("&")}`;
  const lines = [method, headers["content-md5"] ?? "", headers["content-type"] ?? "", headers.date];
  const text = [...lines, ...named.sort().map((name) => `${name}:${headers[name]}`), resource].join("\n");
  headers.authorization = `LOG ${keys.accessKeyId}:${createHmac(hash, keys.accessKeySecret).update(text).digest("base64")}`;
}

function signV4(
  { keys, region }: LogClientOptions,
  method: string,
  query: Sorted,
  headers: Record<string, string>,
  { path, body }: Sent,
  at: Date,
): void {
  const date = `${at.toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
  const day = date.slice(0, 8);
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  headers["x-log-date"] = date;
  headers["x-log-content-sha256"] = sha256(body);
  const names = Object.keys(headers).sort();
  const parameters = query.map(([name, value]) => (value === "" ? name : `${name}=${percentEncode(value)}`)).join("&");
  const listed = names.map((name) => `${name}:${headers[name]}\n`).join("");
  const canonical = `${method}\n${path}\n${parameters}\n${listed}\n${names.join(";")}\n${sha256(body)}`;
  const scope = `${day}/${region}/sls/aliyun_v4_request`;
  const text = `SLS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`;
  const key = hmac(hmac(hmac(hmac(`aliyun_v4${keys.accessKeySecret}`, day), region), "sls"), "aliyun_v4_request");
  headers.authorization = `SLS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope},Signature=${hmac(key, text).toString("hex")}`;
}
