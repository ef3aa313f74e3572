/** The YAML program of docs/library.md, previewed by the real engine with the plugin and the local providers. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClosers } from "../../local/closers";
import type { PlannedResource } from "../../local/engine";
import { quietly, TOKEN } from "../components/bridge-fixture";
import {
  declaredResources,
  listed,
  type PreparedProgram,
  prepareProgram,
  reference,
  SECRET,
  startOwnPlugin,
  yamlProgram,
} from "./fixture";

const closers = createClosers();
let prepared: PreparedProgram;
let program: string;

beforeAll(async () => {
  program = await yamlProgram();
  const plugin = await startOwnPlugin();
  closers.add(() => plugin.stop());
  const files = { "Pulumi.yaml": program };
  prepared = await prepareProgram(closers, { files, config: { "reports:token": TOKEN }, language: "yaml", plugin });
}, 600_000);

beforeEach(quietly);
afterAll(() => closers.closeAll());

/** The plan of the program with another text in place of one of its own. */
async function planned(own = "", other = ""): Promise<PlannedResource[]> {
  expect(program).toContain(own);
  await writeFile(join(prepared.folder, "Pulumi.yaml"), program.replace(own, other));
  return prepared.engine.plan({ stack: "test" });
}

test("it plans the resources that a program in TypeScript declares", async () => {
  const plan = await planned();
  expect(listed(plan).length).toBeGreaterThan(50);
  expect(listed(plan)).toEqual(await declaredResources());
  expect(JSON.stringify(plan)).not.toContain(TOKEN);
});

test("the resources of each side have the provider of its region", async () => {
  const plan = await planned();
  const providerOf = (name: string) => plan.find(({ urn }) => urn.endsWith(`aws:lambda/function:Function::${name}`))?.provider;
  expect(providerOf("reports-sender")).toContain("::reports-source::");
  expect(providerOf("reports-receiver")).toContain("::reports-destination::");
  const regions = plan.filter(({ type }) => type === "pulumi:providers:aws").map(({ inputs }) => inputs?.region);
  expect(regions.sort()).toEqual(["cn-northwest-1", "us-east-1"]);
});

/** A second bridge from where the first one writes to. */
const onwards = ({ bucket, region }: { bucket: string; region: string }) => `
  onwards:
    type: crossborder:CrossBorderBridge
    properties:
      source: { cloud: aws-cn, region: "${region}", bucket: "${bucket}", adopt: true }
      destination: { cloud: alicloud, region: cn-shanghai, bucket: reports-shanghai }
      egress: static
      ${SECRET}
outputs:`;

test("a bucket's name may come from another resource", async () => {
  const second = onwards({ region: "cn-northwest-1", bucket: reference("reports.destinationBucket") });
  expect(listed(await planned("\noutputs:", second))).toContain("aws:lambda/function:Function onwards-sender");
});

test("a value that decides which resources there are, may not", async () => {
  const second = onwards({ region: reference("reports.destinationBucket"), bucket: "reports-china" });
  await expect(planned("\noutputs:", second)).rejects.toThrow(
    /CrossBorderBridge \\"onwards\\": source.region: known only while deploying, and it decides which resources there are/,
  );
});

test("a wrong argument is named as in TypeScript", async () => {
  await expect(planned("cloud: aws,", "cloud: AWS,")).rejects.toThrow(
    /CrossBorderBridge \\"reports\\": source.cloud = \\"AWS\\": not one of the choices; did you mean aws\?/,
  );
});
