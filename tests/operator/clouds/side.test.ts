import { type DeadLetterMessage, deadLetters, keysOfDeadLetter } from "../../../operator/clouds/side";
import { encodeDeadLetter, encodeLook } from "../../../runtime/protocol/queue-messages";

const PARKED = "2026-03-01T00:00:07.000Z";
const STORED = new Date("2026-03-01T00:00:09.000Z");
const look = { key: "a b/ü", failures: 3, firstSeenMs: 1 };
const s3Event = (...keys: string[]) => ({
  Records: keys.map((key) => ({ eventSource: "aws:s3", s3: { bucket: { name: "from" }, object: { key } } })),
});
const GIVEN_UP = "the platform gave the event up; the function's log says why";

test.each<[string, DeadLetterMessage, { keys: string[]; reason: string; parkedAt: Date | undefined }]>([
  [
    "of the bridge, in a queue whose messages have attributes",
    { body: encodeLook(look), key: "a b/ü", reason: "refused", parkedAt: PARKED, storedAt: STORED },
    { keys: ["a b/ü"], reason: "refused", parkedAt: new Date(PARKED) },
  ],
  [
    "of the bridge, all in the body",
    { body: encodeDeadLetter(look, { reason: "refused", bridgeId: "b", parkedAt: PARKED }), storedAt: STORED },
    { keys: ["a b/ü"], reason: "refused", parkedAt: new Date(PARKED) },
  ],
  [
    "of the bridge, about an event that it could not read",
    { body: encodeDeadLetter(look, { reason: "no shape", bridgeId: "b", parkedAt: PARKED, original: '{"x":1}' }) },
    { keys: [""], reason: "no shape", parkedAt: new Date(PARKED) },
  ],
  [
    "of a queue that gave the message up",
    { body: encodeLook(look), storedAt: STORED },
    { keys: ["a b/ü"], reason: GIVEN_UP, parkedAt: STORED },
  ],
  [
    "of Lambda, about an event of two objects",
    {
      body: JSON.stringify({
        requestContext: { condition: "RetriesExhausted" },
        requestPayload: s3Event("x+y", "z%2B", "z%2B"),
        responsePayload: { errorType: "Error", errorMessage: "the source cannot be read" },
      }),
      storedAt: STORED,
    },
    { keys: ["x y", "z+"], reason: "the source cannot be read", parkedAt: STORED },
  ],
  [
    "of Function Compute, whose payloads are text",
    {
      body: JSON.stringify({
        requestContext: { condition: "UnhandledInvocationError" },
        requestPayload: encodeLook(look),
        responsePayload: '{"errorMessage":"it ran out of memory"}',
      }),
    },
    { keys: ["a b/ü"], reason: "it ran out of memory", parkedAt: undefined },
  ],
  [
    "of a platform that never ran the function",
    { body: JSON.stringify({ requestContext: { condition: "EventAgeExceeded" }, requestPayload: encodeLook(look) }) },
    { keys: ["a b/ü"], reason: "EventAgeExceeded", parkedAt: undefined },
  ],
  ["of unknown origin", { body: "what is this?" }, { keys: [""], reason: GIVEN_UP, parkedAt: undefined }],
  [
    "with a time that is none",
    { body: encodeLook(look), parkedAt: "yesterday", storedAt: STORED },
    { keys: ["a b/ü"], reason: GIVEN_UP, parkedAt: STORED },
  ],
])("reads a letter %s", (_what, letter, { keys, ...about }) => {
  expect(keysOfDeadLetter(letter)).toEqual(keys.map((key) => ({ key, ...about })));
});

test.each([
  [3, true, 2, true],
  [2, true, 2, true],
  [2, false, 2, false],
  // One letter may name several keys.
  [1, true, 1, false],
])("returns at most %i of the keys; the queue is read to its end: %s", (limit, sawAll, keys, complete) => {
  const found = ["a", "b"].map((key) => ({ key, reason: "refused", parkedAt: undefined }));
  const read = deadLetters(found, { limit, sawAll });
  expect(read).toEqual({ letters: found.slice(0, keys), complete });
});
