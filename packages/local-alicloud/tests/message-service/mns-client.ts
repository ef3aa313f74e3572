/** A client of SMQ written from its documentation. */
import { createHash, createHmac } from "node:crypto";
import { request as httpsRequest } from "node:https";

export interface MnsKeys {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken?: string;
}

export interface MnsRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body: string;
}

export interface MnsAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The text of the first element of that name. */
  element(name: string): string | undefined;
}

const unescapeXml = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|#13);/g,
    (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#13": "\r" })[name] ?? "",
  );

export const escapeXml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");

export const messageXml = (body: string, more = "") =>
  `<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>${escapeXml(body)}</MessageBody>${more}</Message>`;

export const messagesXml = (messages: readonly (readonly [body: string, more?: string])[]) => {
  const all = messages.map(([body, more = ""]) => `<Message><MessageBody>${escapeXml(body)}</MessageBody>${more}</Message>`);
  return `<?xml version="1.0" encoding="UTF-8"?><Messages xmlns="http://mns.aliyuncs.com/doc/v1/">${all.join("")}</Messages>`;
};

export const handlesXml = (handles: readonly string[]) => {
  const all = handles.map((handle) => `<ReceiptHandle>${handle}</ReceiptHandle>`);
  return `<?xml version="1.0" encoding="UTF-8"?><ReceiptHandles xmlns="http://mns.aliyuncs.com/doc/v1/">${all.join("")}</ReceiptHandles>`;
};

const md5 = (body: string) => createHash("md5").update(body).digest("base64");

interface MnsOptions {
  body?: string;
  at?: Date;
  /** The value of Content-MD5. */
  digest?: (body: string) => string;
  change?: (request: MnsRequest) => void;
  signal?: AbortSignal;
}

export function createMnsClient({ origin, ca, keys }: { origin: string; ca: string; keys: MnsKeys }) {
  const { host, port } = new URL(origin);

  const sign = (method: string, path: string, body: string, at: Date, digest: (body: string) => string): MnsRequest => {
    const headers: Record<string, string> = {
      host,
      date: at.toUTCString(),
      "x-mns-version": "2015-06-06",
      ...(keys.securityToken === undefined ? {} : { "security-token": keys.securityToken }),
      ...(body === ""
        ? {}
        : {
            "content-type": "text/xml;charset=utf-8",
            "content-md5": digest(body),
            "content-length": `${Buffer.byteLength(body)}`,
          }),
    };
    const text = `${method}\n${headers["content-md5"] ?? ""}\n${headers["content-type"] ?? ""}\n${headers.date}\nx-mns-version:2015-06-06\n${path}`;
    const signature = createHmac("sha1", keys.accessKeySecret).update(text).digest("base64");
    headers.authorization = `MNS ${keys.accessKeyId}:${signature}`;
    return { method, path, headers, body };
  };

  /** `change` acts on the request after it was signed. */
  const send = (
    method: string,
    path: string,
    { body = "", at = new Date(), digest = md5, change = () => {}, signal }: MnsOptions = {},
  ): Promise<MnsAnswer> => {
    const signed = sign(method, path, body, at, digest);
    change(signed);
    const options = {
      host: "127.0.0.1",
      servername: "localhost",
      port,
      ca,
      agent: false as const,
      method: signed.method,
      path: signed.path,
      headers: signed.headers,
      ...(signal === undefined ? {} : { signal }),
    };
    return new Promise((resolve, reject) => {
      const request = httpsRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            element: (name) => {
              const content = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
              return content === undefined ? undefined : unescapeXml(content);
            },
          });
        });
      });
      request.on("error", reject);
      request.end(signed.body);
    });
  };

  const messages = (queue: string) => `/queues/${queue}/messages`;
  return {
    send,
    post: (queue: string, body: string, more = "") => send("POST", messages(queue), { body: messageXml(body, more) }),
    receive: (queue: string, query = "", signal?: AbortSignal) =>
      send("GET", `${messages(queue)}${query}`, signal === undefined ? {} : { signal }),
    peek: (queue: string, query = "") => send("GET", `${messages(queue)}?peekonly=true${query}`),
    remove: (queue: string, handle: string) => send("DELETE", `${messages(queue)}?ReceiptHandle=${handle}`),
    postAll: (queue: string, all: Parameters<typeof messagesXml>[0]) => send("POST", messages(queue), { body: messagesXml(all) }),
    removeAll: (queue: string, handles: readonly string[]) => send("DELETE", messages(queue), { body: handlesXml(handles) }),
    hide: (queue: string, handle: string, seconds: number) =>
      send("PUT", `${messages(queue)}?receiptHandle=${handle}&visibilityTimeout=${seconds}`),
    attributes: (queue: string) => send("GET", `/queues/${queue}`),
  };
}

export type MnsClient = ReturnType<typeof createMnsClient>;
