import * as fc from "fast-check";
import { decodeS3Key, encodeS3Key, possibleOssKeys } from "../../../runtime/protocol/event-key";

const GOLDEN: [string, string][] = [
  ["a b", "a+b"],
  ["a+b", "a%2Bb"],
  ["a%20b", "a%2520b"],
  ["a%2Bb", "a%252Bb"],
  ["100%", "100%25"],
  ["a//b", "a//b"],
  ["dir/", "dir/"],
  ["中文/文件.txt", "%E4%B8%AD%E6%96%87/%E6%96%87%E4%BB%B6.txt"],
  ["🚀", "%F0%9F%9A%80"],
  [" leading and trailing ", "+leading+and+trailing+"],
  ["\"quotes'", "%22quotes'"],
  ["<>&", "%3C%3E%26"],
  ["a\\b", "a%5Cb"],
  ["line\nbreak", "line%0Abreak"],
  ["a/../b", "a/../b"],
];

test.each(GOLDEN)("%p is written %p", (key, written) => {
  expect(decodeS3Key(written)).toBe(key);
  expect(encodeS3Key(key)).toBe(written);
});

test.each(["a b", "中文", "a%2fb", "a%3c"])("an encoder that is less strict is read as well: %p", (written) => {
  expect(decodeS3Key(written)).toBe(decodeURIComponent(written));
});

test.each(["%", "%2", "%zz", "a%E4%B8", "%FF", "%C0%AF"])("%p is malformed", (written) => {
  expect(decodeS3Key(written)).toBeUndefined();
});

test("round trip of any key", () => {
  return fc.assert(
    fc.property(fc.string({ unit: "binary" }), (key) => {
      fc.pre(isWellFormed(key));
      expect(decodeS3Key(encodeS3Key(key))).toBe(key);
    }),
  );
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

function isWellFormed(text: string): boolean {
  return !/[\ud800-\udfff]/u.test(text);
}
