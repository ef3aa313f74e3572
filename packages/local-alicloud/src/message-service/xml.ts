import { ApiError } from "../contracts";
import { OssError } from "../oss/oss-error";
import { type XmlFields, xmlDocument } from "../oss/xml";
import { parseXmlBody, type XmlElement } from "../oss/xml-body";
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

/** The messages of SendMessage, or of BatchSendMessage, whose root is `Messages`. @throws ApiError 400 `MalformedXML`, `InvalidArgument` */
export async function readSendRequest(document: Buffer): Promise<{ batch: boolean; messages: SendRequest[] }> {
  const batch = /<Messages[\s>]/.test(document.toString("utf8"));
  const root = await rootOf(document, batch ? "Messages" : "Message");
  assertOnly(root, batch ? ["Message"] : ["MessageBody", "DelaySeconds", "Priority"]);
  return { batch, messages: (batch ? root.all("Message") : [root]).map(readMessage) };
}

/** The receipt handles of BatchDeleteMessage. @throws ApiError 400 `MalformedXML`, `InvalidArgument` */
export async function readReceiptHandles(document: Buffer): Promise<string[]> {
  const root = await rootOf(document, "ReceiptHandles");
  assertOnly(root, ["ReceiptHandle"]);
  return root.all("ReceiptHandle").map(({ text }) => text);
}

async function rootOf(document: Buffer, name: string): Promise<XmlElement> {
  try {
    return await parseXmlBody(document, name);
  } catch (error) {
    throw error instanceof OssError ? malformed() : error;
  }
}

function assertOnly(element: XmlElement, allowed: readonly string[]): void {
  const unknown = Object.keys(element.toFields()).find((name) => !allowed.includes(name));
  if (unknown === undefined) return;
  throw new ApiError(
    400,
    "InvalidArgument",
    `The XML you provided did not validate against our published schema, cause by ${unknown} Element.`,
  );
}

function readMessage(message: XmlElement): SendRequest {
  assertOnly(message, ["MessageBody", "DelaySeconds", "Priority"]);
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
