import { ApiError } from "../contracts";
import { OssError } from "../oss/oss-error";
import { type XmlFields, xmlDocument } from "../oss/xml";
import { parseXmlBody } from "../oss/xml-body";
import type { Message } from "./queue";

const NAMESPACE = "http://mns.aliyuncs.com/doc/v1/";
/** Characters that XML 1.0 cannot contain, and halves of surrogate pairs. */
const NO_XML_TEXT = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

export const mnsDocument = (root: string, value: XmlFields): string =>
  xmlDocument(root, value).replace(`<${root}>`, `<${root} xmlns="${NAMESPACE}">`);

export interface SendRequest {
  body: string;
  delaySeconds?: number;
  priority?: number;
}

const malformed = () => new ApiError(400, "MalformedXML", "The XML you provided was not well-formed.");

/** Reads the body of SendMessage. @throws ApiError 400 `MalformedXML`, `InvalidArgument` */
export async function readSendRequest(document: Buffer): Promise<SendRequest> {
  const message = await parseXmlBody(document, "Message").catch((error: unknown) => {
    throw error instanceof OssError ? malformed() : error;
  });
  const unknown = Object.keys(message.toFields()).find((name) => !["MessageBody", "DelaySeconds", "Priority"].includes(name));
  if (unknown !== undefined)
    throw new ApiError(
      400,
      "InvalidArgument",
      `The XML you provided did not validate against our published schema, cause by ${unknown} Element.`,
    );
  const body = message.first("MessageBody")?.text ?? "";
  if (NO_XML_TEXT.test(body)) throw malformed();
  const delaySeconds = integerOf(message.first("DelaySeconds")?.text);
  const priority = integerOf(message.first("Priority")?.text);
  return { body, ...(delaySeconds === undefined ? {} : { delaySeconds }), ...(priority === undefined ? {} : { priority }) };
}

const integerOf = (text: string | undefined) => (text === undefined ? undefined : /^\d+$/.test(text) ? Number(text) : Number.NaN);

export const peekedFields = (message: Message): XmlFields => ({
  MessageId: message.messageId,
  MessageBodyMD5: message.bodyMd5,
  MessageBody: message.body,
  EnqueueTime: message.enqueuedAt,
  FirstDequeueTime: message.firstDequeuedAt,
  DequeueCount: message.dequeueCount,
  Priority: message.priority,
});

export const receivedFields = (message: Message): XmlFields => ({
  ...peekedFields(message),
  ReceiptHandle: message.receiptHandle,
  NextVisibleTime: message.visibleAt,
});
