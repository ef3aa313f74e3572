/** Asks TypeScript's language service what an editor shows for a module. */
import { join } from "node:path";
import ts from "typescript";

const ROOT = join(__dirname, "..", "..");
/** All editors share the parsed files. */
const registry = ts.createDocumentRegistry();

export interface Documentation {
  text: string;
  /** The text of `@default`. */
  fallback: string | undefined;
}

export interface Editor {
  /** Errors of the compiler, as `<line>: <message>`. */
  problems(): string[];
  /** The hover text at the end of the last occurrence of `text`. */
  hover(text: string): Documentation & { type: string };
  /** The completions after the last occurrence of `text`, each with its documentation. */
  completions(text: string): Map<string, () => Documentation>;
}

/** @param source text of a module; its path is in `tests/components` */
export function openEditor(source: string): Editor {
  const path = join(ROOT, "tests", "components", "edited.ts");
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile) as { config: { compilerOptions: object } };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => options,
    getScriptFileNames: () => [path],
    getScriptVersion: (file) => (file === path ? source : "1"),
    getScriptSnapshot: (file) => {
      const text = file === path ? source : ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => ROOT,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (file) => file === path || ts.sys.fileExists(file),
    readFile: ts.sys.readFile,
  };
  const service = ts.createLanguageService(host, registry);
  const behind = (text: string): number => {
    const at = source.lastIndexOf(text);
    if (at < 0) throw new Error(`the module does not have ${text}`);
    return at + text.length;
  };
  return {
    problems: () =>
      service.getSemanticDiagnostics(path).map(({ start = 0, messageText }) => {
        const line = source.slice(0, start).split("\n").length;
        return `${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
      }),
    hover: (text) => {
      const info = service.getQuickInfoAtPosition(path, behind(text) - 1);
      if (info === undefined) throw new Error(`nothing is shown at ${text}`);
      return { ...documented(info), type: ts.displayPartsToString(info.displayParts) };
    },
    completions: (text) => {
      const position = behind(text);
      const { entries = [] } = service.getCompletionsAtPosition(path, position, undefined) ?? {};
      return new Map(
        entries.map(({ name }) => [
          name,
          () => documented(service.getCompletionEntryDetails(path, position, name, undefined, undefined, undefined, undefined)),
        ]),
      );
    },
  };
}

function documented(found: Pick<ts.QuickInfo, "documentation" | "tags"> | undefined): Documentation {
  const fallback = found?.tags?.find(({ name }) => name === "default")?.text;
  return {
    text: ts.displayPartsToString(found?.documentation),
    fallback: fallback === undefined ? undefined : ts.displayPartsToString(fallback),
  };
}
