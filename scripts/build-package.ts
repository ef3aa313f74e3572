/**
 * Compiles the code that other Pulumi programs import into `dist/`, with declarations: `components/`, the cost model, and the
 * protocol of the handlers.
 */
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import ts from "typescript";

const ROOT = resolve(__dirname, "..");
const CONFIG = join(ROOT, "tsconfig.build.json");

/**
 * @returns absolute paths of the files that were written
 * @throws Error with the compiler's messages; nothing is written then
 */
export async function buildPackage({ outDir = join(ROOT, "dist") }: { outDir?: string } = {}): Promise<string[]> {
  const host: ts.ParseConfigFileHost = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (diagnostic) => fail([diagnostic]) };
  const config = ts.getParsedCommandLineOfConfigFile(CONFIG, { outDir }, host);
  if (config === undefined) throw new Error(`${CONFIG} cannot be read`);
  const program = ts.createProgram({ rootNames: config.fileNames, options: config.options });
  const problems = [...config.errors, ...ts.getPreEmitDiagnostics(program)];
  if (problems.length > 0) fail(problems);
  // Otherwise a renamed module would still be packed under its old name.
  for (const folder of ["components", "cost", "runtime"]) await rm(join(outDir, folder), { recursive: true, force: true });
  const written: string[] = [];
  program.emit(undefined, (path, text) => {
    ts.sys.writeFile(path, text);
    written.push(path);
  });
  return written;
}

function fail(diagnostics: readonly ts.Diagnostic[]): never {
  const host = { getCurrentDirectory: () => ROOT, getCanonicalFileName: (name: string) => name, getNewLine: () => "\n" };
  throw new Error(ts.formatDiagnostics(diagnostics, host));
}

if (require.main === module) {
  buildPackage().then(
    (written) => console.log(`${"package".padEnd(10)} ${String(written.length).padStart(6)} files dist`),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}
