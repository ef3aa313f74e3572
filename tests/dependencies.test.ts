/** Every package is described, used, and has a licence that this repository allows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readModules } from "./support/module-graph";

const ROOT = join(__dirname, "..");
const readText = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const readJson = <T>(path: string): T => JSON.parse(readText(path)) as T;

type Names = Record<string, string>;
interface Manifest {
  workspaces?: string[];
  dependencies?: Names;
  devDependencies?: Names;
  peerDependencies?: Names;
  optionalDependencies?: Names;
}

interface LockedPackage {
  license?: string | readonly string[];
  /** The package is a workspace. Its folder has its own entry. */
  link?: boolean;
}
type Locked = Readonly<Record<string, LockedPackage>>;

/** SPDX identifiers. MPL-2.0 binds changes to its own files only, and this repository makes none. */
const ALLOWED = new Set([
  ...[
    "0BSD",
    "Apache-2.0",
    "Bitstream-Vera",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC0-1.0",
  ],
  ...["ISC", "MIT", "MIT-0", "MPL-2.0", "Python-2.0", "Unlicense"],
]);

/** Packages whose stated licence is no SPDX expression, with the licence in their text. */
const STATED: Readonly<Record<string, { stated: string; means: string }>> = {
  "@darabonba/typescript": { stated: "Apache License 2.0", means: "Apache-2.0" },
  "@logdna/tail-file": { stated: "SEE LICENSE IN LICENSE", means: "MIT" },
  "pause-stream": { stated: "MIT, Apache2", means: "MIT OR Apache-2.0" },
  "dejavu-fonts-ttf": { stated: "SEE LICENSE IN README.md AND LICENSE", means: "Bitstream-Vera" },
};

/** One line for each package whose licence is not allowed or not known. */
function refusedLicences(packages: Locked): string[] {
  return Object.entries(packages)
    .filter(([, { link }]) => link !== true)
    .flatMap(([path, { license = "no licence" }]) => {
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      const stated = [license].flat().join(", ");
      const known = STATED[name];
      return isAllowed(known?.stated === stated ? known.means : stated) ? [] : [`${path || "."}: ${stated}`];
    });
}

/** With OR one licence must be allowed, with AND all. An expression with both counts as not known. */
function isAllowed(expression: string): boolean {
  const names = expression.replace(/^\((.*)\)$/, "$1");
  const either = names.split(" OR ");
  return either.length > 1 ? either.some((name) => ALLOWED.has(name)) : names.split(" AND ").every((name) => ALLOWED.has(name));
}

test("every installed package, and every workspace, has a licence that is allowed", () => {
  const { packages } = readJson<{ packages: Locked }>("package-lock.json");
  expect(refusedLicences(packages)).toEqual([]);
  expect(Object.keys(packages)).toEqual(expect.arrayContaining(["", "packages/local-alicloud", "node_modules/zod"]));
});

test.each<[string, LockedPackage, boolean]>([
  ["node_modules/a", { license: "MIT" }, true],
  ["node_modules/a", { license: "(MIT OR GPL-3.0-only)" }, true],
  ["node_modules/a", { license: "BSD-3-Clause AND Apache-2.0" }, true],
  ["node_modules/a", { license: "AGPL-3.0-or-later" }, false],
  ["node_modules/a", { license: "GPL-3.0-only OR LGPL-3.0-only" }, false],
  ["node_modules/a", { license: "MIT AND GPL-2.0-only" }, false],
  ["node_modules/a", { license: "MIT AND (GPL-2.0-only OR ISC)" }, false],
  ["node_modules/a", { license: "UNLICENSED" }, false],
  ["node_modules/a", { license: "SEE LICENSE IN LICENSE" }, false],
  ["node_modules/b/node_modules/@logdna/tail-file", { license: "SEE LICENSE IN LICENSE" }, true],
  ["node_modules/@logdna/tail-file", { license: "GPL-3.0-only" }, false],
  ["node_modules/a", {}, false],
  ["packages/a", { license: "GPL-3.0-only" }, false],
  ["node_modules/a", { link: true }, true],
])("%s with %j is allowed: %s", (path, locked, expected) => {
  expect(refusedLicences({ [path]: locked }).length === 0).toBe(expected);
});

const root = readJson<Manifest>("package.json");
// The manifest has a pattern of folders. The lockfile names each folder.
const workspaces = Object.keys(readJson<{ packages: Locked }>("package-lock.json").packages).filter((path) =>
  path.startsWith("packages/"),
);
const manifests = [root, ...workspaces.map((folder) => readJson<Manifest>(`${folder}/package.json`))];
const direct = [
  ...new Set(
    manifests.flatMap(({ dependencies, devDependencies, peerDependencies, optionalDependencies }) =>
      [dependencies, devDependencies, peerDependencies, optionalDependencies].flatMap((names = {}) => Object.keys(names)),
    ),
  ),
].sort();

test("the table in docs/dependencies.md names every direct dependency, with its use and its reason", () => {
  const rows = [...readText("docs/dependencies.md").matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)];
  expect(rows.map(([, name]) => name)).toEqual(direct);
});

/** Found by name in these files, not imported. */
const TOOLS: Readonly<Record<string, { file: string; mention: string }>> = {
  "@biomejs/biome": { file: "package.json", mention: "biome check" },
  "@mermaid-js/tiny": { file: "scripts/site/diagrams.ts", mention: '"@mermaid-js/tiny"' },
  "@sparticuz/chromium": { file: "scripts/chromium.ts", mention: '"@sparticuz/chromium"' },
  "@swc/core": { file: "node_modules/@swc/jest/package.json", mention: '"@swc/core"' },
  "@swc/jest": { file: "jest.config.js", mention: '"@swc/jest"' },
  jest: { file: "scripts/launch.js", mention: "node_modules/jest/" },
  tsx: { file: "package.json", mention: "--import tsx" },
  typedoc: { file: "package.json", mention: '"docs:api": "typedoc"' },
  vitepress: { file: "scripts/build-site.ts", mention: 'import("vitepress")' },
  "dejavu-fonts-ttf": { file: "operator/probe/chart.ts", mention: "dejavu-fonts-ttf/" },
  "@types/jest": { file: "tsconfig.json", mention: '"jest"' },
  "@types/node": { file: "tsconfig.json", mention: '"node"' },
};

test("every direct dependency is used: imported, or named where it is loaded", () => {
  const modules = readModules(ROOT, [
    "components",
    "index.ts",
    "local",
    "operator",
    "packages",
    "runtime",
    "scripts",
    "tests",
    "web",
  ]);
  const imported = new Set(modules.flatMap(({ imports }) => imports.map(({ specifier }) => specifier)));
  const isImported = (name: string) => [...imported].some((one) => one === name || one.startsWith(`${name}/`));
  const unused = direct.filter((name) => {
    const tool = TOOLS[name];
    if (tool !== undefined) return !readText(tool.file).includes(tool.mention);
    // Types come with the package that they describe, except where the package has no code of its own.
    return !isImported(name) && !(name.startsWith("@types/") && isImported(name.slice("@types/".length)));
  });
  expect(unused).toEqual([]);
});
