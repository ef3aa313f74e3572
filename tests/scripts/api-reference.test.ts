/** The API reference: it has every type that a program names, and a sentence for every member. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(__dirname, "..", "..");
const TYPEDOC = join(ROOT, "node_modules", "typedoc", "bin", "typedoc");
const folder = mkdtempSync(join(tmpdir(), "bridge-api-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("typedoc has no warning, and only members that repeat a setting have no sentence", async () => {
  const options = ["--out", folder, "--treatWarningsAsErrors", "false", "--validation.notDocumented", "true"];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [TYPEDOC, ...options], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1" },
  });
  const warnings = `${stdout}${stderr}`.split("\n").filter((line) => /^\[(warning|error)\]/.test(line));
  expect(warnings.filter((line) => !/BridgeConfig\.\S+ \(Property\)|^\[warning\] Found 0 errors/.test(line))).toEqual([]);
  // Without them the test would pass by another form of the lines.
  expect(warnings.length).toBeGreaterThan(50);
  expect(readdirSync(join(folder, "interfaces"))).toEqual(expect.arrayContaining(["AuthArgs.html", "CopyArgs.html"]));
}, 240_000);
