/** https://www.alibabacloud.com/help/en/oss/developer-reference/postobject */
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { attributesOf } from "../attributes";
import { assertSignedRegion, authenticateForm } from "../auth/authenticate";
import { assertObjectName, percentEncode } from "../names";
import type { Operation } from "../operation";
import { invalidArgument, OssError } from "../oss-error";
import type { StoredObject } from "../store/model";
import { xmlDocument } from "../xml";
import { type Callback, callBack, readCallback } from "./callback";
import { assertMayOverwrite, commitObject, permitAttributes } from "./commit";
import { boundaryOf, type FormPart, FormReader } from "./form-data";
import { assertAllowed, type PostPolicy, readPolicy } from "./post-policy";
import { etagOfMd5, storedHeaders } from "./put-object";
import { assertLength, discardOnError, MAX_BODY_BYTES, tooLarge, withinIdleLimit } from "./receive-body";

interface Form {
  /** By lower-case name. */
  fields: ReadonlyMap<string, string>;
  file: FormPart;
}

interface Upload {
  /** The operation on the object that the form names. */
  operation: Operation;
  object: StoredObject;
  callback: Callback | undefined;
}

/** Fields that do what a header of the same name does for PutObject. */
const HEADER_FIELD =
  /^(?:cache-control|content-disposition|content-encoding|content-language|expires|x-oss-(?:meta-.*|object-acl|storage-class|tagging|forbid-overwrite|server-side-.*))$/;
const UNLIMITED: PostPolicy = { minBytes: 0, maxBytes: Number.POSITIVE_INFINITY, conditions: [] };

export async function postObject(operation: Operation): Promise<void> {
  const { exchange } = operation;
  const boundary = boundaryOf(exchange.header("content-type"));
  assertLength(exchange);
  exchange.welcomeBody();
  const reader = new FormReader(exchange.request, boundary);
  const { form, upload } = await withinIdleLimit(operation, async () => {
    try {
      const form = await readFields(reader);
      return { form, upload: await store(operation, form, reader) };
    } catch (error) {
      if (!exchange.request.destroyed) await reader.drain();
      throw error;
    }
  });
  if (upload.callback === undefined) answer(upload, form.fields);
  else await callBack(upload.operation, upload.callback, { object: upload.object, operation: "PostObject" }, headersOf(upload));
}

const headersOf = ({ operation, object }: Upload) => storedHeaders(operation, object);

/** Reads everything before the file. */
async function readFields(reader: FormReader): Promise<Form> {
  const fields = new Map<string, string>();
  for (let part = await reader.next(); part !== undefined; part = await reader.next()) {
    if (part.name.toLowerCase() === "file") return { fields, file: part };
    fields.set(part.name.toLowerCase(), await reader.text());
  }
  throw noSingleFile();
}

const noSingleFile = () =>
  new OssError(400, "IncorrectNumberOfFilesInPOSTRequest", "POST requires exactly one file upload per request.");

async function store(request: Operation, form: Form, reader: FormReader): Promise<Upload> {
  const { exchange, bucket, now } = request;
  const { fields } = form;
  const template = fields.get("key") ?? "";
  if (template === "")
    throw invalidArgument(
      "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
      { name: "key", value: "" },
    );
  // A browser may send the whole path of the file.
  const filename = (form.file.filename ?? "").replace(/^.*[/\\]/s, "");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: OSS replaces this variable
  const key = template.replaceAll("${filename}", () => filename);
  assertObjectName(key);
  const caller = authenticateForm(fields, request.credentials, now);
  assertSignedRegion(caller, bucket.record.region);
  const encoded = fields.get("policy");
  // A form without a signature has no policy.
  const policy = encoded === undefined ? UNLIMITED : readPolicy(encoded, now);
  assertAllowed(policy, conditionFields(form, bucket.name));
  const operation = request.ofForm(caller, key);
  exchange.headers = headersFrom(form, exchange.request.headers);
  operation.permit("oss:PutObject");
  permitAttributes(operation);
  const attributes = attributesOf(exchange.headers, bucket.record);
  const callback = readCallback(operation);
  assertMayOverwrite(operation, bucket.keys.versions(key));
  const received = await bucket.data.receive(Readable.from(limited(reader.content(), policy.maxBytes), { objectMode: false }));
  const object = await discardOnError(operation, received, async () => {
    if (received.sizeBytes < policy.minBytes)
      throw new OssError(400, "EntityTooSmall", "Your proposed upload smaller than the minimum allowed size.", {
        details: { ProposedSize: String(received.sizeBytes), MinSizeAllowed: String(policy.minBytes) },
      });
    await assertFileIsLast(reader);
    return commitObject(
      operation,
      { ...attributes, ...received, type: "Normal", etag: etagOfMd5(received.md5) },
      "ObjectCreated:PostObject",
    );
  });
  return { operation, object, callback };
}

/** The fields that conditions may name. They compare `key` as it was sent, with `${filename}` in it; the documentation does not say so. */
function conditionFields({ fields, file }: Form, bucket: string): ReadonlyMap<string, string> {
  const contentType = fields.get("content-type") ?? file.contentType;
  return new Map([...fields, ["bucket", bucket], ...(contentType === undefined ? [] : [["content-type", contentType] as const])]);
}

/** Header values are bytes, one character each. */
const bytesOf = (value: string) => Buffer.from(value, "utf8").toString("latin1");

/** The headers of a PutObject that does the same as the form. */
function headersFrom({ fields, file }: Form, own: IncomingHttpHeaders): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (const name of ["host", "user-agent", "expect"]) if (own[name] !== undefined) headers[name] = own[name];
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) return;
    if ([...value].some((character) => (character < " " && character !== "\t") || character === "\x7f"))
      throw invalidArgument("A header value must not contain a control character.", { name, value });
    headers[name] = bytesOf(value);
  };
  for (const [name, value] of fields) if (HEADER_FIELD.test(name)) set(name, value);
  set("content-type", fields.get("x-oss-content-type") ?? file.contentType ?? fields.get("content-type"));
  set("x-oss-callback", fields.get("callback"));
  // Every variable of the callback has a field of its own.
  const variables = [...fields].filter(([name]) => name.startsWith("x:"));
  if (variables.length > 0)
    set("x-oss-callback-var", Buffer.from(JSON.stringify(Object.fromEntries(variables))).toString("base64"));
  return headers;
}

async function* limited(content: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  const limit = Math.min(maxBytes, MAX_BODY_BYTES);
  let size = 0;
  for await (const piece of content) {
    size += piece.byteLength;
    if (size > limit) throw tooLarge();
    yield piece;
  }
}

/** Only the button that sent the form may follow the file. */
async function assertFileIsLast(reader: FormReader): Promise<void> {
  for (let part = await reader.next(); part !== undefined; part = await reader.next()) {
    if (part.name.toLowerCase() === "file") throw noSingleFile();
    if (part.name.toLowerCase() !== "submit")
      throw new OssError(
        400,
        "MalformedPOSTRequest",
        `The body of your POST request is not well-formed multipart/form-data: the field ${part.name} follows the file.`,
      );
    await reader.text();
  }
}

function answer(upload: Upload, fields: ReadonlyMap<string, string>): void {
  const { exchange, bucket, key } = upload.operation;
  const etag = `"${upload.object.etag}"`;
  const headers = headersOf(upload);
  const redirect = fields.get("success_action_redirect");
  if (redirect !== undefined && URL.canParse(redirect) && /^https?:/i.test(redirect)) {
    const url = new URL(redirect);
    for (const [name, value] of Object.entries({ bucket: bucket.name, key, etag })) url.searchParams.set(name, value);
    exchange.send(303, { ...headers, location: url.href });
    return;
  }
  const status = fields.get("success_action_status");
  if (status === "201") {
    const base = `${exchange.secure ? "https" : "http"}://${exchange.header("host")}${exchange.rawPath.replace(/\/?$/, "/")}`;
    const location = base + percentEncode(key).replaceAll("%2F", "/");
    const document = xmlDocument("PostResponse", { Bucket: bucket.name, ETag: etag, Key: key, Location: location });
    exchange.send(201, { ...headers, "content-type": "application/xml", location }, document);
  } else exchange.send(status === "200" ? 200 : 204, headers);
}
