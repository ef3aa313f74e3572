import { isInAnyScope, listingPrefixes, scopesFor, scopesOf } from "../../operator/scopes";
import type { Scope } from "../../runtime/protocol/env";
import { BridgeError } from "../../runtime/stores/errors";
import { FakeBridge, nativeRaw, pullRaw } from "./backfill/fixture";

const scope = (prefixes: string[], more: Partial<Scope> = {}): Scope => ({
  prefixes,
  suffixes: [],
  tags: {},
  minSizeBytes: 0,
  ...more,
});

test("uses the enabled rules of S3 replication as the scope if there are rules", () => {
  const rule = { enabled: true, tags: {}, priority: 1 };
  const rules = [
    { ...rule, id: "a", prefix: "a/", tags: { keep: "yes" } },
    { ...rule, id: "b", prefix: "", priority: 2, enabled: false },
  ];
  expect(scopesOf(new FakeBridge(nativeRaw({ replication: { rules } })).config)).toEqual([
    scope(["a/"], { tags: { keep: "yes" } }),
  ]);
  expect(scopesOf(new FakeBridge(pullRaw({ scope: { prefixes: ["x/"] } })).config)).toEqual([scope(["x/"])]);
});

test("lists the narrowest prefixes of scope and filter, none within another, in the order of keys", () => {
  expect(listingPrefixes([scope([])], "")).toEqual([""]);
  expect(listingPrefixes([scope([])], "a/")).toEqual(["a/"]);
  expect(listingPrefixes([scope(["b/", "a/", "a/b/"])], "")).toEqual(["a/", "b/"]);
  expect(listingPrefixes([scope(["b/", "a/"]), scope(["c/"])], "a/x")).toEqual(["a/x"]);
  expect(listingPrefixes([scope(["a/x/1", "a/x/2"])], "a/")).toEqual(["a/x/1", "a/x/2"]);
  expect(listingPrefixes([scope(["a/"])], "b/")).toEqual([]);
  // U+FFFF comes before an emoji in UTF-8 and after it in UTF-16.
  expect(listingPrefixes([scope(["😀", "\uffff"])], "")).toEqual(["\uffff", "😀"]);
});

test("keeps the scopes that accept key and size", () => {
  const tagged = scope(["a/"], { tags: { keep: "yes" } });
  expect(scopesFor([tagged, scope(["b/"])], "a/1", 1)).toEqual([tagged]);
  expect(scopesFor([tagged], "b/1", 1)).toEqual([]);
  expect(scopesFor([scope([], { minSizeBytes: 2 })], "a", 1)).toEqual([]);
  expect(scopesFor([scope([])], ".crossborderbridge/dev/lease", 1)).toEqual([]);
});

test.each<[string, Scope[], Record<string, string> | undefined, boolean | undefined, number]>([
  ["by its tags", [scope(["a/"], { tags: { keep: "yes" } })], { keep: "yes" }, true, 1],
  ["out by its tags", [scope(["a/"], { tags: { keep: "yes" } })], { keep: "no" }, false, 1],
  ["with any tags", [scope(["a/"], { tags: { keep: "yes" } }), scope(["a/"])], {}, true, 0],
  ["out with any tags", [scope(["b/"], { tags: { keep: "yes" } })], { keep: "yes" }, false, 0],
  ["gone before its tags were read", [scope([], { tags: { keep: "yes" } })], undefined, undefined, 1],
])("an object is in scope: %s", async (_how, scopes, tags, isIn, asked) => {
  const getTags = jest.fn(async () => {
    if (tags === undefined) throw new BridgeError("NotFound", "getTags", "gone");
    return tags;
  });
  const object = { key: "a/1", storeKey: "copy/a/1", sizeBytes: 1 };
  const { signal } = new AbortController();
  expect(await isInAnyScope({ getTags }, scopes, object, signal)).toBe(isIn);
  expect(getTags.mock.calls).toEqual(Array(asked).fill(["copy/a/1", { signal }]));
});

test("rejects if the tags cannot be read", async () => {
  const getTags = () => Promise.reject(new BridgeError("PermissionDenied", "getTags", "you may not"));
  const scopes = [scope([], { tags: { keep: "yes" } })];
  const object = { key: "a", storeKey: "a", sizeBytes: 1 };
  await expect(isInAnyScope({ getTags }, scopes, object, new AbortController().signal)).rejects.toThrow("you may not");
});
