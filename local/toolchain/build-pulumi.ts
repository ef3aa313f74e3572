import { join } from "node:path";
import type { OnProgress } from "../install-once";
import { runCommand } from "../run-command";
import { findOnPath } from "./find-on-path";

const MODULES = join(__dirname, "go");
const DEADLINE_MS = 20 * 60_000;
const HEARTBEAT_MS = 15_000;

/** Builds the CLI and its Node.js language host from the Go module proxy into `<folder>/bin`. */
export async function buildPulumi(folder: string, version: string, progress: OnProgress, signal?: AbortSignal): Promise<void> {
  const go = await findOnPath("go");
  if (go === undefined) {
    throw new Error(
      "the local cloud needs the Pulumi CLI: none is on the PATH, it cannot be downloaded from here, and there is no Go to " +
        "build it with. Install Pulumi (https://www.pulumi.com/docs/iac/download-install/) or Go 1.26 (https://go.dev/dl/)",
    );
  }
  progress(`building Pulumi ${version} with ${go} (once, 2 to 4 minutes)`);
  const started = Date.now();
  const heartbeat = setInterval(() => {
    progress(`building Pulumi ${version}: ${Math.round((Date.now() - started) / 1000)} s`);
  }, HEARTBEAT_MS);
  const build = (module: string, output: string, target: string, flags: string[] = []) =>
    runCommand(go, ["build", ...flags, "-o", join(folder, "bin", output), target], {
      cwd: join(MODULES, module),
      env: { ...process.env, GOFLAGS: "-mod=readonly" },
      timeoutMs: DEADLINE_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  try {
    // The CLI tells its version from here, and the Automation API refuses a CLI that has none.
    const stamp = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
    await build("pulumi", "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", ["-ldflags", stamp]);
    const host = "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs";
    await build("language-nodejs", "pulumi-language-nodejs", host);
  } finally {
    clearInterval(heartbeat);
  }
  progress(`built Pulumi ${version} in ${Math.round((Date.now() - started) / 1000)} s`);
}
