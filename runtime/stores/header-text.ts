/**
 * Unicode text in HTTP headers, the way S3 reads and writes it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */

/** A header line carries this unchanged: printable ASCII without white space at its ends. */
const PLAIN = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;
/** The text of a header that is given one character a byte: UTF-8 where it is that, else ISO 8859-1. */
export function textOfBytes(header: string): string {
  return decodeUtf8(Buffer.from(header, "latin1")) ?? header;
}

/** Whether a header's bytes are text in every encoding. */
export function isAscii(value: string): boolean {
  return !/[\u0080-\uffff]/.test(value);
}

const BASE64_WORD = /^=\?UTF-8\?B\?([A-Za-z0-9+/]*={0,2})\?=$/;
const ANY_WORD = /=\?([^?\s]+)\?([BbQq])\?([^?]*)\?=/g;
const BETWEEN_WORDS = /(\?=)[ \t\r\n]+(?==\?)/g;

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Plain values stay as they are, RFC 2047 words included. Every other value becomes one RFC 2047 base64 word. */
export function encodeHeaderText(text: string): string {
  return PLAIN.test(text) ? text : `=?UTF-8?B?${Buffer.from(text, "utf8").toString("base64")}?=`;
}

/**
 * The text of a header, given as Node returns it (one character a byte). Raw UTF-8 bytes become Unicode text, and so does every word that
 * `encodeHeaderText` writes. Any other ASCII value stays as it is, other RFC 2047 words included, so that writing it again gives the same
 * bytes.
 */
export function decodeHeaderText(header: string): string {
  const base64 = BASE64_WORD.exec(header)?.[1];
  if (base64 !== undefined) {
    const text = decodeUtf8(Buffer.from(base64, "base64"));
    return text !== undefined && encodeHeaderText(text) === header ? text : header;
  }
  return /[\x80-\xff]/.test(header) ? (decodeUtf8(Buffer.from(header, "latin1")) ?? header) : header;
}

/**
 * The meaning of a header value: every RFC 2047 word decoded. S3 chooses between base64 and quoted-printable words when it returns
 * non-ASCII metadata, so values are compared in this form.
 */
export function meaningOfHeaderText(value: string): string {
  return value.replace(BETWEEN_WORDS, "$1").replace(ANY_WORD, (word, charset: string, encoding: string, data: string) => {
    const bytes =
      encoding.toUpperCase() === "B"
        ? Buffer.from(data, "base64")
        : Buffer.from(
            data
              .replaceAll("_", " ")
              .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
            "latin1",
          );
    if (/^iso-8859-1$/i.test(charset)) return bytes.toString("latin1");
    return /^(utf-8|us-ascii)$/i.test(charset) ? (decodeUtf8(bytes) ?? word) : word;
  });
}
