/** Writes the rows of the checks into docs/verify-live.md. A test checks that the page equals the output of this script. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CHECKS } from "../verify-live/checks";
import { withChecks } from "../verify-live/page";

async function main(): Promise<void> {
  const path = join(__dirname, "..", "docs", "verify-live.md");
  await writeFile(path, withChecks(await readFile(path, "utf8"), CHECKS));
}

void main();
