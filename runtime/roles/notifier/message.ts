/**
 * An alarm as a request in the format of each webhook, and what its answer means. Pure functions.
 * DingTalk: https://open.dingtalk.com/document/robots/custom-robot-access
 * WeCom: https://developer.work.weixin.qq.com/document/path/91770
 * Lark: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
 */
import { createHmac } from "node:crypto";
import type { WebhookFormat } from "../../protocol/env";
import { at, parseJson } from "../../protocol/json";
import { parseSecrets, signRequest } from "../../protocol/signing";
import type { BridgeErrorKind } from "../../stores/errors";

/** A change of an alarm's state, or another message of its topic. */
export interface AlarmNotice {
  /** The same when the message is delivered again. */
  id: string;
  alarm: string;
  /** As the monitoring service names it: ALARM, OK, INSUFFICIENT_DATA; MESSAGE where it is no alarm. */
  state: string;
  /** Says what has happened and what to do. */
  text: string;
  /** Why the state changed. */
  reason?: string | undefined;
  /** When it changed, as the service writes it. */
  at?: string | undefined;
  region?: string | undefined;
  accountId?: string | undefined;
}

export interface WebhookMessage {
  /** Added to the query of the webhook's URL. */
  query: Record<string, string>;
  headers: Record<string, string>;
  body: string;
}

/** The shortest limit, WeCom's, is 2,048 bytes of text. */
const MOST_BYTES = 2_048;
const MOST_REASON_CHARACTERS = 400;

/** The text that people read. */
export function textOf({ alarm, state, text, reason, at: when, region, accountId }: AlarmNotice): string {
  const where = [when, region, accountId === undefined ? undefined : `account ${accountId}`];
  const lines = [
    `[${state}] ${alarm}`,
    text,
    ...(reason === undefined ? [] : [`Reason: ${clipped(reason, MOST_REASON_CHARACTERS)}`]),
    where.filter((part) => part !== undefined).join(", "),
  ];
  return withinBytes(lines.filter((line) => line !== "").join("\n"), MOST_BYTES);
}

const clipped = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most)}...`);

/** Cuts no character into halves. */
function withinBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const kept = Buffer.from(text).subarray(0, most - 3);
  return `${new TextDecoder().decode(kept).replace(/\uFFFD+$/, "")}...`;
}

/** @param secret signs the message; the robots of WeCom know none */
export function messageOf(
  format: WebhookFormat,
  notice: AlarmNotice,
  { secret, nowMs }: { secret: string | undefined; nowMs: number },
): WebhookMessage {
  switch (format) {
    case "json":
      return jsonMessage(notice, secret, nowMs);
    case "dingtalk":
      return plain({ msgtype: "text", text: { content: textOf(notice) } }, dingTalkQuery(secret, nowMs));
    case "wecom":
      return plain({ msgtype: "text", text: { content: textOf(notice) } });
    case "lark":
      return plain({ ...larkSignature(secret, nowMs), msg_type: "text", content: { text: withoutMentions(textOf(notice)) } });
  }
}

/** Lark takes `<at user_id="all">` in a text for a mention of everybody. */
const withoutMentions = (text: string): string => text.replace(/<(?=\/?at\b)/gi, "‹");

const CONTENT_TYPE = { "content-type": "application/json; charset=utf-8" };

const plain = (body: object, query: Record<string, string> = {}): WebhookMessage => ({
  query,
  headers: { ...CONTENT_TYPE },
  body: JSON.stringify(body),
});

/** Signed as the Standard Webhooks specification says. */
function jsonMessage(notice: AlarmNotice, secret: string | undefined, nowMs: number): WebhookMessage {
  const body = JSON.stringify({ type: "crossborderbridge.alarm", version: 1, ...notice });
  const secrets = secret === undefined ? [] : parseSecrets(secret);
  const signature = secrets.length === 0 ? {} : signRequest({ id: notice.id, timestampMs: nowMs, body, secrets });
  return { query: {}, headers: { ...CONTENT_TYPE, ...signature }, body };
}

/** The time in milliseconds and the key in one text, signed with the key. */
function dingTalkQuery(secret: string | undefined, nowMs: number): Record<string, string> {
  if (secret === undefined) return {};
  const timestamp = String(nowMs);
  const sign = createHmac("sha256", secret).update(`${timestamp}\n${secret}`).digest("base64");
  return { timestamp, sign };
}

/** The time in seconds and the key are the key of the signature of an empty text. */
function larkSignature(secret: string | undefined, nowMs: number): Record<string, string> {
  if (secret === undefined) return {};
  const timestamp = String(Math.floor(nowMs / 1000));
  return { timestamp, sign: createHmac("sha256", `${timestamp}\n${secret}`).update("").digest("base64") };
}

interface Meaning {
  kind: BridgeErrorKind;
  text: string;
}

const SIGNATURE = "the signature, the keyword or the address does not fit the robot's security settings";
const NO_ROBOT = "there is no such robot: the URL is wrong, or the robot was removed";
const TOO_MANY = "the robot takes no more messages now";
const BUSY = "the service is busy";

/** Codes in the body of an answer with status 200. Any other code than 0 is a refusal too. */
const CODES: Readonly<Record<Exclude<WebhookFormat, "json">, Readonly<Record<number, Meaning>>>> = {
  dingtalk: {
    [-1]: { kind: "Unavailable", text: BUSY },
    130101: { kind: "RateLimited", text: TOO_MANY },
    410100: { kind: "RateLimited", text: TOO_MANY },
    300001: { kind: "NotFound", text: NO_ROBOT },
    310000: { kind: "PermissionDenied", text: SIGNATURE },
  },
  wecom: {
    [-1]: { kind: "Unavailable", text: BUSY },
    45009: { kind: "RateLimited", text: TOO_MANY },
    93000: { kind: "NotFound", text: NO_ROBOT },
  },
  lark: {
    11232: { kind: "RateLimited", text: TOO_MANY },
    19001: { kind: "NotFound", text: NO_ROBOT },
    19021: { kind: "PermissionDenied", text: SIGNATURE },
    19022: { kind: "PermissionDenied", text: SIGNATURE },
    19024: { kind: "PermissionDenied", text: SIGNATURE },
  },
};

/**
 * Why the body of an answer with status 200 is no success, or undefined. The service's own text is left out, because it may quote the request.
 */
export function refusalIn(format: WebhookFormat, body: string): Meaning | undefined {
  if (format === "json") return undefined;
  const code = codeIn(format, body);
  if (code === 0) return undefined;
  if (code === undefined) return { kind: "Invalid", text: `the answer is not one of ${format}: the format or the URL is wrong` };
  return meaningOf(format, code);
}

/** The robot's own reason in an answer with another status, or undefined where there is none. */
export function namedRefusalIn(format: WebhookFormat, body: string): Meaning | undefined {
  if (format === "json") return undefined;
  const code = codeIn(format, body);
  return code === undefined || code === 0 ? undefined : meaningOf(format, code);
}

type RobotFormat = keyof typeof CODES;

function codeIn(format: RobotFormat, body: string): number | undefined {
  const json = parseJson(body);
  const code = format === "lark" ? (at(json, "code") ?? at(json, "StatusCode")) : at(json, "errcode");
  return typeof code === "number" ? code : undefined;
}

function meaningOf(format: RobotFormat, code: number): Meaning {
  const { kind, text } = CODES[format][code] ?? { kind: "Invalid", text: "the robot refused the message" };
  return { kind, text: `${text} (code ${code})` };
}
