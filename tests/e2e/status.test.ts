/** `status` and `backfill` while something is broken: they show the reason that the sender logged, and name a side that is lost. */
import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { clientConfig } from "../../local/aws/client-config";
import { registerBackfill } from "../../operator/backfill/command";
import { registerStatus } from "../../operator/status/command";
import { runBridge } from "./support/bridge-command";
import { eventually } from "./support/eventually";
import { deleteBucket, put } from "./support/objects";
import { sendMessage, settled } from "./support/queues";
import { type TestStack, testOnOwnStack } from "./support/stack";

const onStack = testOnOwnStack();

const status = ({ local }: TestStack, ...args: string[]) => runBridge(registerStatus, local, "dev", ["status", ...args]);

/** Repeats `status` until its text matches. */
async function says(running: TestStack, args: string[], text: RegExp): Promise<{ exitCode: number; noted: string[] }> {
  return eventually(
    async () => {
      // The emulator returns late log lines only with the worker's next run. The test event starts a run that does nothing.
      await sendMessage(running, '{"Event":"s3:TestEvent"}');
      const run = await status(running, ...args);
      expect([...run.printed, ...run.noted].join("\n")).toMatch(text);
      return run;
    },
    { deadlineMs: 60_000, what: `status shows ${text}` },
  );
}

onStack("the receiver may no longer write: the reason, with its side and store", async (running) => {
  const iam = new IAMClient(clientConfig(running.destination.cloud));
  const RoleName = "crossborderbridge-dev-receiver";
  const { PolicyNames: [PolicyName] = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const { PolicyDocument = "" } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  const document = JSON.parse(decodeURIComponent(PolicyDocument)) as { Statement: { Sid: string }[] };
  const allow = (Statement: object[]) =>
    iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: JSON.stringify({ ...document, Statement }) }));
  await allow(document.Statement.filter(({ Sid }) => Sid !== "WriteDestination"));
  await put(running.source, "denied", "1");
  const { exitCode } = await says(
    running,
    ["denied"],
    /^PENDING +denied {2}\(.*failed (once|\d+ times), waits since .*destination aws-cn:bridge-dev-china: S3 answered \w+ with (AccessDenied \(HTTP 403, |HTTP 403 \().*, next /,
  );
  expect(exitCode).toBe(0);
  await allow(document.Statement);
  await settled(running);
  expect((await status(running)).printed.join("\n")).toMatch(/^COMPLETED +1 object /);
});

onStack("the destination bucket is deleted: said at once, by status and by backfill, with exit code 3", async (running) => {
  await deleteBucket(running.destination);
  const gone =
    /^the destination bucket bridge-dev-china \(aws-cn, cn-north-1\): S3 answered list with NoSuchBucket .*; the bucket is gone: /;
  const looked = await status(running);
  expect(looked.exitCode).toBe(3);
  expect(looked.noted[0]).toMatch(gone);
  const filled = await runBridge(registerBackfill, running.local, "dev", ["backfill", "--yes"]);
  expect(filled).toMatchObject({ exitCode: 3, printed: [], noted: [expect.stringMatching(gone)] });
  await put(running.source, "homeless", "1");
  const { exitCode } = await says(running, [], /PENDING +1 object: destination aws-cn:bridge-dev-china: .*NoSuchBucket/);
  expect(exitCode).toBe(3);
});

onStack(
  "the destination's process is killed: the side cannot be reached, and the keys wait between the sides",
  async (running) => {
    await running.destination.cloud.kill();
    await put(running.source, "cut-off", "1");
    const { exitCode, noted } = await says(running, [], /PENDING +\d objects?: between the sides: /);
    expect(exitCode).toBe(3);
    expect(noted[0]).toMatch(
      /^the destination bucket bridge-dev-china \(aws-cn, cn-north-1\): S3 did not answer list: ECONNREFUSED; the store cannot be reached/,
    );
  },
);
