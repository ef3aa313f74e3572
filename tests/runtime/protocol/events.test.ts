import * as fc from "fast-check";
import { decodeEvent, decodeS3Key, decodeText, possibleOssKeys } from "../../../runtime/protocol/events";
import { encodeDeadLetter, encodeLook } from "../../../runtime/protocol/queue-messages";

function s3Record(key: string, eventName = "ObjectCreated:Put") {
  return {
    eventVersion: "2.9",
    eventSource: "aws:s3",
    awsRegion: "us-east-1",
    eventName,
    s3: {
      s3SchemaVersion: "1.0",
      bucket: { name: "photos" },
      object: { key, size: 3, eTag: "e", sequencer: "0055AED6DCD90281E5" },
    },
  };
}

function s3Event(...keys: string[]) {
  return { Records: keys.map((key) => s3Record(key)) };
}

function sqsEvent(...bodies: unknown[]) {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `m${index + 1}`,
      receiptHandle: "r",
      body: typeof body === "string" ? body : JSON.stringify(body),
      attributes: { ApproximateReceiveCount: "1" },
      eventSource: "aws:sqs",
      awsRegion: "us-east-1",
    })),
  };
}

const eventBridge = (key: string) => ({
  version: "0",
  source: "aws.s3",
  "detail-type": "Object Created",
  detail: { version: "0", bucket: { name: "photos" }, object: { key, size: 3 } },
});

const ossEvent = (...keys: string[]) => ({
  events: keys.map((key) => ({
    eventName: "ObjectCreated:PutObject",
    eventSource: "acs:oss",
    oss: { bucket: { name: "photos" }, object: { key, size: 3, eTag: "E" } },
  })),
});

const sns = (message: unknown) => ({ Type: "Notification", MessageId: "n", TopicArn: "t", Message: JSON.stringify(message) });
const fresh = (key: string) => ({ bucket: "photos", key, failures: 0 });
/** The look of an `ossEvent`. */
const written = (key: string) => ({ ...fresh(key), sizeBytes: 3 });

describe("shapes", () => {
  test("S3 straight to the function: one record, no message", () => {
    expect(decodeEvent(s3Event("a+b", "c"))).toEqual([{ looks: [fresh("a b"), fresh("c")] }]);
  });

  test("S3 through SQS: one record per message, with all the keys of each", () => {
    expect(decodeEvent(sqsEvent(s3Event("a+b", "c"), s3Event("d")))).toEqual([
      { messageId: "m1", looks: [fresh("a b"), fresh("c")] },
      { messageId: "m2", looks: [fresh("d")] },
    ]);
  });

  test("the event of a removed object becomes a look", () => {
    const body = { Records: [s3Record("gone", "ObjectRemoved:DeleteMarkerCreated")] };
    expect(decodeEvent(sqsEvent(body))).toEqual([{ messageId: "m1", looks: [fresh("gone")] }]);
  });

  test("EventBridge, straight and through SQS: the key is not encoded", () => {
    expect(decodeEvent(eventBridge("a+b%20c"))).toEqual([{ looks: [fresh("a+b%20c")] }]);
    expect(decodeEvent(sqsEvent(eventBridge("a+b%20c")))).toEqual([{ messageId: "m1", looks: [fresh("a+b%20c")] }]);
  });

  test("S3 through SNS, straight and through SQS", () => {
    const direct = { Records: [{ EventSource: "aws:sns", EventVersion: "1.0", Sns: sns(s3Event("a+b")) }] };
    expect(decodeEvent(direct)).toEqual([{ looks: [fresh("a b")] }]);
    expect(decodeEvent(sqsEvent(sns(s3Event("a+b"))))).toEqual([{ messageId: "m1", looks: [fresh("a b")] }]);
  });

  describe("a change of tags says who made it", () => {
    const principal = "AWS:AROAEXAMPLE:crossborderbridge-photos-sender";
    const tagged = (eventName: string, userIdentity?: object) => ({ Records: [{ ...s3Record("a+b", eventName), userIdentity }] });
    const expected = [{ looks: [{ ...fresh("a b"), tagging: { principal } }] }];
    const own = tagged("ObjectTagging:Put", { principalId: principal });

    test.each<[string, unknown]>([
      ["S3 straight", own],
      ["S3 with the prefix of the notification's configuration", tagged("s3:ObjectTagging:Delete", { principalId: principal })],
      ["S3 through SNS", { Records: [{ EventSource: "aws:sns", Sns: sns(own) }] }],
    ])("%s", (_name, event) => {
      expect(decodeEvent(event)).toEqual(expected);
    });

    test.each<[string, unknown]>([
      ["S3 through SQS", own],
      ["S3 through SNS and SQS", sns(own)],
      ["a failed invocation, redriven through SQS", { requestContext: {}, requestPayload: own }],
    ])("%s", (_name, body) => {
      expect(decodeEvent(sqsEvent(body))).toEqual([{ messageId: "m1", ...expected[0] }]);
    });

    test("without an identity", () => {
      expect(decodeEvent(tagged("ObjectTagging:Put"))).toEqual([{ looks: [{ ...fresh("a b"), tagging: {} }] }]);
    });

    test.each(["Object Tags Added", "Object Tags Deleted"])("EventBridge's %s names nobody", (type) => {
      const event = { ...eventBridge("a+b"), "detail-type": type };
      expect(decodeEvent(event)).toEqual([{ looks: [{ ...fresh("a+b"), tagging: {} }] }]);
      expect(decodeEvent(sqsEvent(event))).toEqual([{ messageId: "m1", looks: [{ ...fresh("a+b"), tagging: {} }] }]);
    });

    test.each(["ObjectCreated:Put", "ObjectRemoved:Delete", "ObjectRestore:Completed", "LifecycleExpiration:Delete"])(
      "%s is no change of tags, whoever made it",
      (eventName) => {
        expect(decodeEvent(tagged(eventName, { principalId: principal }))).toEqual([{ looks: [fresh("a b")] }]);
      },
    );
  });

  test("OSS: every possible reading of the key", () => {
    expect(decodeEvent(ossEvent("中文/a+b", "a%20b"))).toEqual([
      { looks: [written("中文/a+b"), written("中文/a b"), written("a%20b"), written("a b")] },
    ]);
  });

  test("the bridge's own look, straight and through SQS", () => {
    const look = { key: "a+b%20c", failures: 3, firstSeenMs: 1_700_000_000_000 };
    expect(decodeEvent(sqsEvent(encodeLook(look)))).toEqual([{ messageId: "m1", looks: [look] }]);
    expect(decodeEvent(JSON.parse(encodeLook(look)))).toEqual([{ looks: [look] }]);
  });

  test("the record of a failed asynchronous invocation, redriven through SQS", () => {
    const failed = {
      version: "1.0",
      requestContext: { condition: "RetriesExhausted" },
      requestPayload: s3Event("a+b"),
      responsePayload: {},
    };
    expect(decodeEvent(sqsEvent(failed))).toEqual([{ messageId: "m1", looks: [fresh("a b")] }]);
  });

  test("the same record of Function Compute, which holds the event as text", () => {
    const failed = {
      timestamp: 1_700_000_000_000,
      requestContext: { requestId: "r", functionArn: "f", condition: "UnhandledInvocationError", approximateInvokeCount: 9 },
      requestPayload: JSON.stringify(ossEvent("a", "b")),
      responseContext: { statusCode: 200, functionError: "UnhandledInvocationError" },
      responsePayload: "{}",
    };
    expect(decodeText(JSON.stringify(failed))).toEqual([{ looks: [written("a"), written("b")] }]);
    expect(decodeEvent(failed)).toEqual([{ looks: [written("a"), written("b")] }]);
    // SMQ clients write a body so.
    expect(decodeText(Buffer.from(JSON.stringify(failed)).toString("base64"))).toEqual([{ looks: [written("a"), written("b")] }]);
  });

  test("an OSS event has an id, the same for every reading of its key", () => {
    const [event] = ossEvent("a+b").events;
    const records = (eventName: string, responseElements: unknown) =>
      decodeEvent({ events: [{ ...event, eventName, responseElements }] });
    expect(records("ObjectRemoved:DeleteObject", { requestId: "R1" })).toEqual([
      {
        looks: [
          { ...fresh("a+b"), eventId: "R1 E" },
          { ...fresh("a b"), eventId: "R1 E" },
        ],
      },
    ]);
    expect(records("ObjectCreated:PutObject", { requestId: "R2" })[0]?.looks[0]).toEqual({ ...written("a+b"), eventId: "R2 E" });
    expect(records("ObjectCreated:PutObject", { requestId: "" })[0]?.looks[0]).toEqual(written("a+b"));
  });

  test("each version that one request removes has its own event id", () => {
    const [event] = ossEvent("a").events;
    const removed = (eventTime: string, eTag: string) => {
      const oss = { bucket: { name: "photos" }, object: { key: "a", size: 0, eTag } };
      return { ...event, eventName: "ObjectRemoved:DeleteObjects", eventTime, oss, responseElements: { requestId: "R1" } };
    };
    const [first, second] = ["2026-03-01T00:00:00.000Z", "2026-03-01T00:00:01.000Z"];
    const versions = [removed(first, "E1"), removed(second, "E1"), removed(second, "E2")];
    const ids = decodeEvent({ events: versions }).flatMap(({ looks }) => looks.map(({ eventId }) => eventId));
    expect(new Set(ids).size).toBe(3);
    expect(decodeEvent({ events: versions })).toEqual(decodeEvent({ events: versions }));
  });

  test.each([
    ["ObjectCreated:PutObject", true],
    ["ObjectCreated:PostObject", true],
    ["ObjectCreated:CopyObject", true],
    ["ObjectCreated:CompleteMultipartUpload", true],
    // The size of the link, not of the object that a reader gets.
    ["ObjectCreated:PutSymlink", false],
    ["ObjectCreated:AppendObject", false],
    ["ObjectRemoved:DeleteObject", false],
    ["ObjectReplication:ObjectRemoved", false],
    ["ObjectReplication:ObjectCreated", false],
    ["ObjectReplication:ObjectModified", false],
    ["ObjectModified:UpdateObjectMeta", false],
  ])("OSS event %s tells the size of the object: %s", (eventName, expected) => {
    const [event] = ossEvent("a").events;
    const [record] = decodeEvent({ events: [{ ...event, eventName }] });
    expect(record?.looks).toEqual([{ ...fresh("a"), ...(expected ? { sizeBytes: 3 } : {}) }]);
  });

  test("a dead letter is read as its look, or as its original message", () => {
    const letter = { reason: "no", bridgeId: "bridge", parkedAt: "2026-03-01T00:00:00.000Z" };
    const look = { key: "a+b%20c", failures: 0, firstSeenMs: 1_700_000_000_000 };
    expect(decodeText(encodeDeadLetter(look, letter))).toEqual([{ looks: [{ key: look.key, failures: 0, redelivered: true }] }]);
    const original = JSON.stringify(ossEvent("a"));
    expect(decodeText(encodeDeadLetter({ ...look, key: "" }, { ...letter, original }))).toEqual([{ looks: [written("a")] }]);
    // The platform's record of a failed invocation around a dead letter.
    const again = { requestContext: {}, requestPayload: encodeDeadLetter(look, { ...letter, original }) };
    expect(decodeText(JSON.stringify(again))).toEqual([{ looks: [written("a")] }]);
  });

  test("an unreadable message that is redriven several times keeps its first original", () => {
    const letter = { reason: "no", bridgeId: "bridge", parkedAt: "2026-03-01T00:00:00.000Z", original: '{"stray":"\uffff"}' };
    const [record] = decodeText(encodeDeadLetter({ key: "", failures: 0, firstSeenMs: 0 }, letter));
    expect(record).toMatchObject({ looks: [], problem: expect.stringMatching(/no known shape/), original: letter.original });
  });

  test.each([
    ["1", undefined],
    ["2", true],
  ])("a message that SQS delivers for time %s", (ApproximateReceiveCount, redelivered) => {
    const event = sqsEvent(s3Event("a"));
    for (const record of event.Records) record.attributes = { ApproximateReceiveCount };
    expect(decodeEvent(event)[0]?.looks[0]?.redelivered).toBe(redelivered);
  });

  test("an event tells when the object changed", () => {
    const [s3] = s3Event("a").Records;
    const [oss] = ossEvent("a").events;
    const time = "2026-03-01T00:00:00.000Z";
    const looks = [{ Records: [{ ...s3, eventTime: time }] }, { events: [{ ...oss, eventTime: time }] }].flatMap((event) =>
      decodeEvent(event).flatMap(({ looks }) => looks),
    );
    expect(looks.map(({ eventTimeMs }) => eventTimeMs)).toEqual([Date.parse(time), Date.parse(time)]);
  });

  test("S3's test event has no looks", () => {
    const body = { Service: "Amazon S3", Event: "s3:TestEvent", Bucket: "photos" };
    expect(decodeEvent(sqsEvent(body))).toEqual([{ messageId: "m1", looks: [] }]);
    expect(decodeEvent(body)).toEqual([{ looks: [] }]);
  });
});

/** A key, and how S3 writes it into a notification. */
const S3_KEYS: [key: string, written: string][] = [
  ["a b", "a+b"],
  ["a+b", "a%2Bb"],
  ["a%20b", "a%2520b"],
  ["a%2Bb", "a%252Bb"],
  ["100%", "100%25"],
  ["a//b", "a//b"],
  ["dir/", "dir/"],
  ["中文/文件.txt", "%E4%B8%AD%E6%96%87/%E6%96%87%E4%BB%B6.txt"],
  ["🚀", "%F0%9F%9A%80"],
  ["trailing ", "trailing+"],
  [" leading", "+leading"],
  [" leading and trailing ", "+leading+and+trailing+"],
  ["\"quotes'", "%22quotes'"],
  ["<>&", "%3C%3E%26"],
  ["a\\b", "a%5Cb"],
  ["line\nbreak", "line%0Abreak"],
  ["a/../b", "a/../b"],
];

/** Encodes a key as S3 does in a notification. */
const encodeS3Key = (key: string) => encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");

describe("keys of S3 notifications", () => {
  test.each(S3_KEYS)("%p is written %p", (key, written) => {
    expect(decodeS3Key(written)).toBe(key);
    expect(encodeS3Key(key)).toBe(written);
    expect(decodeEvent(sqsEvent(s3Event(written)))).toEqual([{ messageId: "m1", looks: [fresh(key)] }]);
  });

  test.each(["a b", "中文", "a%2fb", "a%3c"])("a less strict encoding is read as well: %p", (written) => {
    expect(decodeS3Key(written)).toBe(decodeURIComponent(written));
  });

  test.each(["%", "%2", "%zz", "a%E4%B8", "%FF", "%C0%AF"])("%p is malformed", (written) => {
    expect(decodeS3Key(written)).toBeUndefined();
  });

  test("any key is decoded to itself", () => {
    return fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "binary" }), (key) => {
        fc.pre(!/[\ud800-\udfff]/u.test(key));
        expect(decodeEvent(sqsEvent(s3Event(encodeS3Key(key))))).toEqual([{ messageId: "m1", looks: [fresh(key)] }]);
      }),
    );
  });
});

test.each([
  ["plain/key.txt", ["plain/key.txt"]],
  ["中文+b", ["中文+b", "中文 b"]],
  ["100%", ["100%"]],
  ["a%20b", ["a%20b", "a b"]],
  ["a%2B+b", ["a%2B+b", "a++b", "a+ b"]],
  ["%E4%B8%AD", ["%E4%B8%AD", "中"]],
])("an OSS event's %p may mean %p", (written, keys) => {
  expect(possibleOssKeys(written)).toEqual(keys);
});

describe("an event that cannot be read is a problem with a reason", () => {
  const rows: [string, unknown, RegExp][] = [
    ["not JSON", "{", /not JSON/],
    ["an empty body", "", /not JSON/],
    ["null", null, /no known shape/],
    ["a number", 7, /no known shape/],
    ["another service", { source: "aws.ec2", detail: {} }, /no known shape/],
    ["a record of another source", { Records: [{ eventSource: "aws:dynamodb" }] }, /no known source.*aws:dynamodb/],
    ["a record that is no object", { Records: ["x"] }, /no known source/],
    [
      "no key",
      { Records: [{ eventSource: "aws:s3", s3: { bucket: { name: "photos" }, object: {} } }] },
      /names no bucket or no key/,
    ],
    ["an empty key", s3Event(""), /names no bucket or no key/],
    ["no bucket", { Records: [{ eventSource: "aws:s3", s3: { object: { key: "a" } } }] }, /names no bucket or no key/],
    ["a malformed percent sequence", s3Event("100%"), /"100%" has a malformed percent sequence/],
    ["EventBridge without a key", { source: "aws.s3", detail: { bucket: { name: "photos" } } }, /names no bucket or no key/],
    ["a look of another version", { look: { version: 9, key: "a", failures: 0, firstSeenMs: 0 } }, /look\.version/],
    ["SNS without a message", { Type: "Notification" }, /no body/],
    ["wrappers without end", [1, 2, 3, 4, 5].reduce<unknown>((inner) => sns(inner), s3Event("a")), /wrapped more than/],
  ];

  test.each(rows)("%s", (_name, body, problem) => {
    const [record, ...rest] = decodeEvent(sqsEvent(body));
    expect(rest).toEqual([]);
    expect(record).toMatchObject({ messageId: "m1", looks: [] });
    expect(record?.problem).toMatch(problem);
    // Unchanged: a redrive hands the whole message to a later version that can read it.
    expect(record?.original).toBe(typeof body === "string" ? body : JSON.stringify(body));
  });

  test("a message without a body is a problem", () => {
    const record = { eventSource: "aws:sqs", messageId: "m1" };
    expect(decodeEvent({ Records: [record] })).toEqual([
      { messageId: "m1", looks: [], problem: "the message has no body", original: JSON.stringify(record) },
    ]);
  });

  test("the readable keys beside an unreadable one are kept", () => {
    const [record] = decodeEvent(sqsEvent(s3Event("good", "bad%", "fine")));
    expect(record?.looks).toEqual([fresh("good"), fresh("fine")]);
    expect(record?.problem).toMatch(/"bad%"/);
  });

  test("a long stray message is quoted only in part", () => {
    const [record] = decodeEvent(sqsEvent({ stray: "x".repeat(10_000) }));
    expect(record?.problem?.length).toBeLessThan(300);
  });

  test.each([undefined, null, 7, "text", [], {}, { Records: 7 }, { Records: null }])("the event %p", (event) => {
    const original = JSON.stringify(event) ?? "undefined";
    expect(decodeEvent(event)).toEqual([{ looks: [], problem: expect.stringMatching(/no known shape/), original }]);
  });

  test("no event makes it throw or return nothing", () => {
    return fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const record of decodeEvent(sqsEvent(value))) {
          expect(record.problem !== undefined || record.looks.length > 0 || isEmptyBatch(value)).toBe(true);
        }
      }),
    );
  });
});

/** `{"Records":[]}` reports nothing. */
function isEmptyBatch(value: unknown): boolean {
  const { Records, events } = (value ?? {}) as { Records?: unknown; events?: unknown };
  return Array.isArray(Records) || Array.isArray(events);
}
