/** Pages of listings as S3 and OSS write them. */
import fc from "fast-check";
import { parseListingPage } from "../../../runtime/stores/listing-page";

const READER = {
  decodeKey: (key: string) => decodeURIComponent(key.replaceAll("+", "%20")),
  invalid: (what: string) => new Error(`the answer has ${what}`),
};

interface Entry {
  key?: string;
  size?: string;
  etag?: string;
  lastModified?: string;
  more?: string;
}

const element = (name: string, text: string | undefined) => (text === undefined ? "" : `<${name}>${text}</${name}>`);

function contents({
  key = "a",
  size = "1",
  etag = "&quot;e&quot;",
  lastModified = "2026-11-21T10:00:00.000Z",
  more = "",
}: Entry): string {
  const fields = [element("Key", key), element("LastModified", lastModified), element("ETag", etag), element("Size", size)];
  return `<Contents>${fields.join("")}${more}<StorageClass>STANDARD</StorageClass></Contents>`;
}

const page = (entries: string, envelope = "<IsTruncated>false</IsTruncated>") =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType>${envelope}${entries}</ListBucketResult>`;

const parse = (text: string) => parseListingPage(Buffer.from(text), READER);

test("reads keys, sizes, ETags and times", () => {
  const more = "<Owner><ID>1</ID><DisplayName>key</DisplayName></Owner>";
  const text = page(
    [
      contents({ key: "a%2Fb+c%E4%B8%AD", size: "12", etag: "&#34;9001&#34;", more }),
      contents({ key: "d", size: "0", etag: '"x-2"', lastModified: "2026-11-21T10:00:01.000Z" }),
    ].join("\n"),
    "<KeyCount>2</KeyCount><IsTruncated>true</IsTruncated><NextContinuationToken>to&amp;ken</NextContinuationToken>",
  );
  expect(parse(text)).toEqual({
    objects: [
      { key: "a/b c中", sizeBytes: 12, etag: "9001", lastModified: new Date("2026-11-21T10:00:00Z") },
      { key: "d", sizeBytes: 0, etag: "x-2", lastModified: new Date("2026-11-21T10:00:01Z") },
    ],
    next: "to&ken",
  });
});

test("reads the envelope after the objects, where OSS and others may write it", () => {
  const after = `${contents({})}<IsTruncated>false</IsTruncated><KeyCount>1</KeyCount>`;
  expect(parse(page(after, "")).objects).toHaveLength(1);
});

test.each([
  ["comments", `<!-- made by a proxy -->${contents({})}`],
  ["CDATA", contents({ key: "<![CDATA[a]]>" })],
  ["attributes", contents({}).replace("<Contents>", '<Contents xmlns:x="y">')],
])("reads a page with %s", (_what, entries) => {
  expect(parse(page(entries)).objects.map(({ key }) => key)).toEqual(["a"]);
});

test("an empty page is whole", () => {
  expect(parse(page(""))).toEqual({ objects: [], next: undefined });
});

const WHOLE = page(contents({}));

test.each([
  ["a page of a proxy", "<html><body>login</body></html>", /no whole page/],
  ["an empty answer", "", /no whole page/],
  ["a page that is cut", WHOLE.slice(0, -30), /no whole page/],
  ["no IsTruncated", page(contents({}), ""), /no IsTruncated/],
  ["more pages and no position", page(contents({}), "<IsTruncated>true</IsTruncated>"), /no NextContinuationToken/],
  [
    "fewer objects than it counts",
    page(contents({}), "<IsTruncated>false</IsTruncated><KeyCount>2</KeyCount>"),
    /1 of 2 objects/,
  ],
  ["an object that is not closed", page(contents({}).replace("</Contents>", "")), /does not end/],
  ["an object without a key", page(contents({}).replace(/<Key>.*<\/Key>/, "")), /without a key/],
  ["an object without a size", page(contents({}).replace(/<Size>.*<\/Size>/, "")), /without a size/],
  ["a size that is no number", page(contents({ size: "many" })), /without a size/],
  ["an object without an ETag", page(contents({}).replace(/<ETag>.*<\/ETag>/, "")), /without an ETag/],
  ["a time that is none", page(contents({ lastModified: "yesterday" })), /without a LastModified/],
])("refuses %s", (_what, text, message) => {
  expect(() => parse(text)).toThrow(message);
});

test("common prefixes count as keys of the page", () => {
  const envelope = "<IsTruncated>false</IsTruncated><KeyCount>2</KeyCount><CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>";
  expect(parse(page(contents({}), envelope)).objects).toHaveLength(1);
});

test.each([
  ["a time to the second", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000Z"],
  ["a time of another zone", "2026-11-21T12:00:00.000+02:00", "2026-11-21T10:00:00.000Z"],
  ["a time before 1970", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"],
])("reads %s", (_what, lastModified, expected) => {
  expect(parse(page(contents({ lastModified }))).objects[0]?.lastModified.toISOString()).toBe(expected);
});

test("the largest object, and a position that is no ASCII", () => {
  const envelope = "<IsTruncated>true</IsTruncated><NextContinuationToken>näch/中</NextContinuationToken>";
  const { objects, next } = parse(page(contents({ key: "中é", size: "53687091200000" }), envelope));
  expect(objects).toMatchObject([{ key: "中é", sizeBytes: 53_687_091_200_000 }]);
  expect(next).toBe("näch/中");
});

/** A comment makes the reader take the whole document apart, which is slow and the plain way. */
test("objects that are found by their tags are those of the document's tree", () => {
  const xml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map((text) => xml(encodeURIComponent(text)));
  const etag = fc.oneof(
    fc.stringMatching(/^[0-9a-f]{32}(-\d)?$/).map((hex) => `&quot;${hex}&quot;`),
    fc.constantFrom("", '"', '""', "&quot;", "&quot;a&amp;b&quot;", "plain", "&#34;x&#34;"),
  );
  const entry = fc.record({
    ...{ key, etag },
    size: fc.nat().map(String),
    lastModified: fc
      .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString()),
    more: fc.constantFrom("", "<Owner><ID>1</ID></Owner>", "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
      const text = entries.map(contents).join("\n");
      expect(parse(page(text))).toEqual(parse(page(`<!-- -->${text}`)));
    }),
  );
});
