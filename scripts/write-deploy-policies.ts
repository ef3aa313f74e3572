/** Writes docs/policies/: `npm run docs:policies`. A test checks that the files equal the output of this script. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { POLICY_FILES, textOf } from "./deploy-policies/documents";

const ROOT = resolve(__dirname, "..");

async function writeAll(): Promise<void> {
  await mkdir(join(ROOT, "docs", "policies"), { recursive: true });
  await Promise.all(POLICY_FILES.map((file) => writeFile(join(ROOT, file.path), textOf(file))));
}

writeAll().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
