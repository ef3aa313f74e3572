/** Operations on messages and queues. https://www.alibabacloud.com/help/en/mns/developer-reference/queue-operations */
import { ApiError } from "../contracts";
import type { XmlFields } from "../oss/xml";
import type { Message, Queue } from "./queue";
import { assertBetween, queueFields } from "./queue-spec";
import { mnsDocument, peekedFields, readReceiptHandles, readSendRequest, receivedFields, type SendRequest } from "./xml";

export interface Operation {
  /** E.g. `mns:SendMessage`. */
  action: string;
  queueName: string;
  /** The part of the ARN after `acs:mns:<region>:<uid>:`. */
  resource: string;
  run(queue: Queue, signal: AbortSignal): Promise<MessageAnswer>;
}

export interface MessageAnswer {
  status: number;
  document?: string;
}

const MAX_BATCH = 16;
/** Of all bodies of one BatchSendMessage together. */
const MAX_BATCH_BYTES = 65_536;
const MAX_WAIT_SECONDS = 30;

/** Reads the query. Names are case-insensitive, because the vendor's pages write them differently. */
function parametersOf(query: string, allowed: readonly string[]): ReadonlyMap<string, string> {
  const parameters = new Map([...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value]));
  for (const name of parameters.keys())
    if (!allowed.includes(name))
      throw new ApiError(400, "InvalidQueryString", `Http request URL contains invalid querystring item "${name}".`);
  return parameters;
}

const numberOf = (parameters: ReadonlyMap<string, string>, name: string, low: number, high: number): number | undefined => {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  assertBetween(name, value, low, high);
  return value;
};

/** @throws ApiError */
export function findOperation({ method, url, body }: { method: string; url: string; body: Buffer }): Operation {
  const [path = "", query = ""] = url.split("?", 2);
  const [, queueName, messages] = /^\/queues\/([^/]+?)(\/messages)?$/.exec(path) ?? [];
  if (queueName === undefined) throw new ApiError(400, "InvalidRequestURL", "Http request URL format invalid.");
  const about = { queueName, resource: messages === undefined ? `/queues/${queueName}` : `/queues/${queueName}/messages` };
  if (messages === undefined) {
    if (method !== "GET") throw new ApiError(400, "InvalidRequestURL", `${method} of a queue is not served here.`);
    parametersOf(query, []);
    return { ...about, action: "mns:GetQueueAttributes", run: async (queue) => attributes(queue) };
  }
  switch (method) {
    case "POST":
      parametersOf(query, []);
      return { ...about, ...sendOneOrMore(body) };
    case "GET":
      return { ...about, ...receiveOrPeek(query) };
    case "PUT":
      return { ...about, action: "mns:ChangeMessageVisibility", run: async (queue) => changeVisibility(queue, query) };
    case "DELETE":
      if (query === "" && body.length > 0)
        return { ...about, action: "mns:BatchDeleteMessage", run: (queue) => removeAll(queue, body) };
      return { ...about, action: "mns:DeleteMessage", run: async (queue) => remove(queue, query) };
    default:
      throw new ApiError(400, "InvalidRequestURL", `${method} of messages is not served.`);
  }
}

/** A batch has an action of its own in RAM. The root of the document tells them apart. */
function sendOneOrMore(body: Buffer): Pick<Operation, "action" | "run"> {
  const batch = /<Messages[\s>]/.test(body.toString("utf8"));
  return { action: batch ? "mns:BatchSendMessage" : "mns:SendMessage", run: (queue) => send(queue, body) };
}

async function send(queue: Queue, body: Buffer): Promise<MessageAnswer> {
  const { batch, messages } = await readSendRequest(body);
  if (batch) {
    assertBetween("the number of messages", messages.length, 1, MAX_BATCH);
    const bytes = messages.reduce((sum, message) => sum + Buffer.byteLength(message.body), 0);
    assertBetween("the size of all messages", bytes, 1, MAX_BATCH_BYTES);
    return sendAll(queue, messages);
  }
  const [{ body: text, ...options }] = messages as [SendRequest];
  return { status: 201, document: mnsDocument("Message", sentFields(queue.send(text, options))) };
}

/** 201 when every message was stored. Otherwise 500, and each message that was refused has its error. */
function sendAll(queue: Queue, messages: readonly SendRequest[]): MessageAnswer {
  let status = 201;
  const Message = messages.map(({ body, ...options }): XmlFields => {
    try {
      return sentFields(queue.send(body, options));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      status = 500;
      return { ErrorCode: error.code, ErrorMessage: error.message };
    }
  });
  return { status, document: mnsDocument("Messages", { Message }) };
}

const sentFields = ({ messageId, bodyMd5, receiptHandle, visibleAt, enqueuedAt }: Message): XmlFields => ({
  MessageId: messageId,
  MessageBodyMD5: bodyMd5,
  // Only a delayed message has one; with it the message can be deleted.
  ReceiptHandle: visibleAt > enqueuedAt ? receiptHandle : undefined,
});

function receiveOrPeek(query: string): Pick<Operation, "action" | "run"> {
  const parameters = parametersOf(query, ["waitseconds", "numofmessages", "peekonly"]);
  const waitSeconds = numberOf(parameters, "waitseconds", 0, MAX_WAIT_SECONDS);
  const count = numberOf(parameters, "numofmessages", 1, MAX_BATCH);
  const answer = (found: ReturnType<typeof receivedFields>[]): MessageAnswer => {
    const [first] = found;
    if (first === undefined) throw new ApiError(404, "MessageNotExist", "Message not exist.");
    // A request with numOfMessages gets a list, also of one message.
    const document = count === undefined ? mnsDocument("Message", first) : mnsDocument("Messages", { Message: found });
    return { status: 200, document };
  };
  if (parameters.get("peekonly") === "true")
    return {
      action: count === undefined ? "mns:PeekMessage" : "mns:BatchPeekMessage",
      run: async (queue) => answer(queue.peek(count ?? 1).map(peekedFields)),
    };
  return {
    action: count === undefined ? "mns:ReceiveMessage" : "mns:BatchReceiveMessage",
    run: async (queue, signal) => {
      const received = await queue.receive(count ?? 1, waitSeconds ?? queue.spec.pollingWaitSeconds, signal);
      return answer(received.map(receivedFields));
    },
  };
}

function receiptHandleOf(parameters: ReadonlyMap<string, string>): string {
  const handle = parameters.get("receipthandle");
  if (handle === undefined || handle === "") throw new ApiError(400, "MissingReceiptHandle", "ReceiptHandle is required.");
  return handle;
}

function changeVisibility(queue: Queue, query: string): MessageAnswer {
  const parameters = parametersOf(query, ["receipthandle", "visibilitytimeout"]);
  const handle = receiptHandleOf(parameters);
  const seconds = numberOf(parameters, "visibilitytimeout", 1, 43_200);
  if (seconds === undefined) throw new ApiError(400, "MissingVisibilityTimeout", "VisibilityTimeout is required.");
  const { receiptHandle, visibleAt } = queue.changeVisibility(handle, seconds);
  return {
    status: 200,
    document: mnsDocument("ChangeVisibility", { ReceiptHandle: receiptHandle, NextVisibleTime: visibleAt }),
  };
}

function remove(queue: Queue, query: string): MessageAnswer {
  queue.delete(receiptHandleOf(parametersOf(query, ["receipthandle"])));
  return { status: 204 };
}

/** 204 when every message was deleted. Otherwise 404 with the handles that were not. */
async function removeAll(queue: Queue, body: Buffer): Promise<MessageAnswer> {
  const handles = await readReceiptHandles(body);
  assertBetween("the number of receipt handles", handles.length, 1, MAX_BATCH);
  const refused = handles.flatMap((handle): XmlFields[] => {
    try {
      queue.delete(handle);
      return [];
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return [{ ErrorCode: error.code, ErrorMessage: error.message, ReceiptHandle: handle }];
    }
  });
  return refused.length === 0 ? { status: 204 } : { status: 404, document: mnsDocument("Errors", { Error: refused }) };
}

/** How many messages can be received, wait for their delay, or are with a consumer. */
export function messageCounts(queue: Queue): { ActiveMessages: number; DelayMessages: number; InactiveMessages: number } {
  const messages = queue.all();
  const active = new Set(queue.peek(messages.length));
  const hidden = messages.filter((message) => !active.has(message));
  const delayed = hidden.filter(({ dequeueCount }) => dequeueCount === 0);
  return { ActiveMessages: active.size, DelayMessages: delayed.length, InactiveMessages: hidden.length - delayed.length };
}

function attributes(queue: Queue): MessageAnswer {
  return {
    status: 200,
    document: mnsDocument("Queue", {
      ...queueFields(queue.spec),
      CreateTime: Math.floor(queue.createdAt / 1000),
      LastModifyTime: Math.floor(queue.lastModifiedAt / 1000),
      ...messageCounts(queue),
      LoggingEnabled: "False",
    }),
  };
}
