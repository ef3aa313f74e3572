/** The plugin's package for Python, generated from its schema and installed beside a program. */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPython } from "../../local/aws/install-ministack";
import type { Closers } from "../../local/closers";
import { installOnce } from "../../local/install-once";
import { DEFAULT_STATE_DIR, toolsDir } from "../../local/paths";
import { runCommand } from "../../local/run-command";
import { ensurePackageSdk } from "../../local/toolchain/language-hosts";
import { INSTALLATION } from "./fixture";

const REQUIREMENTS = join(__dirname, "python", "requirements.txt");
const PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
const INSTALL_DEADLINE_MS = 300_000;

export interface PythonPackage {
  /** Holds the package; the program's files belong beside it. */
  folder: string;
  /** Holds the Python that has Pulumi's package, for the engine's PATH. */
  binDir: string;
}

/** @param schema of the plugin, JSON */
export async function installPythonPackage(closers: Closers, schema: string): Promise<PythonPackage> {
  const binDir = await pulumiForPython();
  const packageSdk = await ensurePackageSdk(INSTALLATION);
  const folder = await mkdtemp(join(tmpdir(), "program-in-python-"));
  closers.add(() => rm(folder, { recursive: true, force: true }));
  const [schemaPath, sdk] = [join(folder, "schema.json"), join(folder, "sdk")];
  await writeFile(schemaPath, schema);
  await runCommand(packageSdk, ["python", schemaPath, sdk]);
  // Everything that it needs is there, so nothing is fetched.
  const offline = ["--no-index", "--no-deps", "--no-build-isolation"];
  await runCommand(join(binDir, "python"), [...PIP, ...offline, "--target", folder, sdk], { timeoutMs: INSTALL_DEADLINE_MS });
  return { folder, binDir };
}

/** A virtual environment with Pulumi's package, made once. */
async function pulumiForPython(): Promise<string> {
  const digest = createHash("sha256")
    .update(await readFile(REQUIREMENTS))
    .digest("hex")
    .slice(0, 12);
  const folder = await installOnce(
    join(toolsDir(DEFAULT_STATE_DIR), `pulumi-python-${digest}`),
    async (into) => {
      console.log("installing Pulumi's Python package (once, about 15 s)");
      await runCommand(await findPython(), ["-m", "venv", into]);
      await runCommand(join(into, "bin", "python"), [...PIP, "--require-hashes", "-r", REQUIREMENTS], {
        timeoutMs: INSTALL_DEADLINE_MS,
      });
    },
    console.log,
  );
  return join(folder, "bin");
}
