/**
 * The formats of the webhooks, as the vendors' pages give them:
 * https://open.dingtalk.com/document/robots/custom-robot-access
 * https://developer.work.weixin.qq.com/document/path/91770
 * https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
 * The signatures were computed by the Python programs of the first and the third page.
 */
import { Webhook } from "standardwebhooks";
import { readAlarmEvent } from "../../../../runtime/platforms/aws-lambda/alarm-event";
import { WEBHOOK_FORMATS } from "../../../../runtime/protocol/env";
import { type AlarmNotice, messageOf, refusalIn, textOf } from "../../../../runtime/roles/notifier/message";
import { ALARM_EVENT, ALARM_TEXT, MESSAGE_ID } from "./alarm-fixture";

const [NOTICE] = readAlarmEvent(ALARM_EVENT) as [AlarmNotice];
const NOW_MS = 1_599_360_473_000;

const sent = (format: (typeof WEBHOOK_FORMATS)[number], secret?: string) => {
  const { query, headers, body } = messageOf(format, NOTICE, { secret, nowMs: NOW_MS });
  return { query, headers, body: JSON.parse(body) as unknown, raw: body };
};

test("the text says the state, what to do, why and where", () => {
  expect(textOf(NOTICE)).toBe(ALARM_TEXT);
});

describe("dingtalk", () => {
  test("gets a text, and with a secret the time in milliseconds and the signature in the query", () => {
    expect(sent("dingtalk", "this is secret")).toMatchObject({
      query: { timestamp: "1599360473000", sign: "hXZTWifRGHclNuZSKxoXc//sh51SWfVfRIhcdeKs63I=" },
      headers: { "content-type": "application/json; charset=utf-8" },
      body: { msgtype: "text", text: { content: ALARM_TEXT } },
    });
  });

  test("gets no signature without a secret", () => {
    expect(sent("dingtalk").query).toEqual({});
  });
});

test("wecom gets a text", () => {
  expect(sent("wecom")).toMatchObject({ query: {}, body: { msgtype: "text", text: { content: ALARM_TEXT } } });
});

describe("lark", () => {
  test("gets a text, and with a secret the time in seconds and the signature in the body", () => {
    expect(sent("lark", "demo").body).toEqual({
      timestamp: "1599360473",
      sign: "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=",
      msg_type: "text",
      content: { text: ALARM_TEXT },
    });
  });

  // https://open.feishu.cn/document/server-docs/im-v1/message-content-description/create_json: a text may mention people by a tag.
  test("a text of somebody else mentions nobody", () => {
    const text = 'a < b <at user_id="all">everybody</at> <AT user_id="ou_1"></AT>';
    const { body } = messageOf("lark", { ...NOTICE, text }, { secret: undefined, nowMs: NOW_MS });
    const { content } = JSON.parse(body) as { content: { text: string } };
    expect(content.text).not.toMatch(/<\/?at/i);
    expect(content.text).toContain("a < b");
  });

  test("gets no signature without a secret", () => {
    expect(sent("lark").body).toEqual({ msg_type: "text", content: { text: ALARM_TEXT } });
  });
});

describe("json", () => {
  test("is a document with a type and a version", () => {
    expect(sent("json")).toMatchObject({
      headers: { "content-type": "application/json; charset=utf-8" },
      body: {
        type: "crossborderbridge.alarm",
        version: 1,
        alarm: "crossborderbridge-reports-late",
        state: "ALARM",
        region: "us-east-1",
      },
    });
  });

  test("is verified by the library of Standard Webhooks", () => {
    const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
    // The library compares with the wall clock.
    const { headers, body } = messageOf("json", NOTICE, { secret, nowMs: Date.now() });
    expect(headers["webhook-id"]).toBe(MESSAGE_ID);
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({ state: "ALARM" });
    expect(() => new Webhook(secret).verify(body.replace("ALARM", "OK"), headers)).toThrow();
  });
});

test.each(WEBHOOK_FORMATS)(
  "%s: no message holds the secret or exceeds 2,048 bytes of text, and no character is cut",
  (format) => {
    const secret = Buffer.alloc(24, 7).toString("base64");
    const long = { ...NOTICE, text: "桥".repeat(1_500), reason: "x".repeat(5_000) };
    const { body, query } = messageOf(format, long, { secret, nowMs: NOW_MS });
    expect(`${body}${JSON.stringify(query)}`).not.toContain(secret);
    const text = textOf(long);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2_048);
    expect(text).toMatch(/桥\.\.\.$/);
  },
);

describe("an answer with status 200", () => {
  test.each([
    ["dingtalk", '{"errcode":0,"errmsg":"ok"}'],
    ["wecom", '{"errcode":0,"errmsg":"ok"}'],
    ["lark", '{"code":0,"msg":"success","data":{}}'],
    ["lark", '{"Extra":null,"StatusCode":0,"StatusMessage":"success"}'],
    ["json", "anything"],
  ] as const)("%s: %s is a success", (format, body) => {
    expect(refusalIn(format, body)).toBeUndefined();
  });

  test.each([
    ["dingtalk", '{"errcode":310000,"errmsg":"sign not match"}', "PermissionDenied"],
    ["dingtalk", '{"errcode":300001,"errmsg":"token is not exist"}', "NotFound"],
    ["dingtalk", '{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}', "RateLimited"],
    ["dingtalk", '{"errcode":-1,"errmsg":"系统繁忙"}', "Unavailable"],
    ["dingtalk", '{"errcode":400105,"errmsg":"description:robot 不支持的消息类型"}', "Invalid"],
    ["wecom", '{"errcode":93000,"errmsg":"invalid webhook url, hint: [1]"}', "NotFound"],
    ["wecom", '{"errcode":45009,"errmsg":"api freq out of limit"}', "RateLimited"],
    ["lark", '{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}', "PermissionDenied"],
    ["lark", '{"code":9499,"msg":"Bad Request","data":{}}', "Invalid"],
    ["lark", '{"code":11232,"msg":"frequency limited psm"}', "RateLimited"],
    ["lark", "<html>", "Invalid"],
  ] as const)("%s: %s is %s", (format, body, kind) => {
    const refusal = refusalIn(format, body);
    expect(refusal?.kind).toBe(kind);
    // The vendor's text may quote the request.
    expect(refusal?.text).not.toMatch(/not match|not exist|hint|psm|html/);
  });
});
