import { createHash, randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { isForeignPage } from "../local-clients";
import type { EndpointKind } from "./contracts";
import { ecOf } from "./error-codes";
import { percentDecode } from "./names";
import { invalidArgument, OssError } from "./oss-error";
import { s3Document, s3Headers } from "./s3-dialect";
import { type XmlFields, xmlDocument } from "./xml";

/** The endpoint that received a request. The accelerate endpoint has no region: it serves the buckets of all. */
export interface Entry {
  kind: EndpointKind;
  region: string | undefined;
  /** Set for the port of a custom domain, which serves one bucket for the domain and for every name of this machine. */
  domain?: string | undefined;
}

const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;

/** One request and its answer. */
export class Exchange {
  readonly requestId = randomBytes(12).toString("hex").toUpperCase();
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly entry: Entry;
  readonly method: string;
  /** As sent, without the query. */
  readonly rawPath: string;
  /** Decoded; a parameter without a value has the empty string. */
  readonly query: ReadonlyMap<string, string>;
  /** Headers for a request of a web page, by the bucket's CORS rules. */
  corsHeaders: Readonly<Record<string, string>> = {};
  /** Those of the request; a form upload sends in fields what other uploads send in headers, and a client of S3 has other names. */
  headers: IncomingHttpHeaders;
  /** The answer has the names of S3. */
  answersS3 = false;
  private readonly now: () => number;

  constructor(request: IncomingMessage, response: ServerResponse, entry: Entry, now: () => number) {
    this.request = request;
    this.response = response;
    this.entry = entry;
    this.now = now;
    this.headers = request.headers;
    this.method = request.method ?? "GET";
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.rawPath = mark === -1 ? url : url.slice(0, mark);
    this.query = parseQuery(mark === -1 ? "" : url.slice(mark + 1));
  }

  /** A page of another machine sends the request, and no CORS rule of the bucket allows it. */
  get isOfForeignPage(): boolean {
    return this.request.headers.origin !== undefined && isForeignPage(this.request.headers) && !this.isAllowedByCors;
  }

  private get isAllowedByCors(): boolean {
    return this.corsHeaders["access-control-allow-origin"] !== undefined;
  }

  get secure(): boolean {
    return this.request.socket instanceof TLSSocket;
  }

  /** E.g. `TLSv1.3`; undefined over http. */
  get tlsVersion(): string | undefined {
    const { socket } = this.request;
    return socket instanceof TLSSocket ? (socket.getProtocol() ?? undefined) : undefined;
  }

  get sourceIp(): string {
    return this.request.socket.remoteAddress ?? "";
  }

  header(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /**
   * Reads a small body such as an XML document, and checks Content-MD5.
   * @throws OssError `EntityTooLarge`, `InvalidDigest`, `IncompleteBody`.
   */
  async readDocument(): Promise<Buffer> {
    this.welcomeBody();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > MAX_DOCUMENT_BYTES)
        throw new OssError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.");
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    assertContentMd5(this.header("content-md5"), createHash("md5").update(body).digest());
    return body;
  }

  /** Asks a client that sent `Expect: 100-continue` for its body. */
  welcomeBody(): void {
    if (this.expectsContinue) this.response.writeContinue();
  }

  private get expectsContinue(): boolean {
    return this.header("expect")?.toLowerCase() === "100-continue";
  }

  /**
   * A read whose Content-Length belongs to another request, as oss2 sends for a URL that covers the header. The body may never come, so the
   * connection cannot be used again.
   */
  private get announcesUnreadBody(): boolean {
    return /^(?:GET|HEAD)$/.test(this.method) && Number(this.header("content-length") ?? "0") > 0 && !this.request.complete;
  }

  send(status: number, headers: Record<string, string | number | undefined> = {}, body?: string | Buffer): void {
    this.begin(status, { "content-length": body === undefined ? 0 : Buffer.byteLength(body), ...headers });
    if (this.method === "HEAD" || status === 204 || status === 304) this.response.end();
    else this.response.end(body);
  }

  sendXml(root: string, value: XmlFields, headers: Record<string, string | number | undefined> = {}): void {
    const document = xmlDocument(root, value);
    this.send(200, { "content-type": "application/xml", ...headers }, this.answersS3 ? s3Document(document) : document);
  }

  /** Sends status and headers; the caller sends the body. */
  begin(status: number, headers: Record<string, string | number | undefined>): void {
    const all: Record<string, string | number> = {
      server: "AliyunOSS",
      date: new Date(this.now()).toUTCString(),
      "x-oss-request-id": this.requestId,
      "x-oss-server-time": 1,
      ...this.corsHeaders,
    };
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) all[name] = bytesOf(value);
    if (status === 204 || status === 304) delete all["content-length"];
    if (this.announcesUnreadBody) all.connection = "close";
    // After a Content-Length, Node decodes a Content-Disposition and refuses the text. https://github.com/nodejs/node/pull/46528
    const { "content-disposition": disposition, ...others } = this.answersS3 ? s3Headers(all) : all;
    this.response.writeHead(status, disposition === undefined ? others : { "content-disposition": disposition, ...others });
  }

  /** Sends the error document. The answer to HEAD has it in the header `x-oss-err`. */
  refuse(error: OssError): void {
    const ec = error.ec ?? ecOf(error.code, { query: this.query, header: (name) => this.header(name) });
    const document = xmlDocument("Error", {
      Code: error.code,
      Message: error.message,
      RequestId: this.requestId,
      HostId: this.header("host") ?? "",
      ...error.details,
      EC: ec,
    });
    const head = this.method === "HEAD";
    this.send(
      error.status,
      {
        "content-type": "application/xml",
        ...(error.status === 304 ? {} : { "x-oss-ec": ec }),
        ...error.headers,
        // The client may or may not send its body now, so the connection cannot be used again.
        ...(this.expectsContinue ? { connection: "close" } : {}),
        ...(head ? { "content-length": 0, "x-oss-err": Buffer.from(document).toString("base64") } : {}),
      },
      error.status === 304 ? undefined : document,
    );
    // Read and drop the rest of a refused upload: a client that is still sending does not read the answer.
    this.request.resume();
  }
}

/** A header holds bytes, one character each. Text comes from a query, such as `response-content-disposition`. */
function bytesOf(value: string | number): string | number {
  return typeof value === "string" && /[\u0100-\uffff]/.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value;
}

function parseQuery(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const mark = pair.indexOf("=");
    const name = percentDecode((mark === -1 ? pair : pair.slice(0, mark)).replaceAll("+", " "), "query");
    const value = mark === -1 ? "" : percentDecode(pair.slice(mark + 1).replaceAll("+", " "), name);
    if (query.has(name)) throw invalidArgument(`The query parameter ${name} is given twice.`, { name, value });
    query.set(name, value);
  }
  return query;
}

/** @throws OssError `InvalidDigest`. */
export function assertContentMd5(header: string | undefined, digest: Buffer): void {
  if (header === undefined) return;
  if (!Buffer.from(header, "base64").equals(digest))
    throw new OssError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.", {
      details: { "Content-MD5": header },
    });
}
