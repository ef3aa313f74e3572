/** Checks the workflows of GitHub, so that a mistake is found before a push. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const ROOT = join(__dirname, "..");

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
interface Job {
  needs?: string | string[];
  "runs-on": string;
  "timeout-minutes"?: number;
  strategy?: { matrix: Record<string, unknown> };
  environment?: string;
  permissions?: Record<string, string>;
  steps: Step[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const read = (path: string): unknown => parse(readFileSync(join(ROOT, path), "utf8"), { strict: true, uniqueKeys: true });
const ci = read(".github/workflows/ci.yml") as Workflow;
const deploy = read(".github/workflows/deploy.yml") as Workflow;
const setUp = read(".github/actions/set-up/action.yml") as { runs: { using: string; steps: Step[] } };
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };

const steps = [...Object.values(ci.jobs), ...Object.values(deploy.jobs), { steps: setUp.runs.steps }].flatMap((job) => job.steps);

test("there are two workflows, and they may only read unless a job says otherwise", () => {
  expect(readdirSync(join(ROOT, ".github", "workflows")).sort()).toEqual(["ci.yml", "deploy.yml"]);
  for (const workflow of [ci, deploy]) expect(workflow.permissions).toEqual({ contents: "read" });
  for (const job of Object.values(ci.jobs)) expect(job.permissions).toBeUndefined();
});

test("every action is pinned to a commit, or is this repository's own", () => {
  const actions = steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
  expect(actions.length).toBeGreaterThan(8);
  for (const action of actions) {
    if (action.startsWith("./")) expect(existsSync(join(ROOT, action, "action.yml"))).toBe(true);
    else expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  }
});

test("every npm script that a workflow runs exists", () => {
  const run = steps.flatMap(({ run: text = "" }) => [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name ?? ""));
  expect(run.sort()).toEqual(["build", "build", "lint", "preview", "test:judges", "typecheck"]);
  for (const name of run) expect(Object.keys(scripts)).toContain(name);
});

test("CI previews every stack", () => {
  const stacks = [ROOT, join(ROOT, "examples")]
    .flatMap((folder) => readdirSync(folder))
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  expect(ci.jobs.preview?.strategy?.matrix.stack).toEqual(stacks.sort());
});

test("CI runs the versions that the project asks for", () => {
  const nvmrc = readFileSync(join(ROOT, ".nvmrc"), "utf8").trim();
  const { engines, devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    engines: { node: string };
    devDependencies: Record<string, string>;
  };
  // The CLI and the SDK are released together.
  const pulumi = deploy.jobs.deploy?.steps.find(({ uses }) => uses?.startsWith("pulumi/actions@"));
  expect(pulumi?.with?.["pulumi-version"]).toBe(devDependencies["@pulumi/pulumi"]);
  expect(engines.node).toMatch(new RegExp(`^>=${nvmrc}\\.`));
  const goMod = setUp.runs.steps.map((step) => step.with?.["go-version-file"]).find((path) => path !== undefined);
  expect(existsSync(join(ROOT, String(goMod)))).toBe(true);
});

test("a deployment has a protected environment, a token for each cloud, and no key", () => {
  const job = deploy.jobs.deploy;
  expect(job?.environment).toContain("matrix.stack");
  expect(job?.permissions).toMatchObject({ "id-token": "write", contents: "read" });
  const credentials = job?.steps.filter(({ uses }) => uses?.startsWith("aws-actions/configure-aws-credentials@")) ?? [];
  expect(credentials.map((step) => [step.with?.["aws-profile"], step.with?.audience])).toEqual([
    ["global", undefined],
    ["china", "sts.amazonaws.com.cn"],
  ]);
  const alicloud = job?.steps.find(({ uses }) => uses?.startsWith("aliyun/configure-aliyun-credentials-action@"));
  // The audience of docs/policies/alicloud-trust.json.
  expect(alicloud?.with?.audience).toBe("sts.aliyuncs.com");
  expect(readFileSync(join(ROOT, ".github", "workflows", "deploy.yml"), "utf8")).not.toMatch(/access-key/i);
  // An expression in a script would let a person who names a branch run code.
  for (const { run } of deploy.jobs.stacks?.steps ?? []) expect(run ?? "").not.toContain("${{");
});

test("only a person deploys; a pull request only previews", () => {
  expect(Object.keys(deploy.on).sort()).toEqual(["pull_request", "workflow_dispatch"]);
  const pulumi = deploy.jobs.deploy?.steps.find(({ uses }) => uses?.startsWith("pulumi/actions@"));
  // `inputs` is empty on a pull request.
  expect(pulumi?.with?.command).toMatch(/inputs\.command \|\| 'preview'/);
});
