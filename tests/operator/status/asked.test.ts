import { askedFor } from "../../../operator/status/command";

test.each<[string, string[], string, { keys: string[]; prefix: string }]>([
  ["nothing: every key", [], "", { keys: [], prefix: "" }],
  ["keys", ["a", "b/c"], "", { keys: ["a", "b/c"], prefix: "" }],
  ["an argument that ends with / is a prefix", ["reports/2026/"], "", { keys: [], prefix: "reports/2026/" }],
  ["--prefix takes any prefix", [], "reports/20", { keys: [], prefix: "reports/20" }],
])("%s", (_what, args, prefix, expected) => expect(askedFor(args, prefix)).toEqual(expected));

test.each<[string, string[], string, RegExp]>([
  ["two prefixes", ["a/", "b/"], "", /one prefix at a time: a\/, b\//],
  ["a prefix and --prefix", ["a/"], "b", /one prefix at a time: a\/, b/],
  ["a prefix beside a key", ["a/", "b"], "", /keys or one prefix, not both/],
  ["--prefix beside a key", ["b"], "a/", /keys or one prefix, not both/],
])("refuses %s", (_what, args, prefix, message) => expect(() => askedFor(args, prefix)).toThrow(message));
