/** A bridge of another program, found by a file. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../../operator/command";
import { readOutputsFile } from "../../operator/outputs-file";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "outputs-"));
});
afterEach(() => rm(folder, { recursive: true }));

const FILE = {
  stack: "production",
  settings: {
    source: { cloud: "aws", region: "us-east-1", bucket: "from-here", profile: "global" },
    destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" },
    allowedCidrs: ["192.0.2.0/24"],
    name: "reports",
  },
  outputs: { sourceBucket: "from-here", destinationBucket: "to-there", queueUrl: "https://sqs.example/1/work", notices: [] },
};

async function read(content: unknown) {
  const path = join(folder, "bridge.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return readOutputsFile(path);
}

test("reads settings and outputs, and opens each side with its own credentials", async () => {
  const { stack, config, outputs, access } = await read(FILE);
  expect({ stack, name: config.name, mode: config.mode, queueUrl: outputs.queueUrl }).toEqual({
    ...{ stack: "production", name: "reports", mode: "pull", queueUrl: "https://sqs.example/1/work" },
  });
  expect(access.source).toMatchObject({ cloud: "aws", region: "us-east-1" });
  expect(access.destination).toMatchObject({ cloud: "aws-cn", region: "cn-north-1" });
});

test.each<[string, unknown, RegExp]>([
  ["no JSON", "{", /describes no bridge/],
  ["no settings", { ...FILE, settings: undefined }, /describes no bridge \(settings: /],
  ["no outputs of a bridge", { ...FILE, outputs: {} }, /the stack production exports no bridge/],
])("refuses a file with %s", async (_what, content, message) => {
  await expect(read(content)).rejects.toThrow(UsageError);
  await expect(read(content)).rejects.toThrow(message);
});

test("names the settings that are wrong", async () => {
  await expect(read({ ...FILE, settings: { ...FILE.settings, mode: "magic" } })).rejects.toThrow(/mode/);
});

test("a file that is not there is an error of the command line", async () => {
  await expect(readOutputsFile(join(folder, "none"))).rejects.toThrow(/none cannot be read: ENOENT/);
});
