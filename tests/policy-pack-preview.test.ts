/** `pulumi preview --policy-pack`, with the real engine: a bridge that breaks a policy is refused. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClosers } from "../local/closers";
import { REPOSITORY_ROOT } from "../local/paths";
import { quietly, TOKEN } from "./components/bridge-fixture";
import { type PreparedProgram, prepareProgram, SECRET, startOwnPlugin, yamlProgram } from "./languages/fixture";

const closers = createClosers();
let prepared: PreparedProgram;
let program: string;

beforeAll(async () => {
  program = await yamlProgram();
  const plugin = await startOwnPlugin();
  closers.add(() => plugin.stop());
  prepared = await prepareProgram(closers, {
    files: { "Pulumi.yaml": program },
    config: { "reports:token": TOKEN },
    language: "yaml",
    plugin,
    policyPacks: [join(REPOSITORY_ROOT, "packages", "policy-pack")],
  });
}, 600_000);

beforeEach(quietly);
afterAll(() => closers.closeAll());

const HEARD = `${SECRET}\n      alarmEmails: [ops@example.com]`;

/** The number of resources that would be made by the program with other texts in place of its own. */
async function previewed(changes: [own: string, other: string][]): Promise<number> {
  for (const [own] of changes) expect(program).toContain(own);
  const changed = changes.reduce((text, [own, other]) => text.replace(own, other), program);
  await writeFile(join(prepared.folder, "Pulumi.yaml"), changed);
  return (await prepared.engine.preview({ stack: "test" })).create ?? 0;
}

test("a bridge whose alarms somebody gets passes", async () => {
  expect(await previewed([[SECRET, HEARD]])).toBeGreaterThan(50);
});

test("a bridge whose alarms nobody gets is refused by the name of the policy", async () => {
  await expect(previewed([])).rejects.toThrow(/\[mandatory\].*bridge-dead-letters-ring/);
});

test("a bridge that keeps no versions is refused by the name of the policy", async () => {
  const unversioned: [string, string] = ["bucket: reports-global,", "bucket: reports-global, versioning: false,"];
  await expect(previewed([[SECRET, HEARD], unversioned])).rejects.toThrow(/\[mandatory\].*bridge-buckets-keep-versions/);
});
