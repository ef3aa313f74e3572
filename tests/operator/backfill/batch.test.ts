/** The engine `batch` against S3 Control on loopback. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createJobRequest, parseRoleArn, REPORT_PREFIX, tokenOf } from "../../../operator/backfill/batch";
import { createBatchControl } from "../../../operator/backfill/batch-control";
import { inControlPrefix } from "../../../runtime/protocol/control";
import { FakeBridge, type Given, nativeRaw, type Ran, run, withFolder } from "./fixture";
import { type LoopbackControl, startControl } from "./s3-control";

const ACCOUNT = "111122223333";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/backfill`;

let control: LoopbackControl;
beforeEach(async () => {
  control = await startControl();
});
afterEach(() => control.close());

function batchBridge(): FakeBridge {
  const bridge = new FakeBridge(nativeRaw({ existingObjects: "replicate" }));
  bridge.outputs = { ...bridge.outputs, backfillRoleArn: ROLE };
  return bridge;
}

const start = ({ deps, ...given }: Given): Promise<Ran> =>
  run(batchBridge(), {
    ...given,
    deps: { openControl: async (_access, accountId) => createBatchControl(control.client, accountId), ...deps },
  });

const paths = () => control.requests.map(({ method, path }) => `${method} ${path}`);

const DONE = [
  { status: "New" },
  { status: "Preparing" },
  { status: "Suspended", total: 3 },
  { status: "Active", total: 3, succeeded: 1 },
  { status: "Complete", total: 3, succeeded: 3 },
];

test("creates one job with the exact request, confirms it once it has counted its objects, and follows it to the end", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    control.script.push(...DONE);
    const pauses: number[] = [];
    const deps = { sleep: async (ms: number) => void pauses.push(ms) };
    const { exitCode, printed, noted } = await start({ checkpoint, prefix: "reports/2026 & é/", json: true, deps });
    expect(exitCode).toBe(0);

    const token = tokenOf({
      stack: "dev",
      bucket: "from-here",
      prefix: "reports/2026 & é/",
      startedAt: "2026-11-21T10:00:00.000Z",
    });
    const [created] = control.requests;
    expect(created).toMatchObject({
      method: "POST",
      path: "/v20180820/jobs",
      accountId: ACCOUNT,
      host: `${ACCOUNT}.s3-control.test`,
    });
    expect(created?.body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>' +
        '<CreateJobRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">' +
        "<Operation><S3ReplicateObject/></Operation>" +
        "<Report><Enabled>true</Enabled><Bucket>arn:aws:s3:::from-here</Bucket><Format>Report_CSV_20180820</Format>" +
        "<Prefix>.crossborderbridge/backfill</Prefix><ReportScope>FailedTasksOnly</ReportScope>" +
        `<ExpectedBucketOwner>${ACCOUNT}</ExpectedBucketOwner></Report>` +
        "<Priority>1</Priority>" +
        `<RoleArn>${ROLE}</RoleArn>` +
        "<ConfirmationRequired>true</ConfirmationRequired>" +
        `<ClientRequestToken>${token}</ClientRequestToken>` +
        "<Description>CrossBorderBridge backfill of dev, prefix reports/2026 &amp; é/</Description>" +
        "<ManifestGenerator><S3JobManifestGenerator><SourceBucket>arn:aws:s3:::from-here</SourceBucket>" +
        "<EnableManifestOutput>false</EnableManifestOutput>" +
        `<ExpectedBucketOwner>${ACCOUNT}</ExpectedBucketOwner>` +
        "<Filter><EligibleForReplication>true</EligibleForReplication>" +
        "<ObjectReplicationStatuses><member>NONE</member><member>FAILED</member></ObjectReplicationStatuses>" +
        "<KeyNameConstraint><MatchAnyPrefix><member>reports/2026 &amp; é/</member></MatchAnyPrefix></KeyNameConstraint></Filter>" +
        "</S3JobManifestGenerator></ManifestGenerator>" +
        "</CreateJobRequest>",
    );
    expect(paths()).toEqual([
      "POST /v20180820/jobs",
      ...Array(3).fill("GET /v20180820/jobs/job-0"),
      "POST /v20180820/jobs/job-0/status?requestedJobStatus=Ready",
      ...Array(2).fill("GET /v20180820/jobs/job-0"),
    ]);
    expect(control.requests.every(({ accountId }) => accountId === ACCOUNT)).toBe(true);
    expect(pauses).toEqual([10_000, 10_000, 10_000, 10_000]);
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({
      engine: "batch",
      ended: "complete",
      job: {
        jobId: "job-0",
        totalTasks: 3,
        succeededTasks: 3,
        failedTasks: 0,
        report: "s3://from-here/.crossborderbridge/backfill/job-job-0/",
      },
    });
    expect(noted).toContain("active: 1 of 3 done, 0 failed");
    expect(existsSync(checkpoint)).toBe(false);
  }));

test("without a prefix the request has no key filter; the partition is that of the role", () => {
  const role = "arn:aws-cn:iam::444455556666:role/path/backfill";
  const job = { stack: "dev", bucket: "b", prefix: "", roleArn: role, report: "all", token: "t" } as const;
  const { AccountId, ManifestGenerator, Report } = createJobRequest(job);
  expect(AccountId).toBe("444455556666");
  expect(ManifestGenerator?.S3JobManifestGenerator?.Filter).toEqual({
    EligibleForReplication: true,
    ObjectReplicationStatuses: ["NONE", "FAILED"],
  });
  expect(Report).toMatchObject({ Bucket: "arn:aws-cn:s3:::b", ReportScope: "AllTasks" });
  // The job's reports at the source must not be replicated, and the next backfill must not find them.
  expect(inControlPrefix(`${REPORT_PREFIX}/`)).toBe(true);
  expect(() => parseRoleArn("backfill")).toThrow("no ARN of an IAM role: backfill");
});

test("a start that was killed while it created the job creates no second job", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    control.script.push(...DONE);
    // The job is created, but its answer is lost.
    const lost: Given["deps"] = {
      openControl: async (_access, accountId) => {
        const real = createBatchControl(control.client, accountId);
        return {
          ...real,
          create: async (request, signal) => Promise.reject(new Error(`killed after ${await real.create(request, signal)}`)),
        };
      },
    };
    await expect(start({ checkpoint, deps: lost })).rejects.toThrow("killed after job-0");
    const later = { now: () => Date.parse("2026-11-22T10:00:00.000Z") };
    expect((await start({ checkpoint, deps: later })).exitCode).toBe(0);
    expect(control.tokens).toHaveLength(1);
  }));

test("an interruption does not end the job; the same command, or --job, follows it again", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    control.script.push(
      { status: "Active", total: 2 },
      { status: "Active", total: 2 },
      { status: "Complete", total: 2, succeeded: 2 },
    );
    const controller = new AbortController();
    const interrupting = {
      sleep: async () => {
        controller.abort(new Error("interrupted"));
        throw new Error("interrupted");
      },
    };
    await expect(start({ checkpoint, signal: controller.signal, deps: interrupting })).rejects.toThrow("interrupted");
    expect(JSON.parse(await readFile(checkpoint, "utf8"))).toMatchObject({ engine: "batch", batch: { jobId: "job-0" } });
    expect((await start({ checkpoint })).exitCode).toBe(0);
    expect(existsSync(checkpoint)).toBe(false);
    const watched = await start({ checkpoint, job: "job-0", json: true });
    expect(JSON.parse(watched.printed[0] ?? "")).toMatchObject({ ended: "complete" });
    expect(control.requests.filter(({ path }) => path === "/v20180820/jobs")).toHaveLength(1);
    expect(control.requests.some(({ path }) => path.includes("/status"))).toBe(false);
  }));

test("a declined job is cancelled once, and the exit code is 1", () =>
  withFolder(async (folder) => {
    const suspended = { status: "Suspended", total: 1_500_000 };
    control.script.push(suspended, suspended, { status: "Cancelled", total: 1_500_000 });
    const questions: string[] = [];
    const deps = {
      confirm: async (question: string) => {
        questions.push(question);
        return false;
      },
    };
    const { exitCode, printed } = await start({ checkpoint: join(folder, "c.json"), yes: undefined as never, json: true, deps });
    expect(exitCode).toBe(1);
    expect(questions).toEqual([
      "The job would replicate 1,500,000 object versions, about USD 1.50 besides their transfer. Run it?",
    ]);
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({ ended: "declined" });
    expect(paths().filter((path) => path.includes("/status"))).toEqual([
      "POST /v20180820/jobs/job-0/status?requestedJobStatus=Cancelled&statusUpdateReason=declined%20by%20the%20operator",
    ]);
  }));

test.each([
  [{ status: "Complete", total: 3, succeeded: 2, failed: 1 }, "complete", "report: s3://from-here/"],
  [
    { status: "Failed", failure: { code: "AccessDenied", reason: "no right to list" } },
    "failed",
    "AccessDenied: no right to list",
  ],
  [{ status: "Cancelled", total: 3 }, "cancelled", "job job-0"],
])("a job that ends as %j exits with 1 and reports the reason", (last, ended, reason) =>
  withFolder(async (folder) => {
    control.script.push(last);
    const { exitCode, printed, noted } = await start({ checkpoint: join(folder, "c.json"), json: true });
    expect(exitCode).toBe(1);
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({ ended });
    expect(noted.some((line) => line.startsWith(reason))).toBe(true);
    // The next start creates a new job.
    expect(existsSync(join(folder, "c.json"))).toBe(false);
  }),
);

test("quotes the refusals of S3 Control, retries retryable ones, and polls again for a new job that is not found yet", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    control.refusals.push({ status: 400, code: "InvalidRequest", message: "The role cannot be assumed" });
    await expect(start({ checkpoint })).rejects.toThrow(
      "S3 Control answered createJob with InvalidRequest: The role cannot be assumed",
    );
    control.refusals.push({ status: 503, code: "SlowDown", message: "later" });
    control.script.push({ status: "Complete" });
    expect((await start({ checkpoint })).exitCode).toBe(0);
    control.refusals.push({ status: 404, code: "NoSuchJob", message: "no such job" });
    expect((await start({ checkpoint, job: "job-0" })).exitCode).toBe(0);
    const unknown = { status: 404, code: "NoSuchJob", message: "no such job" };
    control.refusals.push(...Array(20).fill(unknown));
    await expect(start({ checkpoint, job: "job-9" })).rejects.toThrow("describeJob with NoSuchJob: no such job");
  }));
