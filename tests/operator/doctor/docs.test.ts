import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKS, checkNames, checksTable } from "../../../operator/doctor/catalogue";

const PAGE = readFileSync(join(__dirname, "..", "..", "..", "docs", "doctor.md"), "utf8");

test("docs/doctor.md has the table of all checks", () => {
  const [, table = ""] = /<!-- checks -->\n([\s\S]*?)\n<!-- \/checks -->/.exec(PAGE) ?? [];
  expect(table).toBe(checksTable());
});

test("names are unique, and a check needs only checks that stand before it", () => {
  const names = checkNames();
  expect(new Set(names).size).toBe(names.length);
  for (const { name, needs } of CHECKS)
    expect(needs.filter((needed) => !names.slice(0, names.indexOf(name)).includes(needed))).toEqual([]);
});
