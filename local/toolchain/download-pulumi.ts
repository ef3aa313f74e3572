import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { OnProgress } from "../install-once";
import { CommandError, runCommand } from "../run-command";
import { isExecutable } from "./find-on-path";

const INSTALLER = "https://get.pulumi.com/install.sh";
const ANSWER_DEADLINE_MS = 10_000;
const DOWNLOAD_DEADLINE_MS = 10 * 60_000;
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
export async function downloadPulumi(
  folder: string,
  version: string,
  progress: OnProgress,
  signal?: AbortSignal,
): Promise<boolean> {
  progress(`downloading Pulumi ${version}`);
  const unreachable = await whyUnreachable(INSTALLER);
  signal?.throwIfAborted();
  if (unreachable !== undefined) {
    progress(`Pulumi ${version} cannot be downloaded: ${INSTALLER}: ${unreachable}`);
    return false;
  }
  const root = join(folder, "download");
  try {
    await runCommand(process.execPath, ["-e", PROGRAM, root, version], {
      cwd: __dirname,
      timeoutMs: DOWNLOAD_DEADLINE_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    const [cli, host] = ["pulumi", "pulumi-language-nodejs"].map((name) => join(root, "bin", name));
    if (!(cli && host && (await isExecutable(cli)) && (await isExecutable(host)))) {
      progress(`the download of Pulumi ${version} is not whole`);
      return false;
    }
    await rename(join(root, "bin"), join(folder, "bin"));
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
    const [reason = "no reason given"] = (error.stderr.trim() || error.message).split("\n");
    progress(`Pulumi ${version} cannot be downloaded: ${reason}`);
    return false;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Machines without internet often drop packets instead of refusing: asked first, so that nobody waits for a download to fail. */
async function whyUnreachable(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
    return answer.ok ? undefined : `status ${answer.status}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? `${message}: ${cause.message}` : message;
  }
}
