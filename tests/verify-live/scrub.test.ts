/** What a recording must not hold is not in it, however it was written. */

import { type Known, leftovers } from "../../verify-live/recording/leftovers";
import { RecordingDispatcher } from "../../verify-live/recording/record";
import { Scrubber } from "../../verify-live/recording/scrub";

/** Examples of the vendors' documentation, and made-up values. */
const ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN = "IQoJb3JpZ2luX2VjEMv//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==";
const OSS_KEY = "LTAI5tExampleKeyOfOss1234";
const OSS_SECRET = "8hx2o7ExampleSecret0fOss56789";
const ACCOUNT = "123456789012";
const UID = "1234567890123456";
const BUCKET = "customer-invoices-2026";
const KNOWN: readonly Known[] = [
  { value: ACCESS_KEY, as: "access-key" },
  { value: SECRET, as: "secret-key" },
  { value: TOKEN, as: "session-token" },
  { value: OSS_KEY, as: "access-key" },
  { value: OSS_SECRET, as: "secret-key" },
  { value: ACCOUNT, as: "account" },
  { value: UID, as: "account" },
  { value: BUCKET, as: "fixture-bucket" },
];
const scrubber = new Scrubber(KNOWN);

const base64 = (text: string) => Buffer.from(text).toString("base64");
const percent = (text: string) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
const entities = (text: string) => [...text].map((char) => `&#x${char.charCodeAt(0).toString(16)};`).join("");
const unicodeEscapes = (text: string) =>
  [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
const quotedPrintable = (text: string) =>
  [...Buffer.from(text)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
const folded = (text: string) => text.replace(/.{8}/g, "$&\r\n");

const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  "in upper case": (text) => text.toUpperCase(),
  "in lower case": (text) => text.toLowerCase(),
  "with percent signs": encodeURIComponent,
  "with percent signs twice": (text) => encodeURIComponent(encodeURIComponent(text)),
  "with every byte as a percent sign": percent,
  "in base64": base64,
  "in base64 behind one byte": (text) => base64(`x${text}`),
  "in base64 behind two bytes": (text) => base64(`xy${text}`),
  "in base64 of a longer text": (text) => base64(`{"who":"${text}","more":[1,2,3]}`),
  "in base64url": (text) => Buffer.from(text).toString("base64url"),
  "in base64 twice": (text) => base64(base64(text)),
  "in base64 with percent signs": (text) => encodeURIComponent(base64(text)),
  "in base64, folded": (text) => folded(base64(`credentials: ${text}`)),
  "in hex": (text) => Buffer.from(text).toString("hex"),
  "in hex, in upper case": (text) => Buffer.from(text).toString("hex").toUpperCase(),
  "in hex behind half a byte": (text) => `a${Buffer.from(text).toString("hex")}`,
  "as entities of XML": entities,
  "as escapes of JSON": unicodeEscapes,
  "with slashes escaped": (text) => text.replaceAll("/", "\\/"),
  "in quoted printable": quotedPrintable,
  "in UTF-16": (text) => [...text].join("\0"),
  "in JSON in JSON": (text) => JSON.stringify(JSON.stringify({ text })),
};

const PLACES: Readonly<Record<string, (text: string) => string>> = {
  "a text": (text) => text,
  "an element of XML": (text) => `<Error><Code>AccessDenied</Code><Extra>${text}</Extra></Error>`,
  "an attribute of XML": (text) => `<Error extra="${text}"/>`,
  "a field of JSON": (text) => `{"a":1,"b":"${text}","c":null}`,
  "a query": (text) => `a=1&b=${text}&c=3`,
  "a sentence": (text) => `the user ${text} is not allowed`,
};

describe.each(Object.entries(ENCODINGS))("%s", (_, encode) => {
  test.each(Object.entries(PLACES))("in %s: no secret is left", (_where, place) => {
    for (const { value } of KNOWN) {
      const hostile = place(encode(value));
      const clean = scrubber.text(hostile);
      expect(leftovers(clean, KNOWN)).toEqual([]);
      // Without the code under test: neither the value nor what was written is there.
      expect(clean).not.toContain(value);
      expect(clean).not.toContain(encode(value));
      expect(clean.toLowerCase()).not.toContain(value.toLowerCase());
    }
  });
});

test.each<[string, string, string]>([
  ["an access key of AWS that nobody named", "key AKIAABCDEFGHIJKLMNOP here", "AKIAABCDEFGHIJKLMNOP"],
  ["a temporary key of AWS", "ASIAQWERTYUIOPASDFGH", "ASIAQWERTYUIOPASDFGH"],
  ["an access key of Alibaba Cloud", "id=LTAI5tAAAABBBBCCCCDDDDEE", "LTAI5tAAAABBBBCCCCDDDDEE"],
  ["a temporary key of Alibaba Cloud", "STS.NUabcdefghijkl", "STS.NUabcdefghijkl"],
  ["an account in an ARN", "arn:aws:iam::210987654321:role/x", "210987654321"],
  ["an account of Alibaba Cloud", "acs:oss:*:9876543210987654:bucket", "9876543210987654"],
  ["a request id of S3", "id 4442587FB7D0A2F9 end", "4442587FB7D0A2F9"],
  ["a request id of OSS", "id 5C3D9175B6FC201293AD4890 end", "5C3D9175B6FC201293AD4890"],
  ["a host of S3", "https://my-own-bucket.s3.eu-west-1.amazonaws.com/key", "my-own-bucket"],
  ["a host of S3 in China", "my-own-bucket.s3.cn-north-1.amazonaws.com.cn", "my-own-bucket"],
  ["a host of OSS", "my-own-bucket.oss-cn-shanghai.aliyuncs.com", "my-own-bucket"],
  ["a signing secret", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=", "c2VjcmV0LXNlY3JldC1zZWNyZXQ"],
  ["a signature of V4", `Signature=${"0123456789abcdef".repeat(4)}`, "0123456789abcdef"],
  ["a token of another form in a query", "x=1&X-Amz-Security-Token=QWxsIGJ1dCBrbm93bg&y", "QWxsIGJ1dCBrbm93bg"],
  ["a token of OSS in a query", "security-token=c29tZXRoaW5nIGVsc2U%3D", "c29tZXRoaW5nIGVsc2U"],
  ["the credential of a URL", "X-Amz-Credential=some-other-key-id%2F20261130%2Fus-east-1", "some-other-key-id"],
  ["an address of IPv6", "from 2001:db8:85a3:8d3:1319:8a2e:370:7348 to here", "1319:8a2e"],
  ["a short address of IPv6", "from 2001:db8:85a3:8d3::7348", "85a3:8d3"],
  ["an address", "from 203.0.113.77 to here", "203.0.113.77"],
  ["a mail address", "owner someone@example.com", "someone@example.com"],
  ["a private key", "-----BEGIN RSA PRIVATE KEY-----", "BEGIN RSA PRIVATE"],
])("%s is replaced by its form alone", (_, text, secret) => {
  const clean = new Scrubber([]).text(text);
  expect(clean).not.toContain(secret);
  expect(new Scrubber([]).leftovers(clean)).toEqual([]);
});

test("the elements of an error that name the request, the account or the signature are emptied", () => {
  const document = `<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>SOME-KEY</AWSAccessKeyId><StringToSign>AWS4 what was signed</StringToSign><RequestId>short</RequestId><HostId>host/id=</HostId></Error>`;
  const clean = new Scrubber([]).text(document);
  expect(clean).toContain("<Code>SignatureDoesNotMatch</Code>");
  for (const secret of ["SOME-KEY", "what was signed", "short", "host/id="]) expect(clean).not.toContain(secret);
});

test("they are emptied with a prefix, with attributes and with their text in CDATA", () => {
  const document = `<a:Owner><a:ID>short-id</a:ID><DisplayName xml:lang="en">Jane</DisplayName><HostId><![CDATA[host <id>]]></HostId></a:Owner>`;
  const clean = new Scrubber([]).text(document);
  expect(clean).toBe("<a:Owner><a:ID>redacted</a:ID><DisplayName>redacted</DisplayName><HostId>redacted</HostId></a:Owner>");
});

test("what says nothing about anybody stays as it is", () => {
  const text = `<ListBucketResult><Name>fixture-bucket</Name><Prefix>scene/</Prefix><Contents><Key>scene/a%2Bb</Key><Size>12</Size><ETag>&quot;9e107d9d372bb6826bd81d3542a419d6&quot;</ETag></Contents></ListBucketResult>`;
  expect(scrubber.text(text)).toBe(text);
});

test("an exchange: named headers are kept, all others are gone, and the lengths of changed documents with them", () => {
  const recorded = scrubber.clean({
    method: "GET",
    path: `/scene/object?x-id=GetObject&marker=${encodeURIComponent(base64(SECRET))}`,
    requestHeaders: {
      host: `${BUCKET}.s3.amazonaws.com`,
      authorization: `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY}/20261130/us-east-1/s3/aws4_request, Signature=${"ab".repeat(32)}`,
      "x-amz-security-token": TOKEN,
      "x-amz-date": "20261130T000000Z",
      "x-amz-meta-note": base64(`owner ${ACCOUNT}`),
      range: "bytes=0-3",
    },
    requestBody: Buffer.from(JSON.stringify({ uid: UID, keys: [OSS_SECRET] })),
    status: 403,
    answerHeaders: [
      ["x-amz-request-id", "4442587FB7D0A2F9"],
      ["x-amz-id-2", "vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo="],
      ["x-amz-bucket-region", "eu-west-1"],
      ["server", "AmazonS3"],
      ["date", "Mon, 30 Nov 2026 00:00:00 GMT"],
      ["content-length", "77"],
      ["etag", '"9e107d9d372bb6826bd81d3542a419d6"'],
    ],
    answerBody: Buffer.from(
      `<Error><Code>AccessDenied</Code><BucketName>${BUCKET}</BucketName><RequestId>4442587FB7D0A2F9</RequestId></Error>`,
    ),
  });
  expect(leftovers(JSON.stringify(recorded), KNOWN)).toEqual([]);
  expect(Object.keys(recorded.request.headers)).toEqual(["range", "x-amz-meta-note"]);
  expect(recorded.answer.headers).toEqual({ etag: '"9e107d9d372bb6826bd81d3542a419d6"' });
  expect(recorded.answer.body).toEqual({
    text: "<Error><Code>AccessDenied</Code><BucketName>fixture-bucket</BucketName><RequestId>redacted</RequestId></Error>",
  });
});

test("the length of an object that HEAD reports stays", () => {
  const { answer } = scrubber.clean({
    ...{ method: "HEAD", path: "/scene/object", requestHeaders: {}, requestBody: undefined, status: 200 },
    answerHeaders: [["content-length", "77"]],
    answerBody: Buffer.alloc(0),
  });
  expect(answer.headers).toEqual({ "content-length": "77" });
});

test("a secret in bytes that are no text is found as well", () => {
  const { answer } = scrubber.clean({
    ...{ method: "GET", path: "/scene/object", requestHeaders: {}, requestBody: undefined, status: 200, answerHeaders: [] },
    answerBody: Buffer.concat([Buffer.from([0xff, 0xfe, 0x80]), Buffer.from(SECRET)]),
  });
  expect(answer.body).toEqual({ text: "redacted" });
});

test("a secret that cannot be replaced is refused by name, and its value is not in the error", () => {
  // A caller that writes a text of its own past `text`.
  expect(() => scrubber.assertClean(JSON.stringify({ note: base64(SECRET) }))).toThrow(
    /^a recording still holds .*secret-key.*: it was not stored$/,
  );
  try {
    scrubber.assertClean(SECRET);
  } catch (error) {
    expect(String(error)).not.toContain(SECRET);
  }
});

test("the recorder itself changes nothing: the handler gets every event of the connection", () => {
  const seen: string[] = [];
  const inner = {
    dispatch(_options: object, handler: { onConnect?(abort: () => void): void; onHeaders?: unknown; [name: string]: unknown }) {
      const call = (name: string, ...args: unknown[]) => (handler[name] as (...all: unknown[]) => unknown)(...args);
      call("onConnect", () => undefined);
      call("onHeaders", 200, [Buffer.from("ETag"), Buffer.from('"e"')], () => undefined, "OK");
      call("onData", Buffer.from("bytes"));
      call("onComplete", []);
      return true;
    },
  };
  const recorder = new RecordingDispatcher(inner as never);
  recorder.dispatch(
    { method: "GET", path: "/a", headers: { range: "bytes=0-1" } } as never,
    {
      onConnect: () => void seen.push("connect"),
      onHeaders: (status: number) => seen.push(`headers ${status}`) > 0,
      onData: (chunk: Buffer) => seen.push(`data ${chunk.toString()}`) > 0,
      onComplete: () => void seen.push("complete"),
    } as never,
  );
  expect(seen).toEqual(["connect", "headers 200", "data bytes", "complete"]);
  expect(recorder.exchanges).toEqual([
    {
      method: "GET",
      path: "/a",
      requestHeaders: { range: "bytes=0-1" },
      requestBody: undefined,
      status: 200,
      answerHeaders: [["etag", '"e"']],
      answerBody: Buffer.from("bytes"),
    },
  ]);
});
