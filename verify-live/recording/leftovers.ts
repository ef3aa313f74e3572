/**
 * Finds secrets in a text, however they are encoded: percent encoding, base64 in any alignment, hex, the escapes of XML, JSON and quoted
 * printable, folded lines, and any three of these on top of each other.
 */

/** A value that must not be in a recording. */
export interface Known {
  value: string;
  /** Stands in its place. It also names the value in errors. */
  as: string;
}

/** Values that nobody had to name: they have the form of a secret. */
const PATTERNS: readonly { pattern: RegExp; as: string }[] = [
  { pattern: /(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA|ANPA)[A-Z0-9]{12,}/g, as: "aws-id" },
  { pattern: /(?<![A-Za-z0-9])(?:LTAI|TMP\.|STS\.)[0-9A-Za-z]{8,}/g, as: "alicloud-id" },
  { pattern: /(?:FwoG|FQoG|IQoJ|CAIS|CAES)[A-Za-z0-9+/=_%-]{24,}/g, as: "session-token" },
  { pattern: /whsec_[A-Za-z0-9+/=_-]{8,}/g, as: "signing-secret" },
  { pattern: /(?<=Signature=|signature=|Signature%3D)[0-9A-Za-z+/=%]{16,}/g, as: "signature" },
  // By their names: not every token begins with the same letters.
  {
    pattern: /(?<=(?:security-?token|credential|access-?key-?id|secret-?access-?key|access-?key-?secret)=)[^\s&"'<>]{12,}/gi,
    as: "redacted",
  },
  { pattern: /(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])/g, as: "account" },
  { pattern: /(?<![0-9A-Za-z])\d{16}(?![0-9A-Za-z])/g, as: "account" },
  // Request ids of OSS and of S3.
  { pattern: /(?<![0-9A-Za-z])[0-9A-F]{24}(?![0-9A-Za-z])/g, as: "request-id" },
  { pattern: /(?<![0-9A-Za-z/+])(?=[A-Z0-9]*[A-Z])(?=[A-Z0-9]*\d)[A-Z0-9]{16}(?![0-9A-Za-z/+=])/g, as: "request-id" },
  {
    pattern: /(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:amazonaws\.com(?:\.cn)?|aliyuncs\.com|fcapp\.run|on\.aws)/gi,
    as: "host.invalid",
  },
  { pattern: /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g, as: "address" },
  // Of IPv6. A time has fewer parts.
  { pattern: /(?<![\w:.])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}(?::[0-9a-f]{1,4}){0,4}(?![\w:])/gi, as: "address" },
  // Short ones occur by chance in bytes that are read as base64.
  { pattern: /[\w.+-]{2,}@[\w-]{2,}(?:\.[\w-]+)*\.[a-z]{2,}/gi, as: "mail" },
  { pattern: /-----BEGIN [A-Z ]+-----/g, as: "pem" },
];

/** Replaces everything that has the form of a secret. */
export const withoutPatterns = (text: string): string =>
  PATTERNS.reduce((rest, { pattern, as }) => rest.replace(pattern, as), text);

/** Encodings on top of each other. */
const DEPTH = 3;

/** The names of the secrets that the text holds in any form; never their values. */
export function leftovers(text: string, known: readonly Known[]): string[] {
  const found = new Set<string>();
  const wanted = known.map(({ value, as }) => ({ value: value.toLowerCase(), as })).filter(({ value }) => value !== "");
  for (const variant of variantsOf(text)) {
    const lower = variant.toLowerCase();
    for (const { value, as } of wanted) if (lower.includes(value)) found.add(as);
    for (const { pattern, as } of PATTERNS) if (variant.search(pattern) >= 0) found.add(as);
  }
  return [...found].sort();
}

/** The text, and everything that it says in another encoding. */
function variantsOf(text: string): Set<string> {
  const all = new Set([text]);
  let newest = [text];
  for (let depth = 0; depth < DEPTH; depth++) {
    const next: string[] = [];
    for (const one of newest)
      for (const decode of DECODERS)
        for (const variant of decode(one)) {
          if (variant.length < SHORTEST || all.has(variant)) continue;
          all.add(variant);
          next.push(variant);
        }
    newest = next;
  }
  return all;
}

/** No secret is shorter. */
const SHORTEST = 6;

const DECODERS: readonly ((text: string) => string[])[] = [
  (text) => [text.replace(/%([0-9a-f]{2})/gi, fromHex), text.replaceAll("+", " ")],
  (text) => [utf8Of(text.replace(/%([0-9a-f]{2})/gi, fromHex))],
  (text) => [text.replace(/=([0-9A-F]{2})/g, fromHex)],
  (text) => [text.replace(/&#x([0-9a-f]+);|&#(\d+);|&(amp|lt|gt|quot|apos);/gi, ofEntity)],
  (text) => [
    text
      .replace(/\\u([0-9a-f]{4})/gi, fromHex)
      .replace(/\\x([0-9a-f]{2})/gi, fromHex)
      .replace(/\\(["\\/])/g, "$1"),
  ],
  (text) => [text.replace(/\s+/g, "").replaceAll("\0", "")],
  (text) => decodedTokens(text, /[A-Za-z0-9+/_-]{8,}/g, 4, (token) => Buffer.from(token, "base64")),
  (text) => decodedTokens(text, /[0-9a-f]{12,}/gi, 2, (token) => Buffer.from(token, "hex")),
];

const fromHex = (_: string, hex: string): string => String.fromCharCode(Number.parseInt(hex, 16));

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function ofEntity(whole: string, hex: string | undefined, decimal: string | undefined, name: string | undefined): string {
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
  return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}

const utf8Of = (text: string): string => Buffer.from(text, "latin1").toString("utf8");

/** @param alignments a secret may begin at so many places of a token */
function decodedTokens(text: string, pattern: RegExp, alignments: number, decode: (token: string) => Buffer): string[] {
  const tokens = text.match(pattern) ?? [];
  if (tokens.length === 0) return [];
  return Array.from({ length: alignments }, (_, start) =>
    tokens.map((token) => decode(token.slice(start)).toString("latin1")).join("\n"),
  );
}
