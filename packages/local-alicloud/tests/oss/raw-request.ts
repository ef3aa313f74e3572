/** Requests that no client would send, unsigned or signed with functions of ali-oss. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:tls";
import type { EndpointKind } from "../../src/oss/contracts";
import { type OssFixture, ROOT, SHANGHAI } from "./oss-fixture";

const signUtils = require("ali-oss/lib/common/signUtils") as {
  authorizationV4(
    accessKeyId: string,
    accessKeySecret: string,
    region: string,
    method: string,
    request: { headers: Record<string, string>; queries?: Record<string, string | null> },
    bucket?: string,
    key?: string,
    additionalHeaders?: string[],
  ): string;
};

export interface RawRequest {
  method: string;
  /** The URL as sent, with the query. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  kind?: EndpointKind;
  region?: string;
  /** @default true */
  secure?: boolean;
  /** @default the port of `kind` and `region` */
  port?: number;
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** From the error document, which HEAD has in a header. */
  code: string | undefined;
  /** The fine-grained code of the document. */
  ec: string | undefined;
}

export const portOf = (fixture: OssFixture, kind: EndpointKind = "public", region = SHANGHAI) =>
  Number(new URL(fixture.oss.endpoints[region]?.[kind] ?? "").port);

export function send(fixture: OssFixture, raw: RawRequest): Promise<RawAnswer> {
  const { method, path, headers = {}, body, kind, region, secure = true, port = portOf(fixture, kind, region) } = raw;
  // A connection of its own: an unfinished request of one test must not reach another test.
  const options = {
    host: "127.0.0.1",
    servername: "localhost",
    port,
    method,
    path,
    headers,
    ca: fixture.ca,
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const all = Buffer.concat(chunks);
        const error = response.headers["x-oss-err"];
        const document = typeof error === "string" ? Buffer.from(error, "base64").toString() : all.toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: all,
          code: /<Code>(.*?)<\/Code>/.exec(document)?.[1],
          ec: /<EC>(.*?)<\/EC>/.exec(document)?.[1],
        });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

export const ossDate = (at = new Date()) => at.toISOString().replace(/[-:]|\.\d+/g, "");

export interface Signing {
  bucket?: string;
  key?: string;
  queries?: Record<string, string>;
  additionalHeaders?: string[];
  at?: Date;
  region?: string;
  accessKeyId?: string;
  accessKeySecret?: string;
}

/** Adds `Authorization` (V4) to a request, in path style. `change` is applied after signing. */
export function signed(
  raw: Omit<RawRequest, "path">,
  signing: Signing,
  change: (request: RawRequest) => void = () => {},
): RawRequest {
  const { bucket = "", key = "", queries = {}, at = new Date() } = signing;
  const headers: Record<string, string> = {
    "x-oss-date": ossDate(at),
    "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
    ...raw.headers,
  };
  const nulled = Object.fromEntries(Object.entries(queries).map(([name, value]) => [name, value === "" ? null : value]));
  headers.authorization = signUtils.authorizationV4(
    signing.accessKeyId ?? ROOT.accessKeyId,
    signing.accessKeySecret ?? ROOT.accessKeySecret,
    signing.region ?? raw.region ?? SHANGHAI,
    raw.method,
    { headers, queries: nulled },
    bucket,
    key,
    signing.additionalHeaders,
  );
  const query = Object.entries(queries).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const place = bucket === "" ? "/" : `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
  const path = `${place}${query.length === 0 ? "" : `?${query.join("&")}`}`;
  const request: RawRequest = { ...raw, path, headers };
  change(request);
  return request;
}

export const sendSigned = (
  fixture: OssFixture,
  raw: Omit<RawRequest, "path">,
  signing: Signing,
  change?: (request: RawRequest) => void,
) => send(fixture, signed(raw, signing, change));

/** Writes exactly these bytes after the headers. Disconnects at once or when the answer begins, and resolves to the received text. */
export function sendBytes(
  fixture: OssFixture,
  head: RawRequest,
  bytes: Buffer,
  { hangUp }: { hangUp: boolean },
): Promise<string> {
  const { method, path, headers = {}, kind, region } = head;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    "host: localhost",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const options = { host: "127.0.0.1", servername: "localhost", port: portOf(fixture, kind, region), ca: fixture.ca };
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(options, () => {
      const all = Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), bytes]);
      if (hangUp) socket.end(all);
      else socket.write(all);
    });
    socket.on("data", (data: Buffer) => {
      received += data.toString("latin1");
      socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
  });
}
