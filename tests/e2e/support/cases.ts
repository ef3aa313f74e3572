/** Objects that every bridge must replicate exactly. */
import { gzipSync } from "node:zlib";

export interface Case {
  description: string;
  key: string;
  /** @default bytes that differ for each key */
  body?: Buffer;
  headers?: Record<string, string>;
  metadata?: Record<string, string>;
  tags?: Record<string, string>;
  /** Why OSS cannot store it. The key is parked with this reason. */
  notOnOss?: RegExp;
}

const NONE = Buffer.alloc(0);

const KEYS: readonly Case[] = [
  { description: "a space", key: "a b" },
  { description: "a plus", key: "a+b" },
  { description: "a percent sequence", key: "a%20b" },
  { description: "a malformed percent sequence", key: "100%" },
  { description: "an empty segment", key: "a//b" },
  { description: "a folder marker", key: "dir/", body: NONE },
  { description: "no bytes", key: "empty", body: NONE },
  { description: "Chinese", key: "中文/文件.txt" },
  { description: "emoji", key: "🌏/👩‍👩‍👧🚀" },
  { description: "composed and decomposed accents", key: "caf\u00e9/cafe\u0301" },
  { description: "1,023 bytes", key: `${"long/".repeat(203)}to-1023!` },
  { description: "1,024 bytes", key: `${"long/".repeat(204)}1024`, notOnOss: /1024 bytes, the store allows 1023/ },
  { description: "spaces at both ends", key: " spaces at both ends " },
  { description: "single and double quotes", key: `it's "quoted"` },
  { description: "markup", key: "<a>&amp;</a>" },
  { description: "a leading slash", key: "/leading-slash", notOnOss: /OSS holds no key that begins with \// },
  { description: "a dot segment", key: "a/./b" },
  { description: "a dot-dot segment", key: "a/../b" },
  { description: "what has a meaning in a URL", key: "#?&=;:@$,!*()" },
  { description: "what a URL cannot hold", key: "x\\{}^|~`[]" },
];

const ATTRIBUTES: readonly Case[] = [
  {
    description: "content headers",
    key: "attributes/headers.html",
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      "content-disposition": `attachment; filename="a b.html"; filename*=UTF-8''%E4%B8%AD.html`,
      "content-language": "zh-Hans-CN, en",
      expires: "Thu, 02 Jan 2031 03:04:05 GMT",
    },
  },
  {
    description: "a compressed body",
    key: "attributes/body.gz",
    body: gzipSync(Buffer.from("compressed at the source, and never opened on the way")),
    headers: { "content-type": "text/plain", "content-encoding": "gzip" },
  },
  { description: "metadata", key: "attributes/metadata", metadata: { plain: "value", "with-dashes": "a=b; c, d" } },
  { description: "tags", key: "attributes/tags", tags: { team: "data", "cost center": "a+b=1", empty: "" } },
];

/** Objects that only S3 can have at the source. */
export const OF_S3: readonly Case[] = [
  { description: "a metadata name with an underscore", key: "attributes/underscore", metadata: { "x_under.score": "1" } },
  {
    description: "RFC 2047 metadata",
    key: "attributes/2047",
    metadata: { title: "=?UTF-8?B?5Lit5paH?=", word: "=?UTF-8?Q?caf=C3=A9?=" },
  },
  {
    description: "tags beyond ASCII",
    key: "attributes/unicode-tags",
    tags: { 部门: "研发 é" },
  },
];

export const CASES: readonly Case[] = [...KEYS, ...ATTRIBUTES];

export const bodyOf = ({ body, key }: Case): Buffer => body ?? Buffer.from(`the bytes of ${key}`);
