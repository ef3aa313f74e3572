/** Writes docs/configuration.md from the schema and the component's own documentation, so that the page cannot say anything else. */
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import ts from "typescript";
import type { z } from "zod";
import { ConfigInvalid, parseBridgeConfig } from "../components/config";
import { bridgeSchema, KNOWN_KEYS, lenientSchema } from "../components/config/schema";

const ROOT = resolve(__dirname, "..");
const ARGS = join(ROOT, "components", "args.ts");
export const CONFIGURATION_PAGE = join(ROOT, "docs", "configuration.md");

interface Documented {
  text: string;
  /** In words, where the schema has no value. */
  fallback: string | undefined;
}

/** The comment of every key, by path: `source.region`. */
function documentation(): Map<string, Documented> {
  const source = ts.createSourceFile(ARGS, readFileSync(ARGS, "utf8"), ts.ScriptTarget.ES2022, true);
  const interfaces = new Map(source.statements.filter(ts.isInterfaceDeclaration).map((node) => [node.name.text, node]));
  const found = new Map<string, Documented>();
  const membersOf = (type: ts.TypeNode | undefined): ts.TypeElement[] => {
    if (type === undefined) return [];
    if (ts.isUnionTypeNode(type)) return type.types.flatMap(membersOf);
    if (ts.isArrayTypeNode(type)) return membersOf(type.elementType);
    if (ts.isTypeLiteralNode(type)) return [...type.members];
    return ts.isTypeReferenceNode(type) ? inherited(type.typeName.getText(source)) : [];
  };
  const inherited = (name: string): ts.TypeElement[] => {
    const node = interfaces.get(name);
    if (node === undefined) return [];
    const parents = node.heritageClauses?.flatMap(({ types }) => types.map(({ expression }) => expression.getText(source))) ?? [];
    return [...parents.flatMap(inherited), ...node.members];
  };
  const visit = (members: readonly ts.TypeElement[], path: string): void => {
    for (const member of members) {
      if (!ts.isPropertySignature(member)) continue;
      const key = path === "" ? member.name.getText(source) : `${path}.${member.name.getText(source)}`;
      const comment = ts.getJSDocCommentsAndTags(member).find(ts.isJSDoc);
      const fallback = comment?.tags?.find(({ tagName }) => tagName.text === "default")?.comment;
      found.set(key, {
        text: oneLine(ts.getTextOfJSDocComment(comment?.comment)),
        fallback: fallback === undefined ? undefined : oneLine(ts.getTextOfJSDocComment(fallback)),
      });
      visit(membersOf(member.type), hasList(member.type) ? `${key}[]` : key);
    }
  };
  visit(inherited("CrossBorderBridgeArgs"), "");
  return found;
}

/** A key with a list has its elements' keys below it, as `replication.rules[].id`. */
const hasList = (type: ts.TypeNode | undefined): boolean =>
  type !== undefined && (ts.isUnionTypeNode(type) ? type.types.some(hasList) : ts.isArrayTypeNode(type));

const oneLine = (text: string | undefined): string => (text ?? "").replace(/\s+/g, " ").trim();

/** What the schema's own error says is allowed. */
function allowedBy(schema: z.ZodType): string {
  for (const probe of [{ no: "such value" }, "\u0000", -1, Number.NaN, []]) {
    const { error } = schema.safeParse(probe);
    const message = error?.issues[0]?.message;
    const allowed = message === undefined ? undefined : /allowed: (.*)$/s.exec(message)?.[1];
    if (allowed !== undefined) return allowed;
  }
  throw new Error("a field's error says nothing about what is allowed");
}

interface Row {
  key: string;
  text: string;
  fallback: string;
  allowed: string;
}

function rowsOf(section: string, docs: ReadonlyMap<string, Documented>): Row[] {
  const defaults = lenientSchema.parse({}) as Record<string, unknown>;
  const schema = schemaOf(section);
  const pathOf = (key: string) => (section === "" ? key : `${section}.${key}`);
  return (KNOWN_KEYS[section] ?? [])
    .filter((key) => !(pathOf(key) in KNOWN_KEYS))
    .map((key) => {
      const path = pathOf(key);
      const documented = docs.get(path);
      if (!documented?.text) throw new Error(`components/args.ts does not document ${path}`);
      const field = schema.shape[key] as z.ZodType;
      const value = section === "" ? defaults[key] : (defaults[section] as Record<string, unknown> | undefined)?.[key];
      const known = value ?? field.safeParse(undefined).data;
      const required = !field.safeParse(undefined).success;
      return {
        key: path,
        text: documented.text,
        fallback: required
          ? "**required**"
          : known === undefined
            ? (documented.fallback ?? "none")
            : `\`${JSON.stringify(known)}\``,
        allowed: allowedBy(field),
      };
    });
}

/** Of a section, or with `[]` behind its name of a list's elements. */
function schemaOf(section: string): z.ZodObject {
  const names = section === "" ? [] : section.replaceAll("[]", ".[]").split(".");
  return names.reduce<z.ZodType>((schema, name) => {
    const inner = unwrap(schema);
    return unwrap(name === "[]" ? (inner as z.ZodArray<z.ZodType>).element : ((inner as z.ZodObject).shape[name] as z.ZodType));
  }, bridgeSchema) as z.ZodObject;
}

function unwrap(schema: z.ZodType): z.ZodType {
  const { innerType } = schema.def as { innerType?: z.ZodType };
  return innerType === undefined ? schema : unwrap(innerType);
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ key, text, fallback, allowed }) => `| \`${key}\` | ${cell(text)} | ${cell(fallback)} | ${cell(allowed)} |`,
  );
  return ["| Key | What it is | Default | Allowed |", "|---|---|---|---|", ...lines].join("\n");
}

const SECTIONS: readonly (readonly [section: string, title: string])[] = [
  ["source", "Source"],
  ["destination", "Destination"],
  ["destination.lifecycle[]", "Lifecycle: each rule"],
  ["destination.lifecycle[].transitions[]", "Lifecycle: each transition"],
  ["", "The bridge"],
  ["scope", "Scope: which objects"],
  ["auth", "Authorization"],
  ["rateLimit", "Rate limit of the receiver"],
  ["copy", "Large objects"],
  ["timeouts", "Timeouts"],
  ["replication", "S3 replication"],
  ["replication.rules[]", "S3 replication: each rule"],
  ["probe", "Latency probe"],
];

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

/** A configuration with several mistakes, and what `pulumi preview` says about it. */
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
  const docs = documentation();
  const sections = SECTIONS.map(([section, title]) => `## ${title}\n\n${table(rowsOf(section, docs))}`);
  return `<!-- Written by \`npm run docs:configuration\` from components/args.ts and components/config/schema.ts. Change those. -->

# Configuration

Every key of a stack, as \`crossborderbridge:<key>\` in \`Pulumi.<stack>.yaml\`. Only \`source\`, \`destination\` and, in mode
\`pull\`, a token and an allowlist must be given. The component \`CrossBorderBridge\` takes the same keys as arguments ([library.md](library.md)).

A nested key is set with a path: \`pulumi config set --path crossborderbridge:copy.memoryMb 2048\`.

${sections.join("\n\n")}

## Errors

The configuration is checked as a whole before anything is declared, and every mistake is reported at once:

\`\`\`text
${exampleOfErrors()}
\`\`\`

Secrets are never shown, and neither are the values of unknown keys, which may be secrets under a wrong name.

## Examples

${examples()}

\`npm run preview -- <stack>\` shows what any of them would create, with no cloud and no credentials.
`;
}

if (require.main === module) {
  writeFile(CONFIGURATION_PAGE, configurationPage()).then(
    () => console.log(`wrote ${relative(process.cwd(), CONFIGURATION_PAGE)}`),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}
