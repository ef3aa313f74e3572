/** A stack from its first `pulumi up` to its last `pulumi destroy`: updates, resources that stay, and secrets that are not readable. */
import { appendFile, cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import {
  GetBucketEncryptionCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { REPOSITORY_ROOT } from "../../local/paths";
import { CommandError } from "../../local/run-command";
import { buildFunctions } from "../../scripts/build-functions";
import { type Inventory, inventory, using } from "./support/aws-inventory";
import { readRawLog } from "./support/logs";
import { converged, put } from "./support/objects";
import { readParameter } from "./support/parameters";
import { START_MS, started, startTestStack, type TestEnd, type TestStack } from "./support/stack";

let clouds: LocalClouds;
/** Resources of a new cloud before the first deployment. */
let untouched: Inventory[];

beforeAll(async () => {
  clouds = await startLocalClouds({ clouds: ["aws", "aws-cn"] });
  untouched = await inventories();
}, START_MS);

afterAll(() => clouds?.stop());

/** `auth: iam` has both kinds of secrets: the signing token and the invoker's key. */
describe("a stack that deletes its buckets", () => {
  let stack: TestStack | undefined;
  let checkout: string;
  const running = (): TestStack => started(stack);

  beforeAll(async () => {
    checkout = await copyOfCheckout(clouds);
    stack = await startTestStack({
      clouds,
      projectDir: checkout,
      settings: { "crossborderbridge:auth": { kind: "iam" }, "crossborderbridge:logLevel": "debug" },
    });
    await put(stack.source, "first", "arrives");
    await converged(stack, "first");
  }, START_MS);

  afterAll(() => stack?.stop());

  test("a second `pulumi up` changes nothing", async () => {
    const { changes } = running().local;
    expect(Object.keys(changes)).toEqual(["create"]);
    expect(await running().local.up()).toEqual({ same: changes.create });
  });

  test("changed code updates its function, and nothing else", async () => {
    const { local } = running();
    const former = await codeHashes(clouds);
    await appendFile(join(checkout, "dist", "functions", "aws-lambda", "sender", "index.js"), "\n// changed\n");
    expect(await local.up()).toEqual({ update: 1, same: (local.changes.create ?? 0) - 1 });
    const changed = Object.entries(await codeHashes(clouds)).filter(([name, hash]) => former[name] !== hash);
    expect(changed.map(([name]) => name)).toEqual([local.outputs.senderFunctionName]);
    await put(running().source, "second", "by the new code");
    await converged(running(), "second");
  });

  /** What `pulumi preview` prints with these settings, which it must refuse. */
  const refusal = async (settings: Record<string, unknown>): Promise<string> => {
    const error: unknown = await running()
      .local.preview(settings)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    if (!(error instanceof CommandError)) throw new Error(`not refused: ${error}`);
    const printed = error.stdout + error.stderr;
    // No stack, no colours, and every problem once.
    expect(printed).not.toContain("\u001b[");
    expect(printed).not.toMatch(/unhandled|^ +at .*:\d+/m);
    const problems = printed.match(/CrossBorderBridge "[\w-]+": [\w.]+ = .*/g) ?? [];
    expect(new Set(problems).size).toBe(problems.length);
    return printed;
  };

  test("`pulumi preview` refuses to rename the deployed bridge, or to move it to another region", async () => {
    const source = running().local.settings["crossborderbridge:source"] as object;
    const printed = await refusal({
      "crossborderbridge:name": "renamed",
      "crossborderbridge:source": { ...source, region: "eu-west-1" },
    });
    expect(printed).toContain(
      'CrossBorderBridge "renamed": name = "renamed": this bridge is deployed with "dev", and cannot be moved',
    );
    expect(printed).toContain(
      'CrossBorderBridge "renamed": source.region = "eu-west-1": this bridge is deployed with "us-east-1"',
    );
  });

  test("`pulumi preview` lists every wrong setting once, without a stack", async () => {
    const printed = await refusal({ "crossborderbridge:mode": "Pull", "crossborderbridge:copy": { memoryMb: "2048" } });
    expect(printed).toContain("error: The configuration has 2 errors:");
    expect(printed).toContain('crossborderbridge:mode = "Pull": not one of the choices; did you mean pull?');
    expect(printed).toContain(
      'crossborderbridge:copy.memoryMb = "2048": not a whole number of MiB; did you mean 2048, without quotes?',
    );
  });

  test("no secret is readable in the stack's state, a function's environment or a log", async () => {
    const { local, source, destination } = running();
    const secrets = await secretsOf(running());
    expect(secrets).toHaveLength(3);
    const texts: Record<string, string> = {
      state: JSON.stringify(await local.engine.exportStack({ stack: "dev", keepSecrets: true })),
    };
    for (const { cloud } of [source, destination]) {
      texts[`functions of ${cloud.partition}`] = JSON.stringify(
        await using(LambdaClient, cloud, (client) => client.send(new ListFunctionsCommand({}))),
      );
    }
    for (const [cloud, name] of [
      [source.cloud, local.outputs.senderFunctionName],
      [destination.cloud, local.outputs.receiverFunctionName],
    ] as const) {
      const log = (await readRawLog(cloud, name)).join("\n");
      expect(log).toContain("START RequestId");
      texts[`log of ${name}`] = log;
    }
    for (const [where, text] of Object.entries(texts)) {
      const found = secrets.filter(({ value }) => text.includes(value)).map(({ name }) => name);
      expect({ where, found }).toEqual({ where, found: [] });
    }
    // The state holds them encrypted: with the passphrase they are readable.
    const shown = JSON.stringify(await local.engine.exportStack({ stack: "dev" }));
    expect(secrets.filter(({ value }) => shown.includes(value))).toHaveLength(3);
  });

  test("`pulumi destroy` deletes everything, also buckets with their objects", async () => {
    expect(await inventories()).not.toEqual(untouched);
    await running().local.destroy();
    expect(await inventories()).toEqual(untouched);
  });
});

describe("a stack that retains its buckets", () => {
  test("keeps buckets, their settings and their objects, and nothing else", async () => {
    const stack = await startTestStack({
      clouds,
      settings: { "crossborderbridge:retainBuckets": true, "crossborderbridge:forceDestroy": false },
    });
    const { source, destination, local } = stack;
    try {
      await put(source, "kept", "outlives the stack");
      await converged(stack, "kept");
      const before = { source: await settingsOf(source), destination: await settingsOf(destination) };
      await local.destroy();
      const kept = [[source.bucket], [destination.bucket]];
      expect(await inventories()).toEqual(untouched.map((one, index) => ({ ...one, buckets: kept[index] })));
      expect({ source: await settingsOf(source), destination: await settingsOf(destination) }).toEqual(before);
      for (const { s3, bucket, prefix } of [source, destination]) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}kept` }));
        expect(await Body?.transformToString()).toBe("outlives the stack");
      }
    } finally {
      await stack.stop();
    }
  });
});

/** Copies the program, so that a test can change its bundles. The copy is inside the repository, where Node finds its packages. */
async function copyOfCheckout({ runDir }: LocalClouds): Promise<string> {
  const folder = join(runDir, "checkout");
  await mkdir(folder);
  for (const name of ["index.ts", "components", "cost", "runtime", "package.json", "tsconfig.json", "Pulumi.yaml"]) {
    await cp(join(REPOSITORY_ROOT, name), join(folder, name), { recursive: true });
  }
  await buildFunctions({ outDir: join(folder, "dist", "functions") });
  return folder;
}

/** The token, the token without its prefix, and the invoker's secret access key. */
async function secretsOf({ source, destination }: TestStack): Promise<{ name: string; value: string }[]> {
  const token = await readParameter(destination.cloud, "/crossborderbridge/dev/destination/token");
  const invoker = await readParameter(source.cloud, "/crossborderbridge/dev/source/invoker");
  return [
    { name: "token", value: token },
    { name: "token without its prefix", value: token.replace("whsec_", "") },
    { name: "invoker's secret access key", value: (JSON.parse(invoker) as { secretAccessKey: string }).secretAccessKey },
  ];
}

async function codeHashes(of: LocalClouds): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const cloud of [of.aws, of["aws-cn"]]) {
    const { Functions = [] } = await using(LambdaClient, cloud, (client) => client.send(new ListFunctionsCommand({})));
    for (const { FunctionName = "", CodeSha256 = "" } of Functions) hashes[FunctionName] = CodeSha256;
  }
  return hashes;
}

async function settingsOf({ s3, bucket: Bucket }: TestEnd): Promise<unknown> {
  const [versioning, encryption, publicAccess] = await Promise.all([
    s3.send(new GetBucketVersioningCommand({ Bucket })),
    s3.send(new GetBucketEncryptionCommand({ Bucket })),
    s3.send(new GetPublicAccessBlockCommand({ Bucket })),
  ]);
  return [versioning.Status, encryption.ServerSideEncryptionConfiguration, publicAccess.PublicAccessBlockConfiguration];
}

/** Resources of both clouds in every service that a bridge uses. */
function inventories(): Promise<Inventory[]> {
  return Promise.all([inventory(clouds.aws), inventory(clouds["aws-cn"])]);
}
