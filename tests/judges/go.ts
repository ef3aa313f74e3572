/** Go's own command, for suites and clients that are Go modules. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { installOnce } from "../../local/install-once";
import { DEFAULT_STATE_DIR, toolsDir } from "../../local/paths";
import { type CommandResult, runCommand } from "../../local/run-command";
import { findOnPath } from "../../local/toolchain/pulumi";

/** Its folders have the go.mod and go.sum files that pin the modules. */
export const GO_FILES = join(__dirname, "go");
const BUILD_DEADLINE_MS = 15 * 60_000;

export interface GoOptions {
  args: readonly string[];
  cwd: string;
  flags?: readonly string[];
}

/** Runs with a low priority: a build must not stop the servers that other suites talk to. */
export async function runGo({ args, cwd, flags = [] }: GoOptions): Promise<CommandResult> {
  const program = await findOnPath("go");
  if (program === undefined) throw new Error("the judges need Go on the PATH: install Go 1.26 (https://go.dev/dl/)");
  const env = { ...process.env, GOFLAGS: [...flags, "-buildvcs=false"].join(" "), GOWORK: "off" };
  return runCommand("nice", ["-n", "10", program, ...args], { cwd, env, timeoutMs: BUILD_DEADLINE_MS });
}

/** Builds a program once. @param name of a folder of `go` @param packagePath the package with its `main` */
export async function goProgram(name: string, packagePath: string): Promise<string> {
  const cwd = join(GO_FILES, name);
  const hash = createHash("sha256")
    .update(await readFile(join(cwd, "go.mod")))
    .digest("hex")
    .slice(0, 12);
  const folder = await installOnce(join(toolsDir(DEFAULT_STATE_DIR), `judge-${name}-${hash}`), async (into) => {
    await runGo({ args: ["build", "-trimpath", "-p", "2", "-o", join(into, name), packagePath], cwd, flags: ["-mod=readonly"] });
  });
  return join(folder, name);
}
