import { join } from "node:path";
import { installOnce, type OnProgress } from "../install-once";
import { CommandError, runCommand } from "../run-command";
import { VERSIONS } from "../toolchain/versions";

const { ministack: VERSION, pythons: PYTHON_CANDIDATES, oldestPython: OLDEST } = VERSIONS;
const REQUIREMENTS = join(__dirname, "requirements.txt");

export interface MinistackInstallation {
  /** Python of the virtual environment with ministack. */
  python: string;
}

export interface InstallMinistackOptions {
  stateDir: string;
  onProgress?: OnProgress | undefined;
  /** Ends the installation and removes what it wrote. */
  signal?: AbortSignal | undefined;
}

/**
 * Creates a Python virtual environment with ministack in `<stateDir>/ministack-<version>` unless it exists. The first time takes
 * about 15 s and needs the network.
 * @throws Error without Python 3.11 or newer, or when a package cannot be downloaded.
 */
export async function installMinistack(options: InstallMinistackOptions): Promise<MinistackInstallation> {
  const progress = options.onProgress ?? (() => {});
  const { signal } = options;
  const folder = await installOnce(
    join(options.stateDir, `ministack-${VERSION}`),
    async (into) => {
      const python = await findPython(signal);
      progress(`installing ministack ${VERSION} with ${python} (once, about 15 s)`);
      await runCommand(python, ["-m", "venv", into], { signal });
      const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", REQUIREMENTS];
      await runCommand(join(into, "bin", "python"), pip, { timeoutMs: 300_000, signal });
      progress(`installed ministack ${VERSION}`);
    },
    progress,
    signal,
  );
  // `bin/ministack` does not work: it holds the path of the folder before it was renamed.
  return { python: join(folder, "bin", "python") };
}

/** @throws Error without Python 3.11 or newer */
export async function findPython(signal?: AbortSignal | undefined): Promise<string> {
  const isNewEnough = `import sys, venv, ensurepip; sys.exit(sys.version_info < (${OLDEST.replace(".", ", ")}))`;
  for (const python of PYTHON_CANDIDATES) {
    try {
      await runCommand(python, ["-c", isNewEnough], { signal });
      return python;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof CommandError)) throw error;
    }
  }
  throw new Error(
    `the local cloud needs Python ${OLDEST} or newer with its venv module; none of ${PYTHON_CANDIDATES.join(", ")} is one. ` +
      "Install it (Debian and Ubuntu: python3-venv) and try again",
  );
}
