import { KeptAttributes } from "../../../runtime/replication/kept-attributes";
import type { ObjectAttributes } from "../../../runtime/stores/object-store";

const attributes = (given: Partial<ObjectAttributes> = {}): ObjectAttributes => ({
  headers: { contentType: "text/plain" },
  metadata: { owner: "a" },
  tags: {},
  ...given,
});

function learned(given: ObjectAttributes): KeptAttributes {
  const kept = new KeptAttributes();
  kept.learn(given);
  return kept;
}

test("nothing is known of a new store", () => {
  expect(new KeptAttributes().covers(attributes())).toBe(false);
});

test.each<[string, Partial<ObjectAttributes>, boolean]>([
  ["the same values", {}, true],
  ["other values of the same names", { headers: { contentType: "image/png" }, metadata: { owner: "b c" } }, true],
  ["another header", { headers: { contentType: "text/plain", cacheControl: "no-cache" } }, false],
  ["a header less", { headers: {} }, false],
  ["another entry of the metadata", { metadata: { owner: "a", team: "b" } }, false],
  ["tags", { tags: { a: "1" } }, false],
])("learned from a plain object, asked about %s", (_what, given, expected) => {
  expect(learned(attributes()).covers(attributes(given))).toBe(expected);
});

test("the names of tags are not compared: a store takes each tag or refuses it", () => {
  expect(learned(attributes({ tags: { a: "1" } })).covers(attributes({ tags: { b: "2", c: "3" } }))).toBe(true);
});

test.each([["two  spaces"], [" space"], ["space "], ["ünicode"], ["tab\there"], [""]])(
  "%j may be altered, so it is always read again",
  (owner) => {
    const odd = attributes({ metadata: { owner } });
    expect(learned(odd).covers(odd)).toBe(false);
    expect(learned(attributes()).covers(odd)).toBe(false);
  },
);

test("what was altered once is read again", () => {
  const kept = learned(attributes());
  kept.forget(attributes());
  expect(kept.covers(attributes())).toBe(false);
});
