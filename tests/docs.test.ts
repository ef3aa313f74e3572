/** Checks the pages against the repository: generated pages are up to date, and links, commands and names exist. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { EXIT_CODES } from "../operator/command";
import { OBJECT_STATUSES } from "../operator/replication-status";
import { WRITTEN_FILES } from "../scripts/write-configuration";
import { COST_PAGES, withFigures } from "../scripts/write-cost";
import { PICTURES } from "../scripts/write-pictures";

const ROOT = join(__dirname, "..");

function pagesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules") return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? pagesUnder(path) : entry.name.endsWith(".md") ? [path] : [];
  });
}
const PAGES = [
  ...["README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/RESULTS.md"],
  ...["docs", "examples", "packages"].flatMap(pagesUnder),
];
const textOf = (page: string): string => readFileSync(join(ROOT, page), "utf8");

/** Removes fenced code, which has no headings and no links. */
const prose = (text: string): string =>
  text.replace(/^ *```[\s\S]*?^ *```$/gm, "").replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]#]/g, "_"));

/** Anchors of headings, as GitHub makes them. */
const anchorsOf = (text: string): string[] =>
  [...text.replace(/^ *```[\s\S]*?^ *```$/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

test.each(WRITTEN_FILES)("$path is what the schema says (npm run docs:configuration)", ({ path, content }) => {
  expect(textOf(path)).toBe(content());
});

test.each(PICTURES)("$path shows the recorded plan (npm run docs:pictures)", ({ path, content }) => {
  expect(textOf(path)).toBe(content());
});

test.each(COST_PAGES)("%s has the figures of the cost model (npm run docs:cost)", (page) => {
  const text = textOf(page);
  expect(text).toContain("<!--cost:");
  expect(text).toBe(withFigures(text));
});

test.each(PAGES)("%s links to pages, headings and files that exist", (page) => {
  const links = [...prose(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  const broken = links.filter((link) => {
    if (/^https:\/\//.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : relative(ROOT, join(ROOT, dirname(page), path));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test.each(PAGES)("%s names only npm scripts that exist", (page) => {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  const named = [...textOf(page).matchAll(/npm run (\w[\w:-]*)/g)].map(([, name = ""]) => name);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test.each(PAGES)("%s names only files of the repository that exist", (page) => {
  const named = [
    ...textOf(page).matchAll(/`((?:components|runtime|operator|local|packages|examples|scripts|tests)\/[\w./-]+?)`/g),
  ].map(([, path = ""]) => path);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("docs/operations.md has the exit codes of the operator's command", () => {
  const rows = [...textOf("docs/operations.md").matchAll(/^\| (\d) \| (.+) \|$/gm)].map(([, code, means]) => [code, means]);
  expect(rows).toEqual(Object.entries(EXIT_CODES));
});

test("each alarm that names a section of the runbook names one that exists", () => {
  const folder = join("tests", "golden");
  const plans = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"));
  const named = plans.flatMap((plan) =>
    [...textOf(join(folder, plan)).matchAll(/docs\/runbook\.md#([\w-]+)/g)].map(([, section = ""]) => section),
  );
  expect(new Set(named).size).toBeGreaterThan(5);
  const sections = anchorsOf(textOf("docs/runbook.md"));
  expect([...new Set(named)].filter((section) => !sections.includes(section))).toEqual([]);
});

/** The rows of the table whose head begins with this cell: the cells of each. */
function tableOf(page: string, head: string): string[][] {
  const [, rows = ""] = new RegExp(`^\\| ${head} \\|.*\\n\\|[-|: ]+\\|\\n((?:\\|.*\\n)+)`, "m").exec(textOf(page)) ?? [];
  return rows
    .trim()
    .split("\n")
    .map((row) => row.replace(/^\| | \|$/g, "").split(" | "));
}

const RUNBOOK = "docs/runbook.md";
const COMMAND = /`(?:npm run bridge|npm start|bridge|at_source|at_destination|pulumi) [^`]+`/;

test("the runbook has one next command for each exit code and each status", () => {
  const codes = tableOf(RUNBOOK, "Exit code");
  expect(codes.map(([code]) => code)).toEqual([...Object.keys(EXIT_CODES), "130, 143"]);
  const statuses = tableOf(RUNBOOK, "Status");
  expect(statuses.map(([status]) => status).sort()).toEqual(OBJECT_STATUSES.map((status) => `\`${status}\``).sort());
  // These ask for nothing, or for the same command once more.
  const nothing = new Set(["0", "130, 143", "`REPLICA`"]);
  const without = [...codes, ...statuses].filter(([name = "", next = ""]) => !nothing.has(name) && !COMMAND.test(next));
  expect(without).toEqual([]);
});

test("each section of the runbook has a command, or is another one", () => {
  const [, ...sections] = textOf(RUNBOOK).split(/^## /m);
  expect(sections.length).toBeGreaterThan(15);
  const without = sections.filter((text) => !/^ *```sh$/m.test(text) && !COMMAND.test(text)).map((text) => text.split("\n")[0]);
  expect(without).toEqual([]);
});

test("each alarm that the recorded plans create is in the runbook's table", () => {
  const folder = join("tests", "golden");
  const plans = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"));
  const names = plans.flatMap((plan) =>
    [...textOf(join(folder, plan)).matchAll(/"type": "\w+:[^"]*[aA]larm"[\s\S]*?"inputs": \{([\s\S]*?)\n {2}\}\n \}/g)].flatMap(
      ([, inputs = ""]) => /^ {3}"name": "crossborderbridge-([^"]+)"/m.exec(inputs)?.[1] ?? [],
    ),
  );
  expect(new Set(names).size).toBeGreaterThan(20);
  const patterns = tableOf(RUNBOOK, "Alarm").flatMap(([cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => new RegExp(`-?${name.replaceAll(/<\w+>/g, "\\w+")}$`)),
  );
  expect([...new Set(names)].filter((name) => !patterns.some((pattern) => pattern.test(name)))).toEqual([]);
});

const POLICY_PAGES = ["docs/operations.md", "docs/runbook.md", "docs/deploy-from-github.md"];

test.each(POLICY_PAGES)("%s: each command of AWS in a block names its profile and region", (page) => {
  const blocks = [...textOf(page).matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, code = ""]) => code);
  const commands = blocks.flatMap((code) => code.replace(/\\\n/g, " ").split("\n")).filter((line) => /(^|[\s("])aws /.test(line));
  expect(commands.length).toBeGreaterThan(0);
  expect(commands.filter((line) => !/--profile .*--region /.test(line))).toEqual([]);
});

test("the README has at most 900 words", () => {
  expect(textOf("README.md").split(/\s+/).length).toBeLessThanOrEqual(900);
});

test("the table of examples lists every example stack, once", () => {
  const rows = [...textOf("examples/README.md").matchAll(/^\| \[`([\w-]+)`\]\(Pulumi\.([\w-]+)\.yaml\) \| /gm)];
  const files = readdirSync(join(ROOT, "examples")).filter((file) => file.endsWith(".yaml"));
  expect(rows.map(([, name]) => `Pulumi.${name}.yaml`).sort()).toEqual(files.sort());
  for (const [, name, file] of rows) expect(file).toBe(name);
});

/** `[`replicate`](../runtime/replication/replicate.ts)`: a name in code that links to the file where it is declared. */
const namesLinked = (page: string): { name: string; file: string }[] =>
  [...textOf(page).matchAll(/\[`(\w+)`\]\(([^)\s]+\.ts)\)/g)].map(([, name = "", target = ""]) => ({
    name,
    file: join(ROOT, dirname(page), target),
  }));

const DECLARATIONS: readonly ((node: ts.Node) => boolean)[] = [
  ts.isFunctionDeclaration,
  ts.isVariableDeclaration,
  ts.isClassDeclaration,
  ts.isMethodDeclaration,
  ts.isInterfaceDeclaration,
  ts.isMethodSignature,
  ts.isTypeAliasDeclaration,
];

function namesDeclared(file: string): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const { name } = node as { name?: ts.Node };
    if (name !== undefined && (ts.isIdentifier(name) || ts.isPrivateIdentifier(name)) && DECLARATIONS.some((is) => is(node)))
      names.add(name.text.replace(/^#/, ""));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true));
  return names;
}

test("each name that links to a source file is declared there", () => {
  const linked = PAGES.flatMap(namesLinked);
  expect(linked.length).toBeGreaterThan(40);
  const missing = linked.filter(({ name, file }) => !existsSync(file) || !namesDeclared(file).has(name));
  expect(missing.map(({ name, file }) => `${name} in ${relative(ROOT, file)}`)).toEqual([]);
});

test("decisions are numbered without a gap, listed, and of one shape", () => {
  const files = readdirSync(join(ROOT, "docs", "adr")).filter((file) => file !== "README.md");
  expect(files.sort().map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, index) => index + 1));
  const index = textOf(join("docs", "adr", "README.md"));
  for (const file of files) {
    const text = textOf(join("docs", "adr", file));
    expect(text).toMatch(new RegExp(`^# ${Number(file.slice(0, 4))}\\. .+\\n\\n\\*\\*Context\\.\\*\\*`));
    for (const part of ["**Decision.**", "**Consequences.**"]) expect(text).toContain(part);
    expect(index).toContain(`](${file})`);
  }
});

test.each(readdirSync(join(ROOT, "docs", "images")).filter((file) => file.endsWith(".svg")))(
  "%s is well-formed, and legible on any background",
  (image) => {
    const svg = textOf(join("docs", "images", image));
    const names = [...svg.matchAll(/<(\/?)([a-z]+)\b[^>]*?(\/?)>/gi)];
    const open: string[] = [];
    for (const [, closing, name = "", empty] of names) {
      if (closing) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name);
    }
    expect(open).toEqual([]);
    expect(svg).toMatch(/<title(?: [^>]*)?>/);
    // Renderers of SVG 1.1 do not know this value, and draw every arrow to the right.
    expect(svg).not.toContain("auto-start-reverse");
    // The image has its own background over its whole area, for every theme of the reader.
    const [, width = "", height = ""] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
    const [ground = ""] = /<rect [^>]*>/.exec(svg) ?? [];
    const sideOf = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(ground)?.[1]);
    expect(Number(width) - sideOf("width")).toBeLessThanOrEqual(2);
    expect(Number(height) - sideOf("height")).toBeLessThanOrEqual(2);
    expect(ground).toMatch(/ fill="#/);
  },
);

test("docs/security.md: every attack names a test, and each named test exists", () => {
  const rows = [...textOf("docs/security.md").matchAll(/^\| .* \| (`(?:packages\/[\w-]+\/)?tests\/.*) \|$/gm)].map(
    ([, cell = ""]) => cell,
  );
  expect(rows.length).toBeGreaterThan(15);
  const missing = rows.flatMap((cell) =>
    [...cell.matchAll(/`((?:packages\/[\w-]+\/)?tests\/[^`]+)`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(([, file = "", names = ""]) =>
      [...names.matchAll(/"([^"]+)"/g)]
        .map(([, name = ""]) => name)
        .filter((name) => !textOf(file).includes(name))
        .map((name) => `${file}: ${name}`),
    ),
  );
  expect(missing).toEqual([]);
  const attacks =
    textOf("docs/security.md")
      .split("## What each role may do")[0]
      ?.match(/^\| (?!Attack |---)/gm) ?? [];
  expect(rows).toHaveLength(attacks.length);
});

/** What a page links to and shows, inside the repository. */
const linksOf = (page: string): string[] =>
  [...prose(textOf(page)).matchAll(/\]\(([^)\s#]+)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => relative(ROOT, join(ROOT, dirname(page), target)).replace(/\/$/, ""));

test("each page, picture and policy is reached from a README by links", () => {
  const reached = new Set(["README.md", "README.zh-CN.md"]);
  // A set gives also what is added while it is read.
  for (const page of reached) if (PAGES.includes(page)) for (const target of linksOf(page)) reached.add(target);
  const files = ["images", "policies"].flatMap((folder) =>
    readdirSync(join(ROOT, "docs", folder)).map((file) => join("docs", folder, file)),
  );
  expect([...PAGES, ...files].filter((path) => !reached.has(path))).toEqual([]);
});
