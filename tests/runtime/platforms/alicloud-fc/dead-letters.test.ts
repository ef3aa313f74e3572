import { inspect } from "node:util";
import { createMessageService } from "local-alicloud";
import type { Dispatcher } from "undici";
import {
  createDeadLetterQueue,
  createMessageQueue,
  MAX_MESSAGE_BYTES,
} from "../../../../runtime/platforms/alicloud-fc/message-queue";
import { decodeText } from "../../../../runtime/protocol/events";
import { systemClock } from "../../../../runtime/protocol/ports";
import { createOssDispatcher } from "../../../../runtime/stores/oss/client";
import { VirtualTime } from "../../../support/virtual-time";
import { type Answer, startHttps } from "../../support/https-server";
import { KEY, localServices } from "./support";

const REGION = "cn-shanghai";
const HOST = `3333333333333333.mns.${REGION}.aliyuncs.com`;
const look = { key: "a b+c%20/<中文>&\u0001", failures: 0, firstSeenMs: 1_700_000_000_000 };

let services: Awaited<ReturnType<typeof localServices>>;
let dispatcher: Dispatcher;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  services = await localServices();
  dispatcher = createOssDispatcher({ ca: services.ca });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await dispatcher.destroy();
  await services.remove();
});

function queueAt(origin: string, credentials = KEY) {
  const waits: number[] = [];
  const hosts: string[] = [];
  const queue = createMessageQueue({
    queueUrl: `https://${HOST}/queues/dead`,
    originOf: (host) => {
      hosts.push(host);
      return origin;
    },
    credentials: { current: () => credentials },
    dispatcher,
    clock: systemClock,
    random: () => 1,
    sleep: async (ms) => void waits.push(ms),
  });
  return { queue, waits, hosts };
}

/** A queue of the local cloud. It verifies signatures and has the vendor's size limit. */
async function strict() {
  const { tls, ram } = services;
  const service = await createMessageService({ accountId: ram.accountId, ram, tls, regions: [REGION] });
  closing.push(() => service.stop());
  service.createQueue(REGION, {
    queueName: "dead",
    delaySeconds: 0,
    maximumMessageSize: MAX_MESSAGE_BYTES,
    messageRetentionPeriod: 345_600,
    visibilityTimeout: 30,
    pollingWaitSeconds: 0,
  });
  const origin = service.origins[REGION] ?? "";
  return { origin, bodies: () => service.messages(REGION, "dead").map(({ body }) => body) };
}

async function answering(answer: Answer) {
  const server = await startHttps(answer);
  closing.push(server.close);
  return server;
}

describe("dead letters in a queue that verifies signatures", () => {
  async function parked(reason: string, original?: string) {
    const { origin, bodies } = await strict();
    const { queue, hosts } = queueAt(origin);
    await createDeadLetterQueue(queue, { bridgeId: "bridge", clock: new VirtualTime() }).park(look, reason, original);
    expect(hosts).toEqual([HOST]);
    const [body = "", ...others] = bodies();
    expect(others).toEqual([]);
    return body;
  }

  test("hold the look for a redrive, and the reason for people", async () => {
    const body = await parked("rejected: too large & \ufffe");
    expect(decodeText(body)).toEqual([{ looks: [{ key: look.key, failures: 0, redelivered: true }] }]);
    expect(JSON.parse(body).deadLetter).toEqual({
      reason: "rejected: too large & \ufffe",
      bridgeId: "bridge",
      parkedAt: "2026-03-01T00:00:00.000Z",
    });
  });

  test("hold the unchanged message where no look could be read", async () => {
    const original = '{"stray":"<中文>\\u0000\ufffe\ud800\r\n"}';
    expect(JSON.parse(await parked("no known shape", original))).toMatchObject({ deadLetter: { original } });
  });

  test("always have a reason, which is cut to its limit", async () => {
    expect(JSON.parse(await parked("", "")).deadLetter.reason).toBe("unknown");
    expect(JSON.parse(await parked("🚀".repeat(2000))).deadLetter.reason).toHaveLength(1024);
  });

  test("cut a message that is too large for the queue", async () => {
    const original = "中".repeat(60_000);
    const kept = (JSON.parse(await parked("no known shape", original)) as { deadLetter: { original: string } }).deadLetter
      .original;
    expect(original.startsWith(kept)).toBe(true);
    expect(kept.length).toBeGreaterThan(MAX_MESSAGE_BYTES / 3 / 2 - 200);
  });
});

describe("failures", () => {
  const refusing =
    (status: number, code: string): Answer =>
    (_request, response) => {
      response.writeHead(status, { "content-type": "text/xml" });
      response.end(
        `<?xml version="1.0"?><Error xmlns="http://mns.aliyuncs.com/doc/v1/"><Code>${code}</Code><Message>you sent very-secret</Message><RequestId>R1</RequestId></Error>`,
      );
    };

  test("a wrong key is refused with the name of the queue, and the call is not retried", async () => {
    const { origin, bodies } = await strict();
    const { queue, waits } = queueAt(origin, { ...KEY, accessKeySecret: "other" });
    await expect(queue.send("{}")).rejects.toMatchObject({
      kind: "PermissionDenied",
      message: expect.stringMatching(/^the message could not be put into the queue dead: SignatureDoesNotMatch \(403, request /),
    });
    expect([bodies(), waits]).toEqual([[], []]);
  });

  test("the vendor's text is left out", async () => {
    const { origin } = await answering(refusing(404, "QueueNotExist"));
    const error = await queueAt(origin)
      .queue.send("{}")
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: "NotFound", code: "QueueNotExist" });
    expect(inspect(error, { depth: 9 })).not.toContain("very-secret");
  });

  test("throttled calls and broken connections are retried", async () => {
    let count = 0;
    const { origin, seen } = await answering((request, response) => {
      count += 1;
      if (count === 1) return refusing(429, "QpsLimitExceeded")(request, response);
      if (count === 2) return void response.socket?.destroy();
      response.writeHead(201).end("<Message><MessageId>m</MessageId></Message>");
    });
    const { queue, waits } = queueAt(origin);
    await queue.send("{}");
    expect(waits).toEqual([200, 400]);
    expect(seen).toHaveLength(3);
    expect(seen[0]).toMatchObject({ method: "POST", url: "/queues/dead/messages", headers: { "x-mns-version": "2015-06-06" } });
  });

  const NAMED = "<Message><MessageId>m</MessageId></Message>";
  test.each([
    ["an empty answer", ""],
    ["a page of a proxy", "<html>fine</html>"],
    ["one message of two", `<Messages>${NAMED}</Messages>`],
    ["the error of one message", `<Messages>${NAMED}<Message><ErrorCode>InternalError</ErrorCode></Message></Messages>`],
  ])("messages are not taken for stored by 201 and %s", async (_, body) => {
    const { origin } = await answering((_request, response) => void response.writeHead(201).end(body));
    const { queue } = queueAt(origin);
    await expect(queue.sendAll(["{}", "{}"])).rejects.toMatchObject({ kind: "Unavailable", retryable: true });
    if (!body.includes(NAMED)) await expect(queue.send("{}")).rejects.toMatchObject({ kind: "Unavailable", retryable: true });
  });

  test("a queue is not taken for empty by an answer that describes none", async () => {
    const none = '<Error xmlns="http://mns.aliyuncs.com/doc/v1/"><Code>MessageNotExist</Code></Error>';
    const { origin } = await answering((request, response) => {
      if (request.url?.includes("peekonly")) response.writeHead(404).end(none);
      else response.writeHead(200).end("<html>fine</html>");
    });
    await expect(queueAt(origin).queue.isEmpty()).rejects.toMatchObject({ kind: "Unexpected" });
  });

  test("any status but 201 is a failure", async () => {
    const { origin } = await answering((_request, response) => void response.writeHead(200).end("hello"));
    await expect(queueAt(origin).queue.send("{}")).rejects.toMatchObject({ kind: "Unexpected" });
  });
});
