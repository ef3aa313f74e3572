/**
 * Writes everything that repeats the schemas of the configuration and of the outputs: docs/configuration.md, the declarations in
 * Pulumi.yaml and the types in components/config/settings.ts. Writes docs/limits.md from the table of limits. Tests check that the files equal the output of this script.
 */
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { Scalar, stringify } from "yaml";
import { z } from "zod";
import { ConfigInvalid, parseBridgeConfig } from "../components/config";
import { LATE_SETTINGS } from "../components/config/late";
import { LIMITS, type Limit } from "../components/config/limits";
import { outputsSchema } from "../components/config/outputs";
import { bridgeSchema, storeSchema } from "../components/config/schema";

const ROOT = resolve(__dirname, "..");
const SOURCE = "components/config/schema.ts and components/config/outputs.ts";
const WRITTEN_BY = `Written by \`npm run docs:configuration\` from ${SOURCE}. Change those.`;

/** A setting as `z.toJSONSchema` describes it, together with the `meta` of its schema. */
interface Setting {
  type: "string" | "integer" | "number" | "boolean" | "array" | "object";
  description?: string;
  default?: unknown;
  /** The default in words, where it follows from other settings. */
  fallback?: string;
  /** The allowed values in words. */
  allowed?: string;
  enum?: (string | number)[];
  items?: Setting;
  properties?: Record<string, Setting>;
  additionalProperties?: Setting | false;
  required?: string[];
  /** Only outputs have it: completes "Present ...". */
  when?: string;
  /** Only sections have it: the heading on the page. */
  title?: string;
  /** Only sections have it: the name of the argument type. */
  typeName?: string;
}

const BRIDGE = z.toJSONSchema(bridgeSchema, { io: "input" }) as unknown as Setting;
const STORE = z.toJSONSchema(storeSchema, { io: "input" }) as unknown as Setting;
const OUTPUTS = z.toJSONSchema(outputsSchema, { io: "input" }) as unknown as Setting;

const propertiesOf = (setting: Setting): [name: string, setting: Setting][] => Object.entries(setting.properties ?? {});
const isSection = (setting: Setting): boolean => setting.properties !== undefined;
const isRequired = (section: Setting, key: string): boolean => section.required?.includes(key) === true;

/** The text that the schema has for the setting. @throws Error if it has none */
function textOf(path: string, what: "description" | "allowed" | "title" | "typeName", setting: Setting): string {
  const text = setting[what];
  if (!text) throw new Error(`there is no ${what} for ${path === "" ? "the bridge" : path}`);
  return text;
}

const MIB = 1024 * 1024;

/** The default value as code, or in words; undefined where there is none. */
function defaultOf(key: string, setting: Setting): { code: string; size: string } | undefined {
  if (setting.default === undefined) return undefined;
  const { default: value } = setting;
  const bytes = key.endsWith("Bytes") && typeof value === "number" && value > 0 ? value : undefined;
  const size = bytes === undefined ? "" : bytes % MIB === 0 ? ` (${bytes / MIB} MiB)` : ` (${bytes / 1024} KiB)`;
  return { code: JSON.stringify(value), size };
}

interface Section {
  path: string;
  setting: Setting;
}

/** The section and the sections inside it. The path of a list's element ends in `[]`. */
function sectionsIn(path: string, setting: Setting): Section[] {
  if (setting.items !== undefined) return sectionsIn(`${path}[]`, setting.items);
  if (!isSection(setting)) return [];
  const inside = propertiesOf(setting).flatMap(([key, one]) => sectionsIn(joined(path, key), one));
  return [{ path, setting }, ...inside];
}

const joined = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);

// The page.

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

function row(section: Section, key: string, setting: Setting): string {
  const path = joined(section.path, key);
  const value = defaultOf(key, setting);
  const fallback = value === undefined ? (setting.fallback ?? "none") : `\`${value.code}\`${value.size}`;
  const cells = [
    `\`${path}\``,
    cell(textOf(path, "description", setting)),
    isRequired(section.setting, key) ? "**required**" : cell(fallback),
    cell(textOf(path, "allowed", setting)),
  ];
  return `| ${cells.join(" | ")} |`;
}

function table(section: Section): string {
  const rows = propertiesOf(section.setting)
    .filter(([, setting]) => !isSection(setting))
    .map(([key, setting]) => row(section, key, setting));
  return ["| Key | What it is | Default | Allowed |", "|---|---|---|---|", ...rows].join("\n");
}

/** Required sections come first, then the settings of the bridge itself, then the sections with defaults. */
function sectionsOfPage(): Section[] {
  const [bridge, ...sections] = sectionsIn("", BRIDGE);
  const isNeeded = ({ path }: Section) => isRequired(BRIDGE, path.split(/[.[]/)[0] ?? "");
  return [...sections.filter(isNeeded), ...(bridge === undefined ? [] : [bridge]), ...sections.filter((one) => !isNeeded(one))];
}

function chapter(section: Section): string {
  const { path, setting } = section;
  const intro = setting.description === undefined ? "" : `${setting.description}\n\n`;
  return `## ${textOf(path, "title", setting)}\n\n${intro}${table(section)}`;
}

function outputsChapter(): string {
  const rows = propertiesOf(OUTPUTS).map(
    ([name, setting]) => `| \`${name}\` | ${cell(setting.when ?? "always")} | ${cell(textOf(name, "description", setting))} |`,
  );
  const lines = ["| Output | Present | What it is |", "|---|---|---|", ...rows];
  return `## ${textOf("", "title", OUTPUTS)}\n\n${textOf("", "description", OUTPUTS)}\n\n${lines.join("\n")}`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

function examples(): string {
  return ["Pulumi.dev.yaml", ...readdirSync(join(ROOT, "examples")).map((file) => `examples/${file}`)]
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => {
      const lines = readFileSync(join(ROOT, file), "utf8").split("\n");
      const comment = lines.slice(
        0,
        lines.findIndex((line) => !line.startsWith("#")),
      );
      return `- [\`${file}\`](../${file}): ${oneLine(comment.map((line) => line.replace(/^# ?/, "")).join(" "))}`;
    })
    .join("\n");
}

/** The errors that `pulumi preview` prints for a configuration with several mistakes. */
function exampleOfErrors(): string {
  const wrong = {
    source: { cloud: "aws", region: "cn-north-1", bucket: "reports-global" },
    destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "Reports" },
    bufer: "none",
    timeouts: { receiverSeconds: 60 },
    token: "not-base64!",
  };
  try {
    parseBridgeConfig(wrong, { stack: "production" });
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.message;
    throw error;
  }
  throw new Error("the example of a wrong configuration is valid");
}

export function configurationPage(): string {
  return `<!-- ${WRITTEN_BY} -->

# Configuration

Every key of a stack, as \`crossborderbridge:<key>\` in \`Pulumi.<stack>.yaml\`. Only \`source\`, \`destination\` and, in mode
\`pull\`, a token and an allowlist must be given. The component \`CrossBorderBridge\` takes the same keys as arguments ([library.md](library.md)).

A nested key is set with a path: \`pulumi config set --path crossborderbridge:copy.memoryMb 2048\`.

${sectionsOfPage().map(chapter).join("\n\n")}

${outputsChapter()}

## Errors

The configuration is checked as a whole before anything is declared, and every mistake is reported at once:

\`\`\`text
${exampleOfErrors()}
\`\`\`

Secrets are never shown, and neither are the values of unknown keys, which may be secrets under a wrong name.
[Limits of the clouds](limits.md) lists what a cloud would refuse later.

## Examples

${examples()}

\`npm run preview -- <stack>\` shows what any of them would create, with no cloud and no credentials.
`;
}

/** The table of limits, a row each. */
export function limitsPage(): string {
  const rows = Object.values<Limit>(LIMITS).map(
    ({ service, what, limit, here, source }) => `| ${service} | [${cell(what)}](${source}) | ${cell(limit)} | ${cell(here)} |`,
  );
  return `<!-- Written by \`npm run docs:configuration\` from components/config/limits.ts. Change that. -->

# Limits of the clouds

A cloud refuses some settings only during a deployment, and others never carry an object. All of these are refused by \`pulumi preview\`: with the setting, its
value and the way out. Each limit links to the vendor's page.

| Service | Limit | At most | What the bridge does |
|---|---|---|---|
${rows.join("\n")}

A quota of an account can be raised. The table has the number of a new account, or the default. The bridge's own limits are in
[guarantees.md](guarantees.md#limits), and how fast it is with these quotas in [scale.md](scale.md).
`;
}

// Pulumi.yaml.

/** The description of a setting. That of a section also lists its keys, because Pulumi.yaml declares no types inside an object. */
function declaredText(path: string, setting: Setting): string {
  const keys = propertiesOf(setting).map(([key, one]) => {
    const inside = isSection(one) ? undefined : (defaultOf(key, one)?.code ?? one.fallback);
    return inside === undefined ? key : `${key} (${inside})`;
  });
  const fallback = setting.fallback === undefined ? "" : ` Default: ${setting.fallback}.`;
  const text = `${textOf(path, "description", setting)}${fallback}${keys.length > 0 ? ` Keys: ${keys.join(", ")}.` : ""}`;
  return text.replaceAll("`", "");
}

function declaration(path: string, setting: Setting): object {
  return {
    type: setting.type === "number" ? "integer" : setting.type,
    ...(setting.items === undefined ? {} : { items: { type: setting.items.type } }),
    ...(isRequired(BRIDGE, path) ? {} : { default: setting.default ?? "" }),
    description: folded(declaredText(path, setting)),
  };
}

function folded(text: string): Scalar<string> {
  const scalar = new Scalar(text);
  scalar.type = "BLOCK_FOLDED";
  return scalar;
}

/** Pulumi.yaml with new declarations of the configuration. The text above them stays. */
export function projectFile(current: string): string {
  const [head = ""] = current.split(/^config:$/m);
  const config = Object.fromEntries(
    propertiesOf(BRIDGE).map(([key, setting]) => [`crossborderbridge:${key}`, declaration(key, setting)]),
  );
  return head + stringify({ config }, { lineWidth: 130 });
}

// The types.

function typeOf(path: string, setting: Setting): string {
  if (setting.enum !== undefined) return setting.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (isSection(setting)) return textOf(path, "typeName", setting);
  if (setting.items !== undefined) {
    const element = typeOf(`${path}[]`, setting.items);
    return element.includes(" ") ? `(${element})[]` : `${element}[]`;
  }
  if (setting.type === "object")
    return `Record<string, ${setting.additionalProperties ? typeOf(path, setting.additionalProperties) : "unknown"}>`;
  return setting.type === "integer" ? "number" : setting.type;
}

/** The type of a setting whose value, or whose elements, may come from other resources. */
const lateType = (path: string, setting: Setting): string =>
  setting.items === undefined ? `Input<${typeOf(path, setting)}>` : `Input<Input<${typeOf(`${path}[]`, setting.items)}>[]>`;

/** The line width of the formatter. */
const LINE_CHARACTERS = 130;

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length === 0 || longer.length > 120) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function comment(indent: string, ...sentences: string[]): string {
  const line = `${indent}/** ${sentences.join(" ")} */`;
  if (line.length <= LINE_CHARACTERS) return line;
  const lines = sentences.flatMap(wrapped).map((text) => `${indent} * ${text}`);
  return [`${indent}/**`, ...lines, `${indent} */`].join("\n");
}

/** @param absent type of an optional member that is not set: an argument may be undefined, an output is left out */
function member(section: Section, key: string, setting: Setting, absent: "" | " | undefined"): string {
  const path = joined(section.path, key);
  const value = defaultOf(key, setting);
  const fallback = isSection(setting) ? undefined : value === undefined ? setting.fallback : value.code + value.size;
  const present = setting.when === undefined ? "" : ` Present ${setting.when}.`;
  const sentences = [textOf(path, "description", setting) + present, ...(fallback === undefined ? [] : [`@default ${fallback}`])];
  const type = setting.when === undefined && LATE_SETTINGS.includes(path) ? lateType(path, setting) : typeOf(path, setting);
  const required = isRequired(section.setting, key);
  const line = required ? `  ${key}: ${type};` : `  ${key}?: ${type}${absent};`;
  const broken = () => `  ${key}?:\n    | ${type.split(" | ").join("\n    | ")}\n    | undefined;`;
  return `${comment("  ", ...sentences)}\n${line.length <= LINE_CHARACTERS || required ? line : broken()}`;
}

/** The earlier type whose members are all in this one, which then extends it. */
function baseOf(section: Section, others: readonly Section[]): Section | undefined {
  const own = section.setting.properties ?? {};
  return others.find(({ setting }) =>
    propertiesOf(setting).every(([key, one]) => JSON.stringify(own[key]) === JSON.stringify(one)),
  );
}

function declaredType(section: Section, earlier: readonly Section[], absent: "" | " | undefined" = " | undefined"): string {
  const { path, setting } = section;
  const base = baseOf(section, earlier);
  const members = propertiesOf(setting)
    .filter(([key]) => base?.setting.properties?.[key] === undefined)
    .map(([key, one]) => member(section, key, one, absent));
  const parent = base === undefined ? "" : ` extends ${textOf(base.path, "typeName", base.setting)}`;
  const opening = `export interface ${textOf(path, "typeName", setting)}${parent} {`;
  return [comment("", setting.description ?? textOf(path, "title", setting)), opening, ...members, "}", ""].join("\n");
}

export function settingTypes(): string {
  const [bridge, ...inside] = sectionsIn("", BRIDGE);
  const outputs = sectionsIn("", OUTPUTS).filter(
    ({ setting }, at, all) => all.findIndex((other) => other.setting.typeName === setting.typeName) === at,
  );
  // As late as the members of a side.
  const store: Section = { path: "source", setting: STORE };
  const types = [
    ...[...(bridge === undefined ? [] : [bridge]), store, ...inside].map((section) =>
      declaredType(section, section === store ? [] : [store]),
    ),
    ...outputs.map((section) => declaredType(section, [], "")),
  ];
  const head = comment("", "The configuration as a program gives it, and the outputs.", WRITTEN_BY);
  return `${head}\nimport type { Input } from "@pulumi/pulumi";\n\n${types.join("\n")}`;
}

export interface WrittenFile {
  /** From the root of the repository. */
  path: string;
  content(): string;
}

export const WRITTEN_FILES: readonly WrittenFile[] = [
  { path: "docs/configuration.md", content: configurationPage },
  { path: "docs/limits.md", content: limitsPage },
  { path: "Pulumi.yaml", content: () => projectFile(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8")) },
  { path: "components/config/settings.ts", content: settingTypes },
];

async function writeAll(): Promise<void> {
  for (const { path, content } of WRITTEN_FILES) {
    await writeFile(join(ROOT, path), content());
    console.log(`wrote ${relative(process.cwd(), join(ROOT, path))}`);
  }
}

if (require.main === module) {
  writeAll().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
