/** The Go program of docs/library.md: it compiles against the package that Pulumi's generator writes, and the real engine previews it. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manifestOf } from "../../components/bundles";
import { pluginSchema } from "../../components/plugin/schema";
import { createClosers } from "../../local/closers";
import { runCommand } from "../../local/run-command";
import { ensurePackageSdk } from "../../local/toolchain/language-hosts";
import { findOnPath } from "../../local/toolchain/pulumi";
import { quietly, TOKEN } from "../components/bridge-fixture";
import {
  declaredResources,
  documentedProgram,
  INSTALLATION,
  listed,
  type PreparedProgram,
  prepareProgram,
  startOwnPlugin,
} from "./fixture";

const MODULE = join(__dirname, "go");
/** `pulumi package add` writes it beside the package. */
const SDK_MODULE =
  "module example.com/pulumi-crossborder/sdk/go\n\ngo 1.26\n\nrequire github.com/pulumi/pulumi/sdk/v3 v3.230.0\n";
const closers = createClosers();
let prepared: PreparedProgram;
let program: string;

beforeAll(async () => {
  program = await documentedProgram("go");
  const plugin = await startOwnPlugin();
  closers.add(() => plugin.stop());
  const read = (file: string) => readFile(join(MODULE, file), "utf8");
  const files = {
    "Pulumi.yaml": "name: reports\nruntime: go\n",
    "main.go": program,
    "go.mod": await read("go.mod"),
    "go.sum": await read("go.sum"),
    "sdk/go.mod": SDK_MODULE,
    "schema.json": JSON.stringify(pluginSchema(manifestOf())),
  };
  prepared = await prepareProgram(closers, { files, config: { "reports:token": TOKEN }, language: "go", plugin });
  const { folder } = prepared;
  await runCommand(await ensurePackageSdk(INSTALLATION), ["go", join(folder, "schema.json"), join(folder, "sdk")]);
}, 900_000);

beforeEach(quietly);
afterAll(() => closers.closeAll());

/** Compiles the program and looks for mistakes that the compiler accepts. */
async function vet(): Promise<unknown> {
  const go = (await findOnPath("go")) ?? "go";
  const env = { ...process.env, GOFLAGS: "-mod=readonly" };
  return runCommand(go, ["vet", "./..."], { cwd: prepared.folder, env });
}

test("it compiles, and plans the resources that a program in TypeScript declares", async () => {
  await vet();
  const plan = await prepared.engine.plan({ stack: "test" });
  expect(listed(plan)).toEqual(await declaredResources());
  expect(JSON.stringify(plan)).not.toContain(TOKEN);
}, 600_000);

test("it refuses an output where a value decides which resources there are", async () => {
  expect(program).toContain('Region: "us-east-1"');
  const wrong = program.replace('Region: "us-east-1"', 'Region: pulumi.String("us-east-1")');
  await writeFile(join(prepared.folder, "main.go"), wrong);
  await expect(vet()).rejects.toThrow(/cannot use pulumi\.String\("us-east-1"\).* as string value in struct literal/);
});
