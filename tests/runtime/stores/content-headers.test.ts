import { asciiHeaders, comparableHeaders, keptHeaders } from "../../../runtime/stores/content-headers";

/** The UTF-8 bytes of the text, one character a byte. */
const bytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

test.each([
  ["", undefined],
  ["aws-chunked", undefined],
  [" , aws-chunked", undefined],
  ["aws-chunked,gzip", "gzip"],
  ["gzip, br", "gzip, br"],
])("of the Content-Encoding %j a store keeps %j", (contentEncoding, kept) => {
  expect(keptHeaders({ contentEncoding, contentType: "a/b" })).toEqual({
    contentType: "a/b",
    ...(kept === undefined ? {} : { contentEncoding: kept }),
  });
});

test("ASCII headers are their own ASCII form", () => {
  const headers = { contentDisposition: "attachment; filename=a.txt", expires: "0" };
  expect(asciiHeaders(headers)).toBe(headers);
});

test.each([
  [
    'attachment; filename="报告 2024.pdf"',
    "attachment; filename=\"__ 2024.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A%202024.pdf",
  ],
  ["inline; filename=é.txt; size=3", "inline; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt; size=3"],
  ['attachment; filename="a\\"é.txt"', 'attachment; filename="a\\"_.txt"; filename*=UTF-8\'\'a%22%C3%A9.txt'],
])("the ASCII form of %s names the file for every browser", (text, ascii) => {
  expect(asciiHeaders({ contentDisposition: bytes(text) })).toEqual({ contentDisposition: ascii });
});

test("other text becomes a word of RFC 2047", () => {
  expect(asciiHeaders({ cacheControl: bytes("é"), contentDisposition: bytes("é") })).toEqual({
    cacheControl: "=?UTF-8?B?w6k=?=",
    contentDisposition: "=?UTF-8?B?w6k=?=",
  });
});

test("a destination may hold the ASCII form of a file name, but no encoded word in its place", () => {
  const wanted = { contentDisposition: bytes('attachment; filename="é"') };
  const equal = (found: object) => {
    const [source, destination] = comparableHeaders(wanted, found);
    return JSON.stringify(source) === JSON.stringify(destination);
  };
  expect(equal(wanted)).toBe(true);
  expect(equal(asciiHeaders(wanted))).toBe(true);
  expect(equal({ contentDisposition: `=?UTF-8?B?${Buffer.from('attachment; filename="é"').toString("base64")}?=` })).toBe(false);
  expect(equal({ contentDisposition: 'attachment; filename="e"' })).toBe(false);
});
