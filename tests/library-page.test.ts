/** The code of docs/library.md is one program: it compiles against the components, and runs with the page's own mocks. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileFunction } from "node:vm";
import * as pulumi from "@pulumi/pulumi";
import ts from "typescript";
import { TOKEN } from "./components/bridge-fixture";
import { recordResources } from "./support/record-resources";

const ROOT = join(__dirname, "..");
const PAGE = readFileSync(join(ROOT, "docs", "library.md"), "utf8");
const blocks = [...PAGE.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
const isMocks = (code: string): boolean => code.includes("setMocks");
const PROGRAM = blocks.filter((code) => !isMocks(code)).join("\n");
const MOCKS = blocks.filter(isMocks).join("\n");

test("the page has a program and the mocks for its tests", () => {
  expect(blocks.filter(isMocks)).toHaveLength(1);
  expect(blocks.length).toBeGreaterThan(5);
});

test("the program compiles against the components", () => {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(ROOT, "tsconfig.json"),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, " "));
      },
    },
  );
  const path = join(ROOT, "library-page.ts");
  const host = ts.createCompilerHost(config?.options ?? {});
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, how, ...rest) =>
    name === path ? ts.createSourceFile(name, PROGRAM, how) : read(name, how, ...rest);
  const program = ts.createProgram([path], config?.options ?? {}, host);
  const file = program.getSourceFile(path);
  const problems = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "))).toEqual([]);
  expect(program.getSourceFile(join(ROOT, "components", "index.ts"))).toBeDefined();
}, 400_000);

const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };

/** @param loaded modules that the code gets in place of the packages with these names */
function runCode(code: string, loaded: Record<string, unknown>): Record<string, unknown> {
  const exported: Record<string, unknown> = {};
  const load = (name: string): unknown => loaded[name] ?? require(name);
  compileFunction(ts.transpileModule(code, { compilerOptions }).outputText, ["require", "exports"])(load, exported);
  return exported;
}

/** What the page passes to `setMocks`. */
function mocksOfPage(): pulumi.runtime.Mocks {
  let given: pulumi.runtime.Mocks | undefined;
  const recorder = { runtime: { setMocks: (mocks: pulumi.runtime.Mocks) => (given = mocks) } };
  runCode(`import * as pulumi from "pulumi";\nexport const done = (async () => { ${MOCKS} })();`, { pulumi: recorder });
  if (given === undefined) throw new Error("the page calls no setMocks");
  return given;
}

test("the program declares what the page says, with the page's own mocks", async () => {
  jest.spyOn(console, "warn").mockImplementation(() => undefined);
  jest.spyOn(console, "log").mockImplementation(() => undefined);
  let exported: Record<string, unknown> = {};
  const { resources, get } = await recordResources(
    () => {
      pulumi.runtime.setAllConfig({ "crossborderbridge:bridgeToken": TOKEN });
      exported = runCode(PROGRAM, { crossborderbridge: require("../components") });
    },
    { mocks: mocksOfPage() },
  );
  const bridges = resources.filter(({ type }) => type === "crossborder:index:CrossBorderBridge");
  expect(bridges.map(({ name, outputsRegistered }) => [name, outputsRegistered])).toEqual([
    ["reports", true],
    ["media", true],
    ["invoices", true],
  ]);
  expect(Object.keys(exported).sort()).toEqual(["deadLetters", "receiverUrl", "workflow"]);
  expect(get("reports-destination", "aws:s3/bucket:Bucket").inputs.bucket).toBe("reports-china");
  expect(get("media-source", "alicloud:oss/bucket:Bucket").inputs.bucket).toBe("media-shanghai");
  expect(get("invoices-queue").inputs.kmsMasterKeyId).toBe("alias/queues");
  expect(get("invoices-sender", "aws:lambda/function:Function").protect).toBe(true);
  expect(get("reports-sender", "aws:lambda/function:Function").protect).toBe(false);
  expect(resources.filter(({ type }) => /NativeReplication$/.test(type))).toHaveLength(2);
});
