import * as fc from "fast-check";
import { decodeHeaderText, encodeHeaderText, meaningOfHeaderText } from "../../../runtime/stores/header-text";

const ASCII_LINE = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
/** Header values that a server may return: trimmed printable ASCII, some of it like words of RFC 2047. */
const ASCII_HEADER = fc.oneof(
  ASCII_LINE.map((line) => line.trim()),
  fc
    .tuple(fc.constantFrom("B", "Q", "b"), fc.base64String(), fc.constantFrom("UTF-8", "utf-8", "ISO-8859-1"))
    .map(([encoding, data, charset]) => `=?${charset}?${encoding}?${data}?=`),
);
const TEXT = fc
  .oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), ASCII_LINE)
  .filter((text) => !/\p{Surrogate}/u.test(text));

test("text is decoded to itself, unless it looks like an encoded word", () => {
  void fc.assert(
    fc.property(TEXT, (text) => {
      const header = encodeHeaderText(text);
      expect(header).toMatch(/^([\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?)?$/);
      expect(decodeHeaderText(header)).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test("an ASCII header that is read and written again is unchanged", () => {
  void fc.assert(
    fc.property(ASCII_HEADER, (header) => {
      expect(encodeHeaderText(decodeHeaderText(header))).toBe(header);
    }),
    { numRuns: 500 },
  );
});

test("raw UTF-8 in a header is decoded, and its encoded word has the same meaning", () => {
  void fc.assert(
    fc.property(TEXT, (text) => {
      const raw = Buffer.from(`x${text}`, "utf8").toString("latin1");
      expect(decodeHeaderText(raw)).toBe(`x${text}`);
      expect(meaningOfHeaderText(encodeHeaderText(`${text}中`))).toBe(`${text}中`);
    }),
  );
});

test.each([
  ["plain", "plain"],
  ["=?UTF-8?B?5paH5Lu2?=", "文件"],
  ["=?utf-8?q?caf=C3=A9_au_lait?=", "café au lait"],
  ["=?ISO-8859-1?Q?caf=E9?=", "café"],
  ["=?UTF-8?B?5paH?= =?UTF-8?B?5Lu2?=", "文件"],
  ["=?UTF-8?B?5paH?=\r\n =?UTF-8?B?5Lu2?=", "文件"],
  ["a =?UTF-8?B?5paH?= b", "a 文 b"],
  ["=?UTF-8?B?/w==?=", "=?UTF-8?B?/w==?="],
  ["=?KOI8-R?B?5paH?=", "=?KOI8-R?B?5paH?="],
])("%j means %j", (header, meaning) => {
  expect(meaningOfHeaderText(header)).toBe(meaning);
});
