/**
 * Upload callbacks: after an upload, OSS posts a body that the client composed to a server that the client named, and passes that server's
 * answer on. The object stays when the callback fails.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { EC } from "../error-codes";
import { percentEncode } from "../names";
import type { Operation } from "../operation";
import { invalidArgument, OssError } from "../oss-error";
import type { StoredObject } from "../store/model";

const MAX_URLS = 5;
const MAX_ANSWER_BYTES = 3 * 1024 * 1024;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";
/** A variable, or a dollar sign that does not begin one. */
const VARIABLE = /\$(\{([^{}]*)\})?/g;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3})$/;

export interface Callback {
  /** Tried in this order until one answers well. */
  urls: readonly URL[];
  host: string | undefined;
  body: string;
  bodyType: typeof FORM | typeof JSON_TYPE;
  /** The client's own variables, by name with `x:`. */
  variables: ReadonlyMap<string, string>;
}

/** What the callback tells of. */
export interface Uploaded {
  object: StoredObject;
  operation: "PutObject" | "PostObject" | "CompleteMultipartUpload";
}

/**
 * The callback that a request asks for in `x-oss-callback` and `x-oss-callback-var`, or in the query of a signed URL. Undefined without an
 * address.
 * @throws OssError `InvalidArgument`, before anything is stored
 */
export function readCallback({ exchange }: Operation): Callback | undefined {
  const encoded = exchange.header("x-oss-callback") ?? exchange.query.get("callback");
  if (encoded === undefined || encoded === "") return undefined;
  const settings = decoded("callback", encoded);
  const text = (name: string): string | undefined => {
    const value = settings[name];
    if (value !== undefined && typeof value !== "string")
      throw invalidArgument(`The ${name} of the callback must be a string.`, { name: "callback", value: JSON.stringify(value) });
    return value;
  };
  const addresses = text("callbackUrl") ?? "";
  const bodyType = text("callbackBodyType") || FORM;
  if (addresses === "") return undefined;
  if (bodyType !== FORM && bodyType !== JSON_TYPE)
    throw invalidArgument(`The callbackBodyType must be ${FORM} or ${JSON_TYPE}.`, { name: "callbackBodyType", value: bodyType });
  const body = text("callbackBody") ?? "";
  if (body === "") throw invalidArgument("The callback has no callbackBody.", { name: "callback", value: encoded });
  const variables = variablesOf(exchange.header("x-oss-callback-var") ?? exchange.query.get("callback-var"));
  const callback: Callback = { urls: urlsOf(addresses), host: text("callbackHost") || undefined, body, bodyType, variables };
  assertTemplate(callback);
  return callback;
}

function decoded(name: string, base64: string): Record<string, unknown> {
  if (!BASE64.test(base64)) throw invalidArgument(`The ${name} configuration is not base64 encoded.`, { name, value: base64 });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidArgument(`The ${name} configuration is not json format.`, { name, value: base64 });
  return value as Record<string, unknown>;
}

function variablesOf(base64: string | undefined): ReadonlyMap<string, string> {
  if (base64 === undefined || base64 === "") return new Map();
  return new Map(
    Object.entries(decoded("callback-var", base64)).map(([name, value]) => {
      if (!name.startsWith("x:") || name !== name.toLowerCase() || typeof value !== "string")
        throw invalidArgument(
          "A variable of callback-var has a name that begins with x:, in lower case, and a string as its value.",
          { name: "callback-var", value: name },
        );
      return [name, value];
    }),
  );
}

function urlsOf(addresses: string): URL[] {
  const urls = addresses.split(";").filter((address) => address !== "");
  if (urls.length > MAX_URLS)
    throw invalidArgument(`At most ${MAX_URLS} addresses are allowed in callbackUrl.`, { name: "callbackUrl", value: addresses });
  return urls.map((address) => {
    const url = /^https?:\/\//i.test(address) ? address : `http://${address}`;
    if (!URL.canParse(url)) throw invalidArgument("The callbackUrl is not valid.", { name: "callbackUrl", value: address });
    return new URL(url);
  });
}

/** Replaces the variables of a body. Values are percent-encoded, or quoted in JSON. */
function filled({ body, bodyType }: Callback, read: (name: string) => string | number): string {
  return body.replace(VARIABLE, (_whole, braces: string | undefined, name: string) => {
    if (braces === undefined)
      throw invalidArgument("Left brace must be adjacent to dollar sign.", { name: "callbackBody", value: body });
    const value = read(name);
    return bodyType === FORM ? percentEncode(String(value)) : JSON.stringify(value);
  });
}

function assertTemplate(callback: Callback): void {
  const example = filled(callback, () => "");
  if (callback.bodyType === FORM) return;
  try {
    JSON.parse(example);
  } catch {
    throw invalidArgument("The callback configuration is not json format.", { name: "callbackBody", value: callback.body });
  }
}

/** The value of a variable; a name that is not known has the empty string, as `imageInfo` of what is no image. */
function valuesOf(operation: Operation, { variables }: Callback, uploaded: Uploaded): (name: string) => string | number {
  const { object } = uploaded;
  const known: Record<string, string | number> = {
    bucket: operation.bucket.name,
    object: operation.key,
    etag: object.etag,
    size: object.sizeBytes,
    mimeType: object.headers["content-type"] ?? "",
    crc64: object.crc64,
    contentMd5: object.md5 ?? "",
    clientIp: operation.exchange.sourceIp,
    reqId: operation.exchange.requestId,
    operation: uploaded.operation,
  };
  return (name) => variables.get(name) ?? (Object.hasOwn(known, name) ? (known[name] ?? "") : "");
}

/**
 * Calls back and answers the upload with what the called server answered.
 * @throws OssError 203 `CallbackFailed`
 */
export async function callBack(
  operation: Operation,
  callback: Callback,
  uploaded: Uploaded,
  headers: Record<string, string | undefined>,
): Promise<void> {
  const body = Buffer.from(filled(callback, valuesOf(operation, callback, uploaded)));
  let failure: unknown;
  for (const url of callback.urls) {
    try {
      const answer = await post(url, callback, body, operation.callbackTimeoutMs);
      operation.exchange.send(200, { ...headers, "content-type": JSON_TYPE }, answer);
      return;
    } catch (error) {
      if (!(error instanceof OssError)) throw error;
      failure = error;
    }
  }
  throw failure;
}

const failed = (message: string, ec?: string) => new OssError(203, "CallbackFailed", message, ec === undefined ? {} : { ec });

async function post(url: URL, callback: Callback, body: Buffer, timeoutMs: number): Promise<Buffer> {
  if (!LOOPBACK.test(url.hostname))
    throw failed(`The local OSS calls back to localhost and 127.0.0.1 only, not to ${url.hostname}.`);
  const { status, answer } = await exchangeWith(url, callback, body, timeoutMs);
  if (status !== 200) throw failed(`Error status : ${status}.`);
  try {
    JSON.parse(answer.toString("utf8"));
  } catch {
    throw failed("Response body is not valid json format.", EC.callbackAnswer);
  }
  return answer;
}

function exchangeWith(
  url: URL,
  callback: Callback,
  body: Buffer,
  timeoutMs: number,
): Promise<{ status: number; answer: Buffer }> {
  const signal = AbortSignal.timeout(timeoutMs);
  const headers = {
    "content-type": callback.bodyType,
    "content-length": body.byteLength,
    "user-agent": "http-client/0.0.1",
    connection: "close",
    ...(callback.host === undefined ? {} : { host: callback.host }),
  };
  const open = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = () =>
      reject(
        failed(
          signal.aborted ? "Cost too long time." : "Error status : -1.OSS can not connect to your callbackUrl, please check it.",
        ),
      );
    const request = open(url, { method: "POST", headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.byteLength;
        if (size > MAX_ANSWER_BYTES) {
          reject(failed("Error status : 400.User server return too long content-length value."));
          request.destroy();
        } else chunks.push(chunk);
      });
      response.on("error", fail);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, answer: Buffer.concat(chunks) }));
    });
    request.on("error", fail);
    request.end(body);
  });
}
