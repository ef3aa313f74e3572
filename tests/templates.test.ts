/** Makes a project from each template with `pulumi new`, and previews it with the engine on the local providers. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { createEngine, engineEnvironment } from "../local/engine";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT } from "../local/paths";
import { serveAlicloudProvider } from "../local/provider/alicloud-provider";
import { serveAwsProvider } from "../local/provider/aws-provider";
import { runCommand } from "../local/run-command";
import { ensurePulumi, type PulumiInstallation } from "../local/toolchain/pulumi";
import { generateSecret } from "../runtime/protocol/signing";
import { buildFunctions } from "../scripts/build-functions";

const TEMPLATES = join(REPOSITORY_ROOT, "templates");
const PROJECT = "quarterly-reports";

interface ProjectFile {
  name: string;
  description: string;
  template?: { config: Record<string, { description: string; default?: string; secret?: boolean }> };
}
interface Manifest {
  name: string;
  version: string;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

const readJson = async (path: string) => JSON.parse(await readFile(path, "utf8")) as Manifest;
const readYaml = async (path: string) => parse(await readFile(path, "utf8")) as ProjectFile;

let installation: PulumiInstallation;
let folder: string;
let providers: { aws: number; alicloud: number };
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await buildFunctions();
  installation = await ensurePulumi({ stateDir: DEFAULT_STATE_DIR, onProgress: console.log });
  folder = await mkdtemp(join(tmpdir(), "crossborderbridge-templates-"));
  const aws = await serveAwsProvider({ partitions: "preview", workingDirectory: folder });
  closers.push(() => aws.close());
  const alicloud = await serveAlicloudProvider({ cloud: "preview" });
  closers.push(() => alicloud.close());
  providers = { aws: aws.port, alicloud: alicloud.port };
}, 600_000);

afterAll(async () => {
  for (const close of closers) await close();
  await rm(folder, { recursive: true, force: true });
});

/** `pulumi new`, as far as it needs neither a registry nor an answer at the terminal. */
async function makeProject(template: string): Promise<string> {
  const projectDir = join(folder, template);
  await mkdir(join(folder, "stacks"), { recursive: true });
  const env = engineEnvironment({ installation, projectDir, dataDir: folder, providers }, join(folder, "stacks"));
  const answers = ["--name", PROJECT, "--description", "Reports for China", "--dir", projectDir];
  await runCommand(
    installation.pulumiPath,
    ["new", join(TEMPLATES, template), "--generate-only", "--yes", ...answers, "--non-interactive"],
    { env },
  );
  return projectDir;
}

/** Links what `npm install` would install. */
async function install(projectDir: string): Promise<void> {
  const { dependencies } = await readJson(join(projectDir, "package.json"));
  for (const name of Object.keys(dependencies)) {
    const link = join(projectDir, "node_modules", name);
    await mkdir(join(link, ".."), { recursive: true });
    await symlink(
      name === "crossborderbridge" ? join(REPOSITORY_ROOT, "components") : join(REPOSITORY_ROOT, "node_modules", name),
      link,
    );
  }
}

/** An answer to each question of `pulumi new`: the default of a region, and a text that no other question has. */
function answersTo({ template }: ProjectFile): Record<string, string | undefined> {
  const questions = Object.entries(template?.config ?? {});
  return Object.fromEntries(
    questions.map(([key, question]) => {
      const text = `quarterly-${key.toLowerCase()}`;
      const answer = question.secret === true ? generateSecret() : key.endsWith("Email") ? `${text}@example.com` : text;
      return [`${PROJECT}:${key}`, key.endsWith("Region") ? question.default : answer];
    }),
  );
}

/** The provider of each side: its package, region and profile. */
const PAIRS = {
  "aws-to-china": {
    from: ["aws", "us-east-1", "quarterly-sourceprofile"],
    to: ["aws", "cn-northwest-1", "quarterly-destinationprofile"],
  },
  "aws-to-oss": {
    from: ["aws", "us-east-1", "quarterly-sourceprofile"],
    to: ["alicloud", "cn-shanghai", "quarterly-destinationprofile"],
  },
  "oss-to-oss": {
    from: ["alicloud", "cn-shanghai", "quarterly-sourceprofile"],
    to: ["alicloud", "us-west-1", "quarterly-destinationprofile"],
  },
};

test("each template is tested", async () => {
  expect((await readdir(TEMPLATES)).sort()).toEqual(Object.keys(PAIRS));
});

describe.each(Object.entries(PAIRS))("%s", (template, pair) => {
  let projectDir: string;

  beforeAll(async () => {
    projectDir = await makeProject(template);
    await install(projectDir);
  });

  test("its packages are those that the component works with", async () => {
    const own = await readJson(join(projectDir, "package.json"));
    const { version, peerDependencies } = await readJson(join(REPOSITORY_ROOT, "package.json"));
    expect(own.name).toBe(PROJECT);
    expect(own.dependencies).toEqual({ ...peerDependencies, crossborderbridge: `^${version}` });
  });

  test("a project of it has the names that were asked for, and no placeholder is left", async () => {
    const { name, description, template: left } = await readYaml(join(projectDir, "Pulumi.yaml"));
    expect({ name, description, left }).toEqual({ name: PROJECT, description: "Reports for China", left: undefined });
    for (const file of ["Pulumi.yaml", "package.json", "tsconfig.json", "index.ts", ".gitignore"])
      expect(await readFile(join(projectDir, file), "utf8")).not.toMatch(/\$\{(PROJECT|DESCRIPTION)\}/);
  });

  test("a preview with the answers declares the bridge between both buckets, each at its own provider", async () => {
    const plan = await previewWith(answersTo(await readYaml(join(TEMPLATES, template, "Pulumi.yaml"))));
    const named = (type: RegExp) => plan.filter((resource) => type.test(resource.type));
    expect(named(/CrossBorderBridge$/).map(({ urn }) => urn.split("::").slice(2))).toEqual([
      ["crossborder:index:CrossBorderBridge", PROJECT],
    ]);
    const providers = named(/^pulumi:providers:/).map(({ type, inputs }) => [
      type.split(":")[2],
      inputs?.region,
      inputs?.profile,
    ]);
    expect(providers).toEqual(expect.arrayContaining([pair.from, pair.to]));
    const mailed = named(/TopicSubscription$|AlarmContact$/).map(({ inputs }) => inputs?.endpoint ?? inputs?.channelsMail);
    expect(mailed).toEqual(["quarterly-alarmemail@example.com"]);
    const buckets = named(/bucket:Bucket$/).map(({ type, inputs }) => [type.split(":")[0], inputs?.bucket]);
    expect(buckets).toEqual(
      expect.arrayContaining([
        [pair.from[0], "quarterly-sourcebucket"],
        [pair.to[0], "quarterly-destinationbucket"],
      ]),
    );
  });

  async function previewWith(config: Record<string, string | undefined>) {
    const configFile = join(folder, `${template}.yaml`);
    await writeFile(configFile, stringify({ config }), { mode: 0o600 });
    const dataDir = join(folder, `engine-${template}`);
    const engine = await createEngine({ installation, projectDir, dataDir, providers });
    return engine.plan({ stack: "dev", configFile });
  }
});
