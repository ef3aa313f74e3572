import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenApi, { $OpenApiUtil, OpenApiUtil } from "@alicloud/openapi-core";
import { type ApiOptions, serveApi } from "../../src/api/serve-api";
import { ensureCertificate } from "../../src/certificate";
import type { ApiAnswer, ApiCall, CallRecord, StsSession } from "../../src/contracts";
import { createRam, type LocalRam } from "../../src/ram/ram";

export const ACCOUNT = "3333333333333333";
export const REGION = "cn-shanghai";

export interface Keys {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken?: string;
}

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  code: string | undefined;
}

export interface ApiFixture {
  ram: LocalRam;
  origin: string;
  ca: string;
  /** The calls that the handler got, oldest first. */
  seen: ApiCall[];
  calls: CallRecord[];
  failures: unknown[];
  /** Tests set how the handler answers. */
  handle: (call: ApiCall) => ApiAnswer;
  /** How far the server's clock is ahead of the system's. */
  clock: { aheadMs: number };
  /** Credentials of a role of Function Compute with this policy. */
  session(actions: string[], resources: string[], durationMs?: number): StsSession;
  client(keys?: Keys, protocol?: "http" | "https"): OpenApi;
  /** Signs in RPC and ROA style 1.0, as the vendor's older SDKs, its Terraform provider and its command do. */
  olderClient(keys?: Keys): OpenApi;
  close(): Promise<void>;
}

export async function startApi(options: Partial<ApiOptions> = {}): Promise<ApiFixture> {
  const folder = await mkdtemp(join(tmpdir(), "local-api-"));
  const tls = await ensureCertificate(folder);
  const ca = readFileSync(tls.certPath, "utf8");
  let roles = 0;
  const clock = { aheadMs: 0 };
  const now = () => Date.now() + clock.aheadMs;
  const ram = createRam({ accountId: ACCOUNT, now });
  const fixture: ApiFixture = {
    ram,
    origin: "",
    ca,
    seen: [],
    calls: [],
    failures: [],
    handle: () => ({ status: 200, body: {} }),
    clock,
    session: (actions, resources, durationMs = 900_000) => {
      roles += 1;
      const roleName = `role${roles}`;
      const statement = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["fc.aliyuncs.com"] } };
      const { arn } = ram.createRole({
        roleName,
        assumeRolePolicyDocument: JSON.stringify({ Version: "1", Statement: [statement] }),
      });
      const grant = { Effect: "Allow", Action: actions, Resource: resources };
      ram.createPolicy({ policyName: roleName, policyDocument: JSON.stringify({ Version: "1", Statement: [grant] }) });
      ram.attachPolicyToRole(roleName, roleName);
      return ram.assumeRole(arn, { service: "fc.aliyuncs.com", sessionName: "test", durationMs });
    },
    client: (keys = ram.root, protocol = "https") =>
      new OpenApi(new $OpenApiUtil.Config({ ...keys, endpoint: new URL(fixture.origin).host, protocol, ca, regionId: REGION })),
    olderClient: (keys = ram.root) =>
      new OpenApi(
        new $OpenApiUtil.Config({
          ...{ ...keys, endpoint: new URL(fixture.origin).host, protocol: "https", ca, regionId: REGION },
          signatureAlgorithm: "v2",
        }),
      ),
    close: async () => {
      await served.close();
      await rm(folder, { recursive: true });
    },
  };
  const served = await serveApi({
    service: "test",
    region: REGION,
    ram,
    tls,
    now,
    handler: async (call) => {
      fixture.seen.push(call);
      return fixture.handle(call);
    },
    onCall: (call) => fixture.calls.push(call),
    onFailure: (error) => fixture.failures.push(error),
    ...options,
  });
  fixture.origin = served.origin;
  return fixture;
}

export interface Call {
  action: string;
  version?: string;
  style?: "RPC" | "ROA";
  method?: string;
  pathname?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: unknown;
  reqBodyType?: "json" | "formData" | "byte";
  bodyType?: string;
}

export function call(client: OpenApi, { action, style = "RPC", reqBodyType = "formData", ...more }: Call) {
  const { version = "2019-06-01", method = "POST", pathname = "/", bodyType = "json", query, headers, body } = more;
  const params = { action, version, style, reqBodyType, method, pathname, bodyType, protocol: "HTTPS", authType: "AK" };
  const request = new $OpenApiUtil.OpenApiRequest({ query: query ?? {}, headers: headers ?? {}, body });
  return client.callApi(new $OpenApiUtil.Params(params), request, {} as Parameters<OpenApi["callApi"]>[2]);
}

/** Calls actions of one product in RPC style, and returns the body of the answer. */
export const rpcCaller =
  (client: () => OpenApi, version: string) =>
  async (action: string, body: Record<string, unknown> = {}, method = "POST") =>
    (
      await call(client(), {
        action,
        version,
        method,
        ...(method === "GET" ? { query: body as Record<string, string> } : { body }),
      })
    ).body;

/** Status and code of a refused call of the client. */
export async function refused(promise: Promise<unknown>): Promise<{ statusCode: number; code: string }> {
  const error: unknown = await promise.then(
    () => new Error("it was not refused"),
    (refusal: unknown) => refusal,
  );
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  if (statusCode === undefined || code === undefined) throw error;
  return { statusCode, code };
}

export interface Raw {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** A call signed by the vendor's own function. `prepare` changes the headers before signing, `change` changes the request after it. */
export function sendRaw(
  fixture: ApiFixture,
  keys: Keys,
  change: (raw: Raw) => void = () => {},
  prepare: (headers: Record<string, string>) => void = () => {},
): Promise<Answered> {
  const body = "Name=one&WithDecryption=true";
  const query = { RegionId: REGION };
  const hash = createHash("sha256").update(body).digest("hex");
  const headers: Record<string, string> = {
    host: new URL(fixture.origin).host,
    "content-type": "application/x-www-form-urlencoded",
    "x-acs-action": "Test",
    "x-acs-version": "2019-06-01",
    "x-acs-date": new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    "x-acs-signature-nonce": randomUUID(),
    "x-acs-content-sha256": hash,
    ...(keys.securityToken === undefined ? {} : { "x-acs-security-token": keys.securityToken }),
  };
  prepare(headers);
  const request = { method: "POST", pathname: "/", query, headers } as unknown as Parameters<
    typeof OpenApiUtil.getAuthorization
  >[0];
  headers.authorization = OpenApiUtil.getAuthorization(request, "ACS3-HMAC-SHA256", hash, keys.accessKeyId, keys.accessKeySecret);
  const raw: Raw = { method: "POST", path: `/?RegionId=${REGION}`, headers, body };
  change(raw);
  return sendAsIs(fixture, raw);
}

export function sendAsIs(fixture: ApiFixture, { method, path, headers, body }: Raw): Promise<Answered> {
  const { port } = new URL(fixture.origin);
  const options = {
    host: "127.0.0.1",
    servername: "localhost",
    port,
    method,
    path,
    headers,
    ca: fixture.ca,
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const request = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const { Code: code } = (text.startsWith("{") ? JSON.parse(text) : {}) as { Code?: string };
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, code });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
