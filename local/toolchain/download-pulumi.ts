import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { OnProgress } from "../install-once";
import { CommandError, runCommand } from "../run-command";
import { isExecutable } from "./find-on-path";

const DEADLINE_MS = 20_000;
/** Told to a process of its own, so that a download that hangs can be ended. */
const PROGRAM = `
const { PulumiCommand } = require("@pulumi/pulumi/automation");
const { SemVer } = require("semver");
PulumiCommand.install({ root: process.argv[1], version: new SemVer(process.argv[2]) }).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
`;

/**
 * Downloads the CLI by Pulumi's Automation API into `<folder>/bin`. False, with the reason told, when that is impossible here,
 * as on a machine without internet.
 */
export async function downloadPulumi(folder: string, version: string, progress: OnProgress): Promise<boolean> {
  progress(`downloading Pulumi ${version}`);
  const root = join(folder, "download");
  try {
    await runCommand(process.execPath, ["-e", PROGRAM, root, version], { cwd: __dirname, timeoutMs: DEADLINE_MS });
    const [cli, host] = ["pulumi", "pulumi-language-nodejs"].map((name) => join(root, "bin", name));
    if (!(cli && host && (await isExecutable(cli)) && (await isExecutable(host)))) {
      progress(`the download of Pulumi ${version} is not whole`);
      return false;
    }
    await rename(join(root, "bin"), join(folder, "bin"));
    return true;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const [reason = "no reason given"] = (error.stderr.trim() || error.message).split("\n");
    progress(`Pulumi ${version} cannot be downloaded: ${reason}`);
    return false;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
