/** A program in its own folder, with the local cloud and an engine. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LocalAws, startLocalAws } from "../../../local/aws/local-aws";
import { createEngine, type Engine } from "../../../local/engine";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT } from "../../../local/paths";
import { serveAwsProvider } from "../../../local/provider/aws-provider";
import { ensurePulumi } from "../../../local/toolchain/pulumi";

export interface EngineProject {
  local: LocalAws;
  engine: Engine;
  /** What `pulumi` printed since the last `configure`. */
  lines: string[];
  settingsPath: string;
  /** Writes the settings of the stack. */
  configure(config: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

export async function startEngineProject(name: string, stack: string, program: string): Promise<EngineProject> {
  const local = await startLocalAws();
  const projectDir = join(local.runDir, "program");
  await mkdir(projectDir);
  await writeFile(join(projectDir, "Pulumi.yaml"), `name: ${name}\nruntime: nodejs\nmain: index.ts\n`);
  await writeFile(join(projectDir, "package.json"), "{}");
  await writeFile(join(projectDir, "index.ts"), program);
  await writeFile(
    join(projectDir, "tsconfig.json"),
    JSON.stringify({ extends: join(REPOSITORY_ROOT, "tsconfig.json"), include: ["index.ts"] }),
  );
  const provider = await serveAwsProvider({ partitions: local, workingDirectory: projectDir });
  const lines: string[] = [];
  const engine = await createEngine({
    installation: await ensurePulumi({ stateDir: DEFAULT_STATE_DIR, onProgress: console.log }),
    projectDir,
    dataDir: join(local.runDir, "engine"),
    providers: { aws: provider.port },
    caPath: local.caPath,
    onLine: (line) => lines.push(line),
  });
  const settingsPath = join(projectDir, `Pulumi.${stack}.yaml`);
  return {
    local,
    engine,
    lines,
    settingsPath,
    configure: async (config) => {
      const text = Object.entries(config).map(([key, value]) => `  ${name}:${key}: "${value}"\n`);
      await writeFile(settingsPath, `config:\n${text.join("")}`);
      lines.length = 0;
    },
    close: async () => {
      await provider.close();
      await local.stop();
    },
  };
}
