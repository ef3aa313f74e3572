/** `npm run preview -- <stack>...`: `pulumi preview` with no cloud and no credentials, on the local providers. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { stringify } from "yaml";
import { parseBridgeConfig } from "../../components/config";
import { rawSettings } from "../../components/config/raw-settings";
import { costLines } from "../../cost/summary";
import { generateSecret } from "../../runtime/protocol/signing";
import { buildFunctions } from "../../scripts/build-functions";
import { createClosers } from "../closers";
import { createEngine } from "../engine";
import { listStacks, needsToken, readSettings } from "../local-stack";
import { createRunDir, DEFAULT_STATE_DIR, REPOSITORY_ROOT, runsDir } from "../paths";
import { normalisePlan } from "../plan";
import { serveAlicloudProvider } from "../provider/alicloud-provider";
import { serveAwsProvider } from "../provider/aws-provider";
import { ensurePulumi } from "../toolchain/pulumi";
import { type Interrupt, runCli } from "./interrupt";

const program = new Command("npm run preview --")
  .description("Previews example stacks without cloud credentials.")
  .argument("[stack...]", "stacks as in Pulumi.<stack>.yaml; all of them when none is named")
  .option("--plans <folder>", "write each plan as JSON to <folder>/<stack>.json instead of printing it")
  .action((named: string[], options: PreviewOptions) => runCli((interrupt) => preview(named, options, interrupt)));

interface PreviewOptions {
  plans?: string;
}

async function preview(named: string[], { plans }: PreviewOptions, { signal }: Interrupt): Promise<void> {
  const stacks = named.length > 0 ? named : await listStacks();
  const read = await Promise.all(stacks.map(async (stack) => ({ stack, config: await readSettings(stack) })));
  await buildFunctions();
  const installation = await ensurePulumi({ stateDir: DEFAULT_STATE_DIR, onProgress: console.error, signal });
  signal.throwIfAborted();
  const closers = createClosers();
  try {
    const folder = await createRunDir(runsDir(DEFAULT_STATE_DIR));
    closers.add(() => rm(folder, { recursive: true, force: true }));
    const aws = await serveAwsProvider({ partitions: "preview", workingDirectory: REPOSITORY_ROOT });
    closers.add(() => aws.close());
    const alicloud = await serveAlicloudProvider({ cloud: "preview" });
    closers.add(() => alicloud.close());
    const engine = await createEngine({
      installation,
      projectDir: REPOSITORY_ROOT,
      dataDir: join(folder, "engine"),
      providers: { aws: aws.port, alicloud: alicloud.port },
      onLine: (line) => console.log(line),
    });
    for (const { stack, config } of read) {
      const configFile = join(folder, `${stack}.yaml`);
      const settings = withToken(config);
      await writeFile(configFile, stringify({ config: settings }), { mode: 0o600 });
      if (plans !== undefined) {
        const plan = normalisePlan(await engine.plan({ stack, configFile, signal }));
        await mkdir(plans, { recursive: true });
        await writeFile(join(plans, `${stack}.json`), `${JSON.stringify(plan, null, 1)}\n`);
        console.log(`${stack}: ${plan.length} resources`);
        continue;
      }
      const changes = await engine.preview({ stack, configFile, signal });
      console.log(`${stack}: ${changes.create ?? 0} to create`);
      console.log(`${costText(stack, settings)}\n`);
    }
  } catch (error) {
    return await closers.closeAfter(error);
  }
  await closers.closeAll();
}

/** What the bridge of this stack would cost. */
function costText(stack: string, settings: Record<string, unknown>): string {
  const config = parseBridgeConfig(rawSettings("crossborderbridge", settings), { stack });
  return costLines(config)
    .map((line, index) => `${index === 0 ? "  cost: " : "        "}${line}`)
    .join("\n");
}

/** Adds a random signing secret; a settings file in the repository holds none. */
function withToken(config: Record<string, unknown>): Record<string, unknown> {
  return needsToken(config) ? { ...config, "crossborderbridge:token": generateSecret() } : config;
}

void program.parseAsync();
