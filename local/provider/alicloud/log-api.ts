/**
 * Calls of Simple Log Service, which has a host for each project and a signature of its own.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/request-signatures
 */
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import type { Properties } from "../values";
import { type AlicloudAccount, originOf } from "./account";
import { ApiFailure } from "./api-failure";

export interface LogCall {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  /** Absent for calls that create or list projects. */
  project?: string;
  query?: Record<string, string>;
  body?: object;
}

export class LogApi {
  private readonly agent: Agent;

  constructor(
    private readonly account: AlicloudAccount,
    private readonly region: string,
  ) {
    this.agent = new Agent({ ca: readFileSync(account.caPath), keepAlive: true });
  }

  /** The fields of the answer. @throws ApiFailure */
  async call({ method, path, project, query = {}, body }: LogCall): Promise<Properties> {
    const origin = new URL(originOf(this.account, `${this.region}.log.aliyuncs.com`));
    const parameters = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
    const content = body === undefined ? "" : JSON.stringify(body);
    const headers = {
      ...this.sign(method, path, parameters, content),
      // Nothing resolves the name of a project here, so the connection goes to the endpoint itself.
      host: project === undefined ? origin.host : `${project}.${origin.host}`,
    };
    const search = parameters.length === 0 ? "" : `?${new URLSearchParams(parameters)}`;
    const { status, text } = await this.send(origin, { method, path: path + search, headers }, content);
    const answer = text === "" ? {} : (JSON.parse(text) as Properties);
    if (status < 400) return answer;
    const { errorCode, errorMessage } = answer;
    throw new ApiFailure(status, String(errorCode), `${method} ${path} of sls: ${errorCode}: ${errorMessage}`);
  }

  private sign(method: string, path: string, parameters: [string, string][], content: string): Record<string, string> {
    const { accessKeyId, accessKeySecret } = this.account.credentials;
    const date = new Date().toUTCString();
    const [md5, type] =
      content === "" ? ["", ""] : [createHash("md5").update(content).digest("hex").toUpperCase(), "application/json"];
    const own = {
      "x-log-apiversion": "0.6.0",
      "x-log-bodyrawsize": String(Buffer.byteLength(content)),
      "x-log-signaturemethod": "hmac-sha256",
    };
    const resource =
      parameters.length === 0 ? path : `${path}?${parameters.map(([name, value]) => `${name}=${value}`).join("&")}`;
    const lines = [method, md5, type, date, ...Object.entries(own).map(([name, value]) => `${name}:${value}`), resource];
    const signature = createHmac("sha256", accessKeySecret).update(lines.join("\n"), "utf8").digest("base64");
    const described: Record<string, string> = content === "" ? {} : { "content-md5": md5, "content-type": type };
    return { ...own, ...described, date, authorization: `LOG ${accessKeyId}:${signature}` };
  }

  private send(
    { hostname, port }: URL,
    request: { method: string; path: string; headers: Record<string, string> },
    content: string,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const options = { ...request, host: hostname, servername: hostname, port, agent: this.agent };
      const sent = httpsRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      sent.on("error", reject);
      sent.end(content);
    });
  }
}
