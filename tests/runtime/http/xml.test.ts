import fc from "fast-check";
import { parseTagging } from "../../../runtime/http/tagging";
import { escapeXml, parseXml } from "../../../runtime/http/xml";

test("text that is escaped is read as it was, white space and characters that XML 1.0 forbids included", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(parseXml(`<A><B>${escapeXml(text)}</B></A>`)?.textOf("B")).toBe(text);
    }),
  );
});

test.each([
  ["named and numeric references", "<A><B>&lt;&amp;&#x4e2d;&#25991;&#x1;&quot;&apos;&gt;</B></A>", "<&中文\u0001\"'>"],
  ["a reference that is none", "<A><B>&unknown;&#x110000;</B></A>", "&unknown;&#x110000;"],
  ["CDATA, which holds no references", "<A><B>a<![CDATA[<&amp;>]]>b</B></A>", "a<&amp;>b"],
  ["spaces around the text", "<A><B> a </B></A>", " a "],
  ["an element without text", "<A><B/></A>", ""],
  ["an element of several lines", "<A><B\n>a</B\n></A>", "a"],
  ["a declaration and a comment", '<?xml version="1.0"?><!-- c --><A><B>a</B></A>', "a"],
  ["an attribute", '<A xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><B type="x">a</B></A>', "a"],
  ["names of HTML", "<A><link>1</link><B>a</B></A>", "a"],
  ["an element that is absent", "<A><C>a</C></A>", undefined],
])("%s", (_name, document, text) => {
  expect(parseXml(document)?.textOf("B")).toBe(text);
});

test("an entity of a document type is never expanded", () => {
  const document = '<!DOCTYPE A [<!ENTITY e "expanded">]><A><B>&e;</B></A>';
  expect(parseXml(document)?.textOf("B")).toBe("&e;");
});

test("elements of one name, in order, and no others", () => {
  const root = parseXml("<L><P>1</P><Part>x</Part><P>2</P><Q><P>3</P></Q></L>");
  expect(root?.all("P").map(({ text }) => text)).toEqual(["1", "2"]);
});

test("a name of the object's prototype is a name like any other", () => {
  expect(parseXml("<A><__proto__>a</__proto__></A>")?.textOf("__proto__")).toBe("a");
});

test.each(["", "no XML", "{}", "<A><B></A>"])("%j is no document", (text) => {
  expect(parseXml(text)).toBeUndefined();
});

test("tags", () => {
  const tag = (key: string, value: string) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
  const document = (tags: string) => `<Tagging><TagSet>${tags}</TagSet></Tagging>`;
  expect(parseTagging(document(tag("a", "1") + tag("__proto__", " ")))).toEqual(
    Object.fromEntries([
      ["a", "1"],
      ["__proto__", " "],
    ]),
  );
  expect(parseTagging("<Tagging><TagSet/></Tagging>")).toEqual({});
  expect(parseTagging("<html><TagSet/></html>")).toBeUndefined();
  expect(parseTagging("<Tagging></Tagging>")).toBeUndefined();
});
