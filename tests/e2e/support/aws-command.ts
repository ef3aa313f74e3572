/** The pinned AWS CLI, as the command `aws` of a shell. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { LocalPartition } from "../../../local/aws/local-aws";
import { pythonProgram } from "../../judges/python-suite";

/** Writes an `aws` that appends its arguments to the file `$AWS_ARGUMENTS`, if that is set. */
export async function writeAwsCommand(folder: string): Promise<void> {
  const { python, program } = await pythonProgram("aws");
  const path = join(folder, "aws");
  const log = `[ -z "$AWS_ARGUMENTS" ] || printf '%s\\n' "$*" >> "$AWS_ARGUMENTS"`;
  await writeFile(path, `#!/bin/sh\n${log}\nexec "${python}" "${program}" "$@"\n`);
  await chmod(path, 0o755);
}

export interface ShellRun {
  exitCode: number;
  output: string;
  /** The arguments of each `aws`, as another user sees them. */
  commandLines: string[];
}

/** Runs text in a shell as an operator who pastes it, with the credentials of one cloud. */
export async function paste(text: string, { credentials, caPath, region }: LocalPartition): Promise<ShellRun> {
  const folder = await mkdtemp(join(tmpdir(), "paste-"));
  try {
    await writeAwsCommand(folder);
    const log = join(folder, "arguments");
    await writeFile(log, "");
    const env = {
      ...{ PATH: [folder, process.env.PATH].join(delimiter), HOME: folder, AWS_ARGUMENTS: log, AWS_CA_BUNDLE: caPath },
      ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
      AWS_DEFAULT_REGION: region,
    };
    const ran = await new Promise<Omit<ShellRun, "commandLines">>((resolve) => {
      execFile("/bin/sh", ["-c", text], { env }, (error, stdout, stderr) =>
        resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
      );
    });
    return { ...ran, commandLines: (await readFile(log, "utf8")).split("\n").filter((line) => line !== "") };
  } finally {
    await rm(folder, { recursive: true });
  }
}
