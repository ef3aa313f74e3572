import { createHash } from "node:crypto";
import { type MnsAnswer, type MnsClient, type MnsRequest, messageXml } from "./mns-client";
import { ACCOUNT, type MnsFixture, outcome, QUEUE, REGION, startMns } from "./mns-fixture";

const Q = QUEUE.queueName;
const PATH = `/queues/${Q}/messages`;
const MESSAGES = `acs:mns:${REGION}:${ACCOUNT}:${PATH}`;
let fixture: MnsFixture;
let client: MnsClient;
beforeAll(async () => {
  fixture = await startMns();
  client = fixture.client();
  fixture.service.createQueue(REGION, QUEUE);
});
beforeEach(() => {
  fixture.clock.aheadMs = 0;
  fixture.calls.length = 0;
});
afterAll(() => fixture.close());

describe("signatures", () => {
  const post = (change: (request: MnsRequest) => void) => client.send("POST", PATH, { body: messageXml("one"), change });
  const mismatch = { status: 403, code: "SignatureDoesNotMatch" };

  test.each<[string, (request: MnsRequest) => void]>([
    [
      "queue",
      (request) => {
        request.path = "/queues/other/messages";
      },
    ],
    [
      "method",
      (request) => {
        request.method = "PUT";
      },
    ],
    [
      "query",
      (request) => {
        request.path += "?waitseconds=1";
      },
    ],
    [
      "content type",
      (request) => {
        request.headers["content-type"] = "text/plain";
      },
    ],
    [
      "date",
      (request) => {
        request.headers.date = new Date(Date.now() - 5000).toUTCString();
      },
    ],
    [
      "header of its own",
      (request) => {
        request.headers["x-mns-more"] = "1";
      },
    ],
    [
      "body and digest",
      (request) => {
        request.body = messageXml("two");
        request.headers["content-md5"] = createHash("md5").update(request.body).digest("base64");
      },
    ],
    [
      "signature",
      (request) => {
        request.headers.authorization = `MNS ${fixture.ram.root.accessKeyId}:AAAA`;
      },
    ],
  ])("do not fit another %s", async (_, change) => {
    expect(outcome(await post(change))).toEqual(mismatch);
  });

  test.each<[string, (request: MnsRequest) => void, number, string]>([
    [
      "no signature",
      (request) => {
        delete request.headers.authorization;
      },
      400,
      "MissingAuthorizationHeader",
    ],
    [
      "another kind",
      (request) => {
        request.headers.authorization = "OSS a:b";
      },
      400,
      "InvalidAuthorizationHeader",
    ],
    [
      "no date",
      (request) => {
        delete request.headers.date;
      },
      400,
      "MissingDateHeader",
    ],
    [
      "an invalid date",
      (request) => {
        request.headers.date = "2026-11-21T12:00:00Z";
      },
      400,
      "InvalidDateHeader",
    ],
    [
      "another version",
      (request) => {
        request.headers["x-mns-version"] = "2014-07-08";
      },
      400,
      "InvalidArgument",
    ],
    [
      "a body that is not the digest's",
      (request) => {
        request.body = messageXml("two");
      },
      400,
      "InvalidDegist",
    ],
  ])("are not verified with %s", async (_, change, status, code) => {
    expect(outcome(await post(change))).toEqual({ status, code });
  });

  test("accept a digest in the form of the vendor's SDKs and refuse a wrong one", async () => {
    const send = (digest: (body: string) => string) => client.send("POST", PATH, { body: messageXml("one"), digest });
    const hex = (body: string) => createHash("md5").update(body).digest("hex");
    expect((await send((body) => Buffer.from(hex(body)).toString("base64"))).status).toBe(201);
    expect(outcome(await send(hex))).toEqual({ status: 400, code: "InvalidDegist" });
  });

  test("need a known key and its secret", async () => {
    const other = fixture.client({ ...fixture.ram.root, accessKeySecret: "wrong" });
    expect(outcome(await other.peek(Q))).toEqual(mismatch);
    const unknown = fixture.client({ ...fixture.ram.root, accessKeyId: "LTAIwho" });
    expect(outcome(await unknown.peek(Q))).toEqual({ status: 403, code: "InvalidAccessKeyId" });
  });

  test("of STS need their own token until it expires", async () => {
    const session = fixture.session(["mns:*"], ["*"], 60_000);
    const { accessKeyId, accessKeySecret, securityToken } = session;
    expect((await fixture.client(session).post(Q, "one")).status).toBe(201);
    expect(outcome(await fixture.client({ accessKeyId, accessKeySecret }).post(Q, "one")).code).toBe("InvalidAccessKeyId");
    const foreign = { ...session, securityToken: fixture.session(["mns:*"], ["*"]).securityToken };
    expect(outcome(await fixture.client(foreign).post(Q, "one"))).toEqual({ status: 403, code: "InvalidSecurityToken" });
    const added = { ...fixture.ram.root, securityToken };
    expect(outcome(await fixture.client(added).post(Q, "one")).code).toBe("InvalidAccessKeyId");
    fixture.clock.aheadMs = 61_000;
    expect(outcome(await fixture.client(session).post(Q, "one"))).toEqual({ status: 403, code: "SecurityTokenExpired" });
  });

  test.each([-1, 1])("are valid for 15 minutes (%d)", async (sign) => {
    const dated = (minutes: number) =>
      client.send("POST", PATH, { body: messageXml("one"), at: new Date(Date.now() + sign * minutes * 60_000) });
    expect((await dated(14)).status).toBe(201);
    expect(outcome(await dated(16))).toEqual({ status: 408, code: "TimeExpired" });
  });
});

test("every operation needs its own permission and records it", async () => {
  const operations: [string, string, (of: MnsClient) => Promise<unknown>][] = [
    ["mns:SendMessage", MESSAGES, (of) => of.post(Q, "one")],
    ["mns:PeekMessage", MESSAGES, (of) => of.peek(Q)],
    ["mns:ReceiveMessage", MESSAGES, (of) => of.receive(Q)],
    ["mns:ChangeMessageVisibility", MESSAGES, (of) => of.hide(Q, "x", 1)],
    ["mns:DeleteMessage", MESSAGES, (of) => of.remove(Q, "x")],
    ["mns:GetQueueAttributes", `acs:mns:${REGION}:${ACCOUNT}:/queues/${Q}`, (of) => of.attributes(Q)],
  ];
  for (const [action, resource, run] of operations) {
    fixture.calls.length = 0;
    const others = operations.map(([other]) => other).filter((other) => other !== action);
    const allowed = fixture.session([action], [resource]);
    const denied = fixture.session(others, ["*"]);
    await run(fixture.client(allowed));
    expect(await run(fixture.client(denied))).toMatchObject({ status: 403 });
    expect(fixture.calls.map(({ principal, ...call }) => ({ ...call, arn: principal?.arn }))).toEqual([
      { action, resource, allowed: true, arn: fixture.ram.find(allowed.accessKeyId)?.principal.arn },
      { action, resource, allowed: false, arn: fixture.ram.find(denied.accessKeyId)?.principal.arn },
    ]);
  }
});

test("a permission for one queue does not apply to another queue or region", async () => {
  const session = fixture.session(["mns:*"], [MESSAGES]);
  const denied = { status: 403, code: "AccessDenied" };
  expect(outcome(await fixture.client(session).post("other", "one"))).toEqual(denied);
  expect(outcome(await fixture.client(session, "us-west-1").post(Q, "one"))).toEqual(denied);
});

test.each<[string, (of: MnsClient) => Promise<MnsAnswer>, number, string]>([
  ["a queue that is not there", (of) => of.post("other", "one"), 404, "QueueNotExist"],
  ["a path of another kind", (of) => of.send("GET", "/topics/t"), 400, "InvalidRequestURL"],
  ["an operation on queues", (of) => of.send("PUT", `/queues/${Q}`), 400, "InvalidRequestURL"],
  ["an unknown parameter", (of) => of.receive(Q, "?wait=1"), 400, "InvalidQueryString"],
  ["too long a wait", (of) => of.receive(Q, "?waitseconds=31"), 400, "InvalidArgument"],
  ["a wait that is no number", (of) => of.receive(Q, "?waitseconds=x"), 400, "InvalidArgument"],
  ["too many at once", (of) => of.receive(Q, "?numOfMessages=17"), 400, "InvalidArgument"],
  ["no receipt handle", (of) => of.send("DELETE", PATH), 400, "MissingReceiptHandle"],
  ["a receipt handle that is none", (of) => of.remove(Q, "x"), 400, "ReceiptHandleError"],
  ["no visibility", (of) => of.send("PUT", `${PATH}?receiptHandle=x`), 400, "MissingVisibilityTimeout"],
  ["too long a visibility", (of) => of.hide(Q, "x", 43_201), 400, "InvalidArgument"],
  ["no XML", (of) => of.send("POST", PATH, { body: "{}" }), 400, "MalformedXML"],
  ["XML that does not end", (of) => of.send("POST", PATH, { body: "<Message><MessageBody>x" }), 400, "MalformedXML"],
  [
    "a batch with an unknown element",
    (of) => of.send("POST", PATH, { body: "<Messages><Letter>x</Letter></Messages>" }),
    400,
    "InvalidArgument",
  ],
  ["a character that XML does not have", (of) => of.post(Q, "a\u0001b"), 400, "MalformedXML"],
  [
    "the same by its number",
    (of) => of.send("POST", PATH, { body: "<Message><MessageBody>&#1;</MessageBody></Message>" }),
    400,
    "MalformedXML",
  ],
  ["no body", (of) => of.post(Q, ""), 400, "InvalidArgument"],
  ["an unknown element", (of) => of.post(Q, "one", "<MessageTag>t</MessageTag>"), 400, "InvalidArgument"],
  ["too long a delay", (of) => of.post(Q, "one", "<DelaySeconds>604801</DelaySeconds>"), 400, "InvalidArgument"],
  ["a delay that is no number", (of) => of.post(Q, "one", "<DelaySeconds>-1</DelaySeconds>"), 400, "InvalidArgument"],
  ["too low a priority", (of) => of.post(Q, "one", "<Priority>17</Priority>"), 400, "InvalidArgument"],
  ["a document beyond every limit", (of) => of.post(Q, "x".repeat(600_000)), 413, "RequestTooLarge"],
])("refuses %s", async (_, run, status, code) => {
  expect(outcome(await run(client))).toEqual({ status, code });
});

test("a refusal is a document with the request id and the host", async () => {
  const answer = await client.post("other", "one");
  expect(answer.text).toContain('<Error xmlns="http://mns.aliyuncs.com/doc/v1/">');
  expect(answer.element("RequestId")).toBe(answer.headers["x-mns-request-id"]);
  expect(answer.element("HostId")).toBe(`mns.${REGION}.aliyuncs.com`);
});
