/** Reads source files for the architecture rules: imports, globals, branches and functions of each. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

export interface Import {
  /** As written. */
  specifier: string;
  /** The imported file of this repository; absent for packages. */
  target?: string | undefined;
  /** The import is removed when the program is compiled. */
  typeOnly: boolean;
}

export interface Module {
  /** From the repository's root, with forward slashes. */
  path: string;
  text: string;
  lines: number;
  imports: Import[];
  /** Globals in use, such as `process.env`, `Date.now`, `console.log`, `new Date()`. */
  globals: string[];
  /** Branches, loops and functions in the file. */
  logic: string[];
  functions: FunctionShape[];
}

export interface FunctionShape {
  /** Its name, or the name of the variable or property that holds it. */
  name: string;
  /** Lines from its first to its last, without the doc comment. */
  lines: number;
  /** Number of positional parameters. A destructured one counts as one. */
  parameters: number;
}

const AMBIENT = new Set(["process", "Date", "Math", "console"]);
const LOGIC: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.IfStatement, "if"],
  [ts.SyntaxKind.ConditionalExpression, "?:"],
  [ts.SyntaxKind.SwitchStatement, "switch"],
  [ts.SyntaxKind.ForStatement, "for"],
  [ts.SyntaxKind.ForOfStatement, "for of"],
  [ts.SyntaxKind.ForInStatement, "for in"],
  [ts.SyntaxKind.WhileStatement, "while"],
  [ts.SyntaxKind.FunctionDeclaration, "function"],
  [ts.SyntaxKind.ArrowFunction, "=>"],
  [ts.SyntaxKind.ClassDeclaration, "class"],
  [ts.SyntaxKind.TryStatement, "try"],
]);

/** @param texts source texts by path; imports are resolved among these paths */
export function modulesOf(texts: Readonly<Record<string, string>>): Module[] {
  return Object.entries(texts).map(([path, text]) => parse(path, text, (candidate) => candidate in texts));
}

/** Reads every TypeScript file of these places. A place is a folder or a file. */
export function readModules(root: string, places: readonly string[]): Module[] {
  const paths = places.flatMap((place) => (place.endsWith(".ts") ? [place] : filesUnder(root, place)));
  return modulesOf(Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), "utf8")])));
}

function filesUnder(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) return filesUnder(root, path);
      return /\.tsx?$/.test(entry.name) && !entry.name.endsWith(".d.ts") ? [path] : [];
    })
    .sort();
}

/** Cycles of imports; an import of a type counts as well. */
export function cycles(modules: readonly Module[]): string[] {
  const next = new Map(modules.map(({ path, imports: all }) => [path, all.flatMap(({ target }) => target ?? [])]));
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (done.has(path) || trail.includes(path)) return;
    for (const target of next.get(path) ?? []) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const { path } of modules) walk(path, []);
  return found;
}

function parse(path: string, text: string, exists: (path: string) => boolean): Module {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const module: Module = {
    path,
    text,
    lines: text.trimEnd().split("\n").length,
    imports: [],
    globals: [],
    logic: [],
    functions: [],
  };
  const add = (specifier: string, typeOnly: boolean) => {
    const target = specifier.startsWith(".") ? resolve(path, specifier, exists) : undefined;
    module.imports.push({ specifier, typeOnly, target });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(textOf(node.moduleSpecifier), isTypeOnly(node));
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier) add(textOf(node.moduleSpecifier), isTypeOnly(node));
    else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference))
      add(textOf(node.moduleReference.expression), node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(textOf(node.argument.literal), true);
    else if (ts.isCallExpression(node) && isImportCall(node)) add(textOf(node.arguments[0] as ts.Node), false);
    else if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && AMBIENT.has(node.expression.text))
      module.globals.push(`${node.expression.text}.${node.name.text}`);
    else if (ts.isNewExpression(node) && node.expression.getText(source) === "Date" && !node.arguments?.length)
      module.globals.push("new Date()");
    const logic = LOGIC.get(node.kind);
    if (logic !== undefined) module.logic.push(logic);
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) module.functions.push(shapeOf(node, source));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return module;
}

function shapeOf(node: ts.SignatureDeclaration, source: ts.SourceFile): FunctionShape {
  const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  const holder = node.name ?? (node.parent as { name?: ts.Node }).name;
  return {
    name: ts.isConstructorDeclaration(node) ? "constructor" : (holder?.getText(source) ?? "function"),
    lines: lineAt(node.end) - lineAt(node.getStart(source)) + 1,
    parameters: node.parameters.filter((parameter) => parameter.name.getText(source) !== "this").length,
  };
}

function resolve(from: string, specifier: string, exists: (path: string) => boolean): string | undefined {
  const base = posix.join(posix.dirname(from), specifier);
  return [base, `${base}.ts`, `${base}.tsx`, `${base}/index.ts`].find(exists);
}

function isImportCall({ expression, arguments: [argument] }: ts.CallExpression): boolean {
  if (argument === undefined || !ts.isStringLiteral(argument)) return false;
  return expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === "require");
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    const { exportClause } = node;
    const names = exportClause && ts.isNamedExports(exportClause) ? exportClause.elements : undefined;
    return node.isTypeOnly || (names?.every((element) => element.isTypeOnly) ?? false);
  }
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const names = clause.namedBindings && ts.isNamedImports(clause.namedBindings) ? clause.namedBindings.elements : undefined;
  return clause.name === undefined && (names?.every((element) => element.isTypeOnly) ?? false);
}

function textOf(node: ts.Node): string {
  return ts.isStringLiteralLike(node) ? node.text : node.getText();
}
