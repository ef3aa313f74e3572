import { TagCounts } from "../../../runtime/stores/tag-counts";

/** What happened to one store before, in order: a read of tags that succeeded, or the header of a HEAD. */
type Before = "tags read" | { header: string | undefined };

test.each<{ name: string; isVendor: boolean; before: Before[]; header: string | undefined; count: number | undefined }>([
  { name: "a number is certain", isVendor: false, before: [], header: "2", count: 2 },
  { name: "0 is certain", isVendor: false, before: [], header: "0", count: 0 },
  { name: "none is unknown at first", isVendor: true, before: [], header: undefined, count: undefined },
  {
    name: "none is 0 where the vendor let the store read tags",
    isVendor: true,
    before: ["tags read"],
    header: undefined,
    count: 0,
  },
  {
    name: "none stays unknown at another server that let the store read tags",
    isVendor: false,
    before: ["tags read"],
    header: undefined,
    count: undefined,
  },
  {
    name: "none is 0 at any server that has sent a number",
    isVendor: false,
    before: [{ header: "1" }],
    header: undefined,
    count: 0,
  },
  {
    name: "a HEAD without a number proves nothing",
    isVendor: true,
    before: [{ header: undefined }],
    header: undefined,
    count: undefined,
  },
  {
    name: "text is no number, and proves nothing",
    isVendor: false,
    before: [{ header: "many" }],
    header: undefined,
    count: undefined,
  },
  { name: "text is unknown", isVendor: true, before: ["tags read"], header: "-1", count: undefined },
])("$name", ({ isVendor, before, header, count }) => {
  const counts = new TagCounts(isVendor);
  for (const one of before)
    if (one === "tags read") counts.tagsWereRead();
    else counts.read(one.header);
  expect(counts.read(header)).toBe(count);
});
