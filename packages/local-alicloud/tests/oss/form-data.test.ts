/** The body of a form, whatever the pieces in which it arrives. https://www.rfc-editor.org/rfc/rfc7578 */
import { type FormPart, FormReader } from "../../src/oss/operations/form-data";

const BOUNDARY = "9431149156168";
const part = (name: string, content: string | Buffer) => [
  Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
  Buffer.from(content),
  Buffer.from("\r\n"),
];

test.each([1, 2, 3, 5, 7, 1000])("the body of a form is read in pieces of %i bytes", async (size) => {
  const content = Buffer.from(`\r\n--${BOUNDARY.slice(1)}\r\n-\r-\n--`);
  const parts = [...part("a", ""), ...part("b", "2\r\n3"), ...part("file", content)];
  const body = Buffer.concat([Buffer.from("preamble\r\n"), ...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);
  const pieces = async function* () {
    for (let at = 0; at < body.byteLength; at += size) yield body.subarray(at, at + size);
  };
  const reader = new FormReader(pieces(), BOUNDARY);
  const read: [FormPart["name"], string][] = [];
  for (let one = await reader.next(); one !== undefined; one = await reader.next()) {
    const chunks: Buffer[] = [];
    for await (const chunk of reader.content()) chunks.push(chunk);
    read.push([one.name, Buffer.concat(chunks).toString()]);
  }
  expect(read).toEqual([
    ["a", ""],
    ["b", "2\r\n3"],
    ["file", content.toString()],
  ]);
});
