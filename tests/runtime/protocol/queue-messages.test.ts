import * as fc from "fast-check";
import { decodeLook, encodeDeadLetter, encodeLook, isLookMessage } from "../../../runtime/protocol/queue-messages";

test("round trip of any key", () => {
  return fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "binary" }), fc.nat(), fc.nat(), (key, failures, firstSeenMs) => {
      expect(decodeLook(encodeLook({ key, failures, firstSeenMs }))).toEqual({ key, failures, firstSeenMs });
    }),
  );
});

test("the wire format", () => {
  expect(encodeLook({ key: "a b", failures: 2, firstSeenMs: 5 })).toBe(
    '{"look":{"version":2,"key":"a b","firstSeenMs":5,"failures":2}}',
  );
});

test("everything that is known of the tries comes back", () => {
  const look = {
    key: "a",
    firstSeenMs: 5,
    failures: 1,
    waits: 3,
    state: "0123456789abcdef",
    slow: true as const,
    difference: "headers cache-control",
    last: { reason: "the bucket is gone", place: "destination" as const, store: "aws:b", atMs: 7 },
    nextTryMs: 9,
  };
  expect(decodeLook(encodeLook(look))).toEqual(look);
});

test("a message of the first version is read", () => {
  expect(decodeLook('{"look":{"version":1,"key":"a b","attempt":2,"firstSeenMs":5}}')).toEqual({
    key: "a b",
    failures: 2,
    firstSeenMs: 5,
  });
});

test("holds only characters that SQS stores", () => {
  const text = encodeLook({ key: "\u0000\u001f\ufffe\uffff\ud800", failures: 0, firstSeenMs: 0 });
  expect(text).toMatch(/^[\t\n\r\u0020-\ud7ff\ue000-\ufffd]*$/);
  expect(decodeLook(text).key).toBe("\u0000\u001f\ufffe\uffff\ud800");
});

describe("in a dead letter", () => {
  const letter = { reason: "too large\uffff", bridgeId: "bridge", parkedAt: "2026-03-01T00:00:00.000Z" };

  test("the wire format", () => {
    expect(encodeDeadLetter({ key: "a", failures: 0, firstSeenMs: 5 }, { ...letter, reason: "too large" })).toBe(
      '{"look":{"version":2,"key":"a","failures":0},"deadLetter":{"reason":"too large","bridgeId":"bridge","parkedAt":"2026-03-01T00:00:00.000Z"}}',
    );
  });

  test("any key comes back, in characters that XML holds", () => {
    return fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "binary" }), fc.nat(), (key, firstSeenMs) => {
        const text = encodeDeadLetter({ key, failures: 0, firstSeenMs }, letter);
        expect(text).toMatch(/^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
        expect(decodeLook(text)).toEqual({ key, failures: 0 });
      }),
    );
  });

  test("the original message replaces the look", () => {
    const text = encodeDeadLetter({ key: "", failures: 0, firstSeenMs: 5 }, { ...letter, original: "{stray\u0000" });
    expect(JSON.parse(text)).toEqual({ deadLetter: { ...letter, original: "{stray\u0000" } });
  });
});

test.each([
  ["no JSON", "look", /not JSON/],
  ["another version", { look: { version: 3, key: "a", failures: 0, firstSeenMs: 0 } }, /look\.version/],
  ["an empty key", { look: { version: 2, key: "", failures: 0, firstSeenMs: 0 } }, /look\.key/],
  ["a negative attempt", { look: { version: 1, key: "a", attempt: -1, firstSeenMs: 0 } }, /look\.attempt/],
  ["an unknown field", { look: { version: 2, key: "a", failures: 0, firstSeenMs: 0, url: "x" } }, /look/],
  ["a missing field", { look: { version: 2, key: "a", firstSeenMs: 0 } }, /look\.failures/],
])("%s is refused by name", (_name, message, expected) => {
  expect(() => decodeLook(message)).toThrow(expected);
});

test.each([
  [{ look: 1 }, true],
  [{ Records: [] }, false],
  [null, false],
  ["look", false],
])("%p claims to be a look: %p", (message, expected) => {
  expect(isLookMessage(message)).toBe(expected);
});
