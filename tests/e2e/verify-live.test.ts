/** `npm run verify-live` from end to end on the local clouds: with Pulumi's automation, as on real accounts, and on a stack of `npm start`. */
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { PulumiCommand } from "@pulumi/pulumi/automation";
import { parse, stringify } from "yaml";
import { clientConfig } from "../../local/aws/client-config";
import { writeOperatorFile } from "../../local/cli/operator-file";
import { createClosers } from "../../local/closers";
import { engineEnvironment } from "../../local/engine";
import { alicloudAccount, type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT } from "../../local/paths";
import { serveAlicloudProvider } from "../../local/provider/alicloud-provider";
import { serveAwsProvider } from "../../local/provider/aws-provider";
import { runCommand } from "../../local/run-command";
import { ensurePulumi } from "../../local/toolchain/pulumi";
import { readLocalSession } from "../../operator/local-session";
import type { StackToOperate } from "../../operator/operated-bridge";
import { systemTime } from "../../operator/probe/time";
import { generateSecret } from "../../runtime/protocol/signing";
import { BUNDLES_ARE_BUILT, buildFunctions } from "../../scripts/build-functions";
import { CHECKS } from "../../verify-live/checks";
import { type Deployment, pulumiDeployment } from "../../verify-live/deployment";
import { type CheckResult, JOURNAL } from "../../verify-live/journal";
import { runProgram } from "../../verify-live/program";
import { readFixtures, replayFixture } from "../../verify-live/recording/fixtures";
import { leftovers } from "../../verify-live/recording/leftovers";
import type { VerifyDeps } from "../../verify-live/verify";
import { INTERRUPTED } from "./support/bridge-command";
import { listKeys, put } from "./support/objects";
import { openEnds, START_MS } from "./support/stack";

const RUN_MS = 600_000;
const MIB = 1024 ** 2;
const closers = createClosers();
let clouds: LocalClouds;
let folder: string;

beforeAll(async () => {
  if (process.env[BUNDLES_ARE_BUILT] === undefined) await buildFunctions();
  // A key that has to wait goes on at the next tick.
  clouds = await startLocalClouds({ clouds: ["aws", "aws-cn", "alicloud"], scheduleMinuteMs: 5_000 });
  closers.add(() => clouds.stop());
  folder = await mkdtemp(join(clouds.runDir, "verify-live-"));
}, START_MS);

afterAll(() => closers.closeAll(), START_MS);

interface Run {
  exitCode: number;
  printed: string;
  noted: string[];
  out: string;
  results: CheckResult[];
}

interface RunOptions {
  deps: Partial<VerifyDeps>;
  interrupt?: AbortController;
  onNote?: (text: string) => void;
}

async function verify(name: string, args: readonly string[], { deps, interrupt = new AbortController(), onNote }: RunOptions) {
  const [printed, noted]: [string[], string[]] = [[], []];
  const out = join(folder, name);
  const exitCode = await runProgram([...args, "--out", out], {
    checks: CHECKS,
    deployment: () => {
      throw new Error("this run takes a stack");
    },
    localSession: () => Promise.reject(new Error("this run deploys a stack")),
    access: () => Promise.reject(new Error("this run reads a session")),
    local: true,
    interrupt: { signal: interrupt.signal, exitCode: () => (interrupt.signal.aborted ? INTERRUPTED : undefined) },
    ...systemTime,
    print: (text) => void printed.push(text),
    note(text) {
      noted.push(text);
      onNote?.(text);
    },
    ...deps,
  });
  const journal = await readFile(join(out, JOURNAL), "utf8").catch(() => "");
  const lines = journal.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as CheckResult]));
  const run: Run = { exitCode, printed: printed.join("\n"), noted, out, results: lines.filter(({ type }) => type === "result") };
  return run;
}

/** Fails with what the run said. */
function expectExit({ exitCode, printed, noted }: Run, wanted: number): void {
  if (exitCode !== wanted) throw new Error([`exit code ${exitCode}, not ${wanted}`, printed, ...noted.slice(-NOTES)].join("\n"));
}
const NOTES = 20;

const idsOf = ({ results }: Run, wanted: CheckResult["result"]) =>
  results.flatMap(({ id, result }) => (result === wanted ? id : []));

/** The values that no file of a run may hold. */
function secrets(token: string) {
  const { root } = clouds.alicloud.ram;
  return [
    { value: clouds.aws.credentials.secretAccessKey, as: "secret of AWS" },
    { value: root.accessKeySecret, as: "secret of Alibaba Cloud" },
    { value: token, as: "signing secret" },
  ].filter(({ value }) => value.length >= 8);
}

describe("a stack that Pulumi's automation deploys, from S3 to OSS", () => {
  const stack = "verified";
  const token = generateSecret();
  const settings = {
    "crossborderbridge:source": { cloud: "aws", region: "us-east-1", bucket: "verified-source" },
    "crossborderbridge:destination": { cloud: "alicloud", region: "us-west-1", bucket: "verified-destination" },
    "crossborderbridge:name": stack,
    "crossborderbridge:allowedCidrs": ["127.0.0.1/32"],
    "crossborderbridge:deletes": "replicate",
    "crossborderbridge:inlineLimitBytes": MIB,
    "crossborderbridge:copy": { partSizeBytes: 5 * MIB, partsAtOnce: 2, concurrency: 2, timeoutSeconds: 60 },
    "crossborderbridge:timeouts": { senderSeconds: 40, receiverSeconds: 10 },
    "crossborderbridge:concurrency": 3,
    "crossborderbridge:probe": { enabled: true },
    "crossborderbridge:retainBuckets": false,
    "crossborderbridge:forceDestroy": true,
  };
  let deployment: Deployment;

  beforeAll(async () => {
    const installation = await ensurePulumi({ stateDir: DEFAULT_STATE_DIR });
    const aws = await serveAwsProvider({ partitions: clouds, workingDirectory: REPOSITORY_ROOT });
    closers.add(() => aws.close());
    const alicloud = await serveAlicloudProvider({ cloud: alicloudAccount(clouds.alicloud) });
    closers.add(() => alicloud.close());
    const dataDir = join(folder, "engine");
    const backend = join(dataDir, "stacks");
    const workDir = join(folder, "project");
    for (const made of [backend, workDir]) await mkdir(made, { recursive: true });
    const project = parse(await readFile(join(REPOSITORY_ROOT, "Pulumi.yaml"), "utf8")) as object;
    await writeFile(join(workDir, "Pulumi.yaml"), stringify({ ...project, main: join(REPOSITORY_ROOT, "index.ts") }));
    await writeFile(
      join(workDir, `Pulumi.${stack}.yaml`),
      stringify({ config: { ...settings, "crossborderbridge:token": token } }),
    );
    const providers = { aws: aws.port, alicloud: alicloud.port };
    const engine = { installation, projectDir: workDir, dataDir, providers, caPath: clouds.caPath };
    const env = engineEnvironment(engine, backend);
    await runCommand(installation.pulumiPath, ["stack", "init", stack, "--non-interactive", "--cwd", workDir], { env });
    deployment = pulumiDeployment(stack, {
      workDir,
      envVars: env as Record<string, string>,
      pulumiCommand: await PulumiCommand.get({ root: dirname(installation.binDir) }),
    });
  }, START_MS);

  const deps = (): Partial<VerifyDeps> => ({
    deployment: () => deployment,
    async access(_config, outputs): Promise<StackToOperate["access"]> {
      const sessions = join(folder, "sessions");
      await writeOperatorFile(stack, { clouds, outputs, settings } as unknown as LocalStack, sessions);
      return (await readLocalSession(stack, sessions)).access;
    },
  });

  async function expectNothingLeft() {
    expect(await deployment.state(AbortSignal.timeout(60_000))).toBe("none");
    const s3 = new S3Client(clientConfig(clouds.aws));
    expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    s3.destroy();
  }

  test(
    "a dry run deploys nothing, and says what a run would do and cost",
    async () => {
      const run = await verify("dry", ["--stack", stack, "--dry-run"], { deps: deps() });
      expectExit(run, 0);
      const { printed } = run;
      expect(printed).toMatch(
        /^Stack verified: pull from aws us-east-1 verified-source to alicloud us-west-1 verified-destination\n1\. deploy/,
      );
      expect(printed).toMatch(/That costs about \$\d/);
      await expectNothingLeft();
    },
    RUN_MS,
  );

  test(
    "everything that the local clouds can show holds, and nothing is left",
    async () => {
      const run = await verify("whole", ["--stack", stack], { deps: deps() });
      expect(run.results.filter(({ result }) => result === "failed")).toEqual([]);
      expectExit(run, 0);
      expect(idsOf(run, "passed")).toEqual([
        ...["first-deployment", "plan-is-stable", "bucket-refuses-strangers@source", "bucket-refuses-strangers@destination"],
        ...["store-answers@source", "store-answers@destination", "s3-conditional-writes@source", "s3-checksum@source"],
        ...[
          "s3-upload-checksum@source",
          "s3-tag-count@source",
          "s3-versions@source",
          "oss-package-download@destination",
          "oss-forced-download@destination",
        ],
        ...["oss-checksum@destination", "oss-unicode-tags@destination", "oss-append@destination", "oss-create-only@destination"],
        ...["pair-keys", "pair-attributes", "pair-changes", "pair-large", "operator-reads", "alarms-exist"],
        ...["receiver-refuses-strangers", "probe-latency", "pair-refused", "destroy-is-complete"],
      ]);
      const report = await readFile(join(run.out, "report.md"), "utf8");
      expect(report).toMatch(/^# Local clouds: stack verified\n/);
      expect(report).toContain("The stack was deployed by this run, and destroyed");
      expect(report).toContain("Every object of the run was deleted");
      expect(
        leftovers(report + run.printed + run.noted.join("\n"), secrets(token)).filter((name) => name.includes("secret")),
      ).toEqual([]);
      await expectNothingLeft();

      const fixtures = await readFixtures(join(run.out, "fixtures"));
      expect(fixtures.size).toBeGreaterThan(0);
      for (const [name, fixture] of fixtures) {
        expect({ name, left: leftovers(JSON.stringify(fixture), secrets(token)) }).toEqual({ name, left: [] });
        expect({ name, problems: (await replayFixture(fixture)).problems }).toEqual({ name, problems: [] });
      }
    },
    RUN_MS,
  );

  test(
    "Ctrl-C while objects are on their way: they are deleted, and the stack is destroyed",
    async () => {
      const interrupt = new AbortController();
      const onNote = (text: string) => {
        if (/pair-keys$/.test(text)) interrupt.abort();
      };
      const run = await verify("interrupted", ["--stack", stack, "--only", "pair-keys,pair-large"], {
        deps: deps(),
        interrupt,
        onNote,
      });
      expectExit(run, INTERRUPTED);
      expect(idsOf(run, "passed")).toEqual(["destroy-is-complete"]);
      await expectNothingLeft();
    },
    RUN_MS,
  );
});

describe("a stack from AWS Global to AWS China", () => {
  let local: LocalStack;
  beforeAll(async () => {
    local = await startLocalStack({ stack: "dev", clouds });
    closers.add(() => local.stop());
  }, START_MS);

  const session = async () => {
    const sessions = join(folder, "sessions");
    await writeOperatorFile("dev", local, sessions);
    return readLocalSession("dev", sessions);
  };

  test(
    "one of `npm start` is taken: its other objects stay, and it goes on",
    async () => {
      const ends = openEnds(local);
      await put(ends.source, "crossborderbridge-verify/of-somebody-else", "kept");
      const run = await verify("taken", ["--stack", "dev", "--local", "--except", "pair-large"], {
        deps: { localSession: session },
      });
      expect(run.results.filter(({ result }) => result === "failed")).toEqual([]);
      expectExit(run, 0);
      expect(idsOf(run, "passed")).toEqual(expect.arrayContaining(["pair-keys", "pair-changes", "receiver-refuses-strangers"]));
      expect(idsOf(run, "skipped")).toEqual(expect.arrayContaining(["first-deployment", "outage-heals", "destroy-is-complete"]));
      expect(await listKeys(ends.source)).toEqual(["crossborderbridge-verify/of-somebody-else"]);
      for (const { s3 } of [ends.source, ends.destination]) s3.destroy();
    },
    RUN_MS,
  );
});
