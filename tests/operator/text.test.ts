import { bytesText, counted, grouped, keyText, plainText, sizeText } from "../../operator/text";

test("groups digits, and rounds fractions to a millionth", () => {
  expect([0, 1234567, 0.1234567].map(grouped)).toEqual(["0", "1,234,567", "0.123457"]);
});

test("uses singular and plural by the number", () => {
  expect([counted(1, "look"), counted(2, "look"), counted(1000, "is", "are")]).toEqual(["1 look", "2 looks", "1,000 are"]);
});

test("shows bytes in units", () => {
  const sizes = [0, 1023, 1024, 1536 * 1024, 3 * 1024 ** 4, 2 * 1024 ** 6];
  expect(sizes.map(bytesText)).toEqual(["0 bytes", "1023 bytes", "1.0 KiB", "1.5 MiB", "3.0 TiB", "2048.0 PiB"]);
});

test.each([
  ["plain/ключ 1.txt", "plain/ключ 1.txt"],
  ["line\nbreak", '"line\\nbreak"'],
  ["\u001b[2Jcleared", '"\\u001b[2Jcleared"'],
  ["\u202eright to left", '"\\u{202e}right to left"'],
  ['quo"te', '"quo\\"te"'],
  ["", '""'],
])("no key moves the cursor: %j", (key, shown) => {
  expect(keyText(key)).toBe(shown);
});

test("escapes control characters in texts of other systems, but not quotes", () => {
  expect(plainText('a "b"\n\u001b[2J\u0085\u202e')).toBe('a "b"\\u{a}\\u{1b}[2J\\u{85}\\u{202e}');
});

test.each([
  [0, "0 B"],
  [1000, "1000 B"],
  [131_072, "128 KiB"],
  [1_572_864, "1.5 MiB"],
  [1_048_577, "1048577 B"],
  [67_108_864, "64 MiB"],
])("%d bytes are shown as %s", (sizeBytes, text) => {
  expect(sizeText(sizeBytes)).toBe(text);
});
