/** The notifier against a real TLS server. */
import { inspect } from "node:util";
import { readAlarmEvent } from "../../../../runtime/platforms/aws-lambda/alarm-event";
import { systemClock } from "../../../../runtime/protocol/ports";
import type { AlarmNotice } from "../../../../runtime/roles/notifier/message";
import { Notifier, parseWebhook } from "../../../../runtime/roles/notifier/notifier";
import { type Answer, startHttps, type TestServer } from "../../support/https-server";
import { recordingLogger } from "../../support/recording-logger";
import { ALARM_EVENT, ALARM_TEXT } from "./alarm-fixture";

const [NOTICE] = readAlarmEvent(ALARM_EVENT) as [AlarmNotice];
const SECRET = "SEC000000000000000000000";
const KEY = "access_token=0123456789abcdef";
const OWN_ALARM = "crossborderbridge-reports-webhook-fails";
const deadline = { remainingMs: () => 20_000 };

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(answer: Answer, url?: (origin: string) => string) {
  server = await startHttps(answer);
  const { origin, ca } = server;
  const logger = recordingLogger();
  const { lines } = logger;
  const text = JSON.stringify({ url: url?.(origin) ?? `${origin}/robot/send?${KEY}`, secret: SECRET });
  const notifier = new Notifier({
    format: "dingtalk",
    ownAlarm: OWN_ALARM,
    webhook: async () => parseWebhook("dingtalk", text),
    clock: systemClock,
    logger,
    connection: { ca, connectTimeoutMs: 2_000 },
  });
  return { notifier, lines, seen: server.seen };
}

const ok: Answer = (_, response) => response.end('{"errcode":0,"errmsg":"ok"}');

/** Answers in turn; the last answer repeats. */
const inTurn = (...answers: Answer[]): Answer => {
  let count = 0;
  return (request, response) => answers[Math.min(count++, answers.length - 1)]?.(request, response);
};
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end();
const refusing =
  (errcode: number): Answer =>
  (_, response) =>
    response.end(JSON.stringify({ errcode, errmsg: `no: ${KEY}` }));

test("posts the message to the URL, signed beside its own query", async () => {
  const { notifier, seen, lines } = await start(ok);
  await notifier.notify(NOTICE, deadline);
  expect(seen).toHaveLength(1);
  const [{ method, url, headers, body }] = seen as [TestServer["seen"][number]];
  expect([method, headers["content-type"]]).toEqual(["POST", "application/json; charset=utf-8"]);
  const query = new URL(url, "https://localhost").searchParams;
  expect([query.get("access_token"), query.get("timestamp")]).toEqual(["0123456789abcdef", expect.stringMatching(/^\d{13}$/)]);
  expect(query.get("sign")).toHaveLength(44);
  expect(JSON.parse(body.toString())).toEqual({ msgtype: "text", text: { content: ALARM_TEXT } });
  expect(lines).toMatchObject([{ level: "info", message: "alarm handed on" }]);
});

test.each<[string, Answer]>([
  ["500", status(500)],
  ["503 with a short Retry-After", status(503, { "retry-after": "1" })],
  ["a busy service", refusing(-1)],
  ["too many messages", refusing(130101)],
  ["a connection that breaks", (_, response) => response.destroy()],
])("tries again at once after %s", async (_name, answer) => {
  const { notifier, seen } = await start(inTurn(answer, ok));
  await notifier.notify(NOTICE, deadline);
  expect(seen.length).toBeGreaterThan(1);
});

test.each<[string, Answer, string, number]>([
  ["an endless 500", status(500), "the webhook answered 500", 3],
  ["429 with a long Retry-After", status(429, { "retry-after": "600" }), "the webhook answered 429", 1],
  ["404", status(404), "the webhook answered 404", 1],
  ["a redirect", status(302, { location: "https://example.com/" }), "the webhook answered 302", 1],
  ["a wrong signature", refusing(310000), "the webhook refused the message: the signature, the keyword or the address", 1],
  ["an answer of something else", status(200), "the webhook refused the message: the answer is not one of dingtalk", 1],
])("rejects after %s, so that the platform keeps the alarm", async (_name, answer, message, tries) => {
  const { notifier, seen, lines } = await start(answer);
  await expect(notifier.notify(NOTICE, deadline)).rejects.toThrow(message);
  expect(seen).toHaveLength(tries);
  expect(lines).toMatchObject([{ level: "error", message: "alarm not handed on" }]);
});

test.each(["ALARM", "OK"])(
  "the alarm on the notifier itself is tried, and its failure rings no alarm again: %s",
  async (state) => {
    const notice = { ...NOTICE, alarm: OWN_ALARM, state };
    const broken = await start(status(404));
    await broken.notifier.notify(notice, deadline);
    expect(broken.seen).toHaveLength(1);
    expect(broken.lines).toMatchObject([{ level: "error", message: "alarm not handed on", fields: { alarm: OWN_ALARM, state } }]);
    await server?.close();
    const mended = await start(ok);
    await mended.notifier.notify(notice, deadline);
    expect(mended.lines).toMatchObject([{ level: "info", message: "alarm handed on" }]);
  },
);

test("names the code of a refusal with another status than 200 too", async () => {
  const { notifier } = await start((_, response) =>
    response.writeHead(400).end(JSON.stringify({ errcode: 300001, errmsg: `token ${KEY} is not exist` })),
  );
  await expect(notifier.notify(NOTICE, deadline)).rejects.toThrow(
    /^the webhook answered 400: there is no such robot: the URL is wrong, or the robot was removed \(code 300001\)$/,
  );
});

test("neither a log line nor the error holds the URL's key or the secret", async () => {
  for (const answer of [ok, refusing(310000), status(500), ((_, response) => response.destroy()) as Answer]) {
    const { notifier, lines } = await start(answer);
    const error: unknown = await notifier.notify(NOTICE, deadline).catch((cause: unknown) => cause);
    const written = inspect([lines, error], { depth: 10 });
    expect(written).not.toContain(SECRET);
    expect(written).not.toContain("0123456789abcdef");
    await server?.close();
    server = undefined;
  }
});

test("names the parameter where the webhook cannot be read", async () => {
  const logger = recordingLogger();
  const cause = new Error("the SSM parameter /alarms cannot be read: AccessDeniedException (400)");
  const webhook = () => Promise.reject(new Error("the secret cannot be read", { cause }));
  const notifier = new Notifier({ format: "json", ownAlarm: OWN_ALARM, webhook, clock: systemClock, logger });
  await expect(notifier.notify(NOTICE, deadline)).rejects.toThrow("the secret cannot be read: the SSM parameter /alarms");
});

test("ends before its function does", async () => {
  const { notifier } = await start(() => undefined);
  await expect(notifier.notify(NOTICE, { remainingMs: () => 1_200 })).rejects.toThrow(
    "the webhook did not answer in the time of the function",
  );
});

test.each([
  ["no JSON", "https://example.com/hook"],
  ["no URL", '{"secret":"s"}'],
  ["http", '{"url":"http://example.com/hook-4711"}'],
])("a parameter with %s is refused, and not quoted", (_name, text) => {
  expect(() => parseWebhook("dingtalk", text)).toThrow('the webhook\'s parameter holds no {"url": "https://..."}');
  expect(() => parseWebhook("dingtalk", text)).not.toThrow(/example|hook-4711/);
});

test("a URL with a user name is refused, because it would not be sent", () => {
  const text = '{"url":"https://ops:hunter2@example.com/hook"}';
  expect(() => parseWebhook("json", text)).toThrow("the webhook's URL has a user name or a password, which is not sent");
  expect(() => parseWebhook("json", text)).not.toThrow(/hunter2/);
});

test("the secret of json is one of Standard Webhooks", () => {
  expect(() => parseWebhook("json", '{"url":"https://example.com","secret":"short"}')).toThrow(
    /^signing secret 1 of 1 cannot be used/,
  );
});
