/**
 * Holds every resource that an example stack deploys. `GOLDEN=write npx jest tests/components/golden-plans` records it into tests/golden/examples.
 * Read the difference of a recording as you would read a `pulumi preview` of a stack that is in use.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as alicloud from "@pulumi/alicloud";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { planOf } from "../support/plan";
import { recordResources } from "../support/record-resources";

const ROOT = join(__dirname, "..", "..");
const GOLDEN = join(ROOT, "tests", "golden", "examples");
const EXAMPLES = [join(ROOT, "examples"), ROOT].filter(existsSync).flatMap((folder) =>
  readdirSync(folder)
    .filter((file) => /^Pulumi\..+\.yaml$/.test(file))
    .map((file) => join(folder, file)),
);
const TOKEN = Buffer.alloc(32, 7).toString("base64");

beforeEach(() => {
  jest.spyOn(pulumi.log, "warn").mockResolvedValue();
  jest.spyOn(pulumi.log, "info").mockResolvedValue();
});
afterEach(() => jest.restoreAllMocks());

test.each(EXAMPLES.map((path) => [basename(path).split(".")[1] ?? "", path]))("%s", async (stack, path) => {
  const { config } = parse(readFileSync(path, "utf8")) as { config: Record<string, unknown> };
  const { resources } = await recordResources(() => runProgram(withToken(config)), { stack });
  const plan = planOf(resources);

  expect(plan.map(({ type, outputsRegistered }) => [type, outputsRegistered])).toEqual(
    plan.map(({ type }) => [type, type.startsWith("crossborder:")]),
  );
  const golden = join(GOLDEN, `${stack}.json`);
  const text = `${JSON.stringify(plan, null, 1)}\n`;
  if (process.env.GOLDEN === "write") writeFileSync(golden, text);
  expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(golden, "utf8")));
});

test("there is no plan of a stack that is gone", () => {
  expect(readdirSync(GOLDEN).sort()).toEqual(EXAMPLES.map((path) => `${basename(path).split(".")[1]}.json`).sort());
});

/** As the engine runs `index.ts`: the configuration is text, structured values are JSON. */
function runProgram(config: Record<string, unknown>): void {
  pulumi.runtime.setAllConfig(
    Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
  );
  jest.isolateModules(() => {
    // The program is loaded anew for each stack, the large SDKs are not.
    for (const [name, loaded] of Object.entries({ "@pulumi/pulumi": pulumi, "@pulumi/aws": aws, "@pulumi/alicloud": alicloud }))
      jest.doMock(name, () => loaded);
    require("../../index");
  });
}

/** A stack without a token parameter is given its signing secret when it is deployed. */
function withToken(config: Record<string, unknown>): Record<string, unknown> {
  const { tokenParameter } = (config["crossborderbridge:auth"] ?? {}) as { tokenParameter?: string };
  return tokenParameter === undefined ? { ...config, "crossborderbridge:token": TOKEN } : config;
}
