import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { isErrno } from "./errno";

/**
 * A project of the same name beside the real one. Creating a stack writes a salt into its settings and removing one deletes
 * them: here that happens to a copy, and the repository's `Pulumi.<stack>.yaml` stays as it is.
 */
export class ShadowProject {
  private constructor(
    readonly folder: string,
    private readonly projectDir: string,
  ) {}

  static async create(projectDir: string, folder: string): Promise<ShadowProject> {
    await mkdir(folder, { recursive: true });
    const { name } = parse(await readFile(join(projectDir, "Pulumi.yaml"), "utf8")) as { name: string };
    await writeFile(join(folder, "Pulumi.yaml"), stringify({ name, runtime: "nodejs" }));
    return new ShadowProject(folder, projectDir);
  }

  configFile(stack: string): string {
    return join(this.folder, `Pulumi.${stack}.yaml`);
  }

  /** Copies the stack's settings, keeping the salt of the stack's first use. */
  async writeConfig(stack: string, source = join(this.projectDir, `Pulumi.${stack}.yaml`)): Promise<void> {
    const [settings, former] = await Promise.all([readSettings(source), readSettings(this.configFile(stack))]);
    const { encryptionsalt } = former;
    const merged = encryptionsalt === undefined ? settings : { ...settings, encryptionsalt };
    await writeFile(this.configFile(stack), stringify(merged));
  }
}

async function readSettings(path: string): Promise<Record<string, unknown>> {
  try {
    return (parse(await readFile(path, "utf8")) ?? {}) as Record<string, unknown>;
  } catch (error) {
    // A stack needs no settings.
    if (isErrno(error, "ENOENT")) return {};
    throw error;
  }
}
