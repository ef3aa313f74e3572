/** `npm start -- --redeploy` reads every resource first, and puts back what was changed or deleted in the clouds. */
import { DescribeRuleCommand, DisableRuleCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  DeleteFunctionCommand,
  GetFunctionCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { GetBucketVersioningCommand } from "@aws-sdk/client-s3";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig } from "../../local/aws/client-config";
import { eventually } from "./support/eventually";
import { deleteBucket, look, put } from "./support/objects";
import { type TestStack, testOnOwnStack } from "./support/stack";

const onStack = testOnOwnStack();

const RULE = "crossborderbridge-dev-tick";
const RECEIVER = "crossborderbridge-dev-receiver";
const SECRET = "/crossborderbridge/dev/destination/token";

/** What an operator may change by hand. */
class Settings {
  readonly #ssm: SSMClient;
  readonly #iam: IAMClient;
  readonly #lambda: LambdaClient;
  readonly #events: EventBridgeClient;
  readonly #sender: string;

  constructor(readonly running: TestStack) {
    const [source, destination] = [running.source, running.destination].map(({ cloud }) => clientConfig(cloud));
    this.#ssm = new SSMClient(destination ?? {});
    this.#iam = new IAMClient(destination ?? {});
    this.#lambda = new LambdaClient(source ?? {});
    this.#events = new EventBridgeClient(source ?? {});
    this.#sender = running.local.outputs.senderFunctionName;
  }

  async #policy() {
    const { PolicyNames = [] } = await this.#iam.send(new ListRolePoliciesCommand({ RoleName: RECEIVER }));
    return { RoleName: RECEIVER, PolicyName: PolicyNames[0] };
  }

  async #mapping() {
    const command = new ListEventSourceMappingsCommand({ FunctionName: this.#sender });
    return (await this.#lambda.send(command)).EventSourceMappings?.[0];
  }

  async read() {
    const { s3, bucket: Bucket } = this.running.destination;
    const secret = await this.#ssm.send(new GetParameterCommand({ Name: SECRET, WithDecryption: true }));
    const sender = await this.#lambda.send(new GetFunctionCommand({ FunctionName: this.#sender }));
    return {
      secret: secret.Parameter?.Value,
      policy: (await this.#iam.send(new GetRolePolicyCommand(await this.#policy()))).PolicyDocument,
      reserved: sender.Concurrency?.ReservedConcurrentExecutions,
      isMapped: /^Enabl/.test((await this.#mapping())?.State ?? ""),
      rule: (await this.#events.send(new DescribeRuleCommand({ Name: RULE }))).State,
      versioning: (await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status,
    };
  }

  async breakAll(): Promise<void> {
    const Value = "b3RoZXItc2VjcmV0LW9mLXRoZS1kZXN0aW5hdGlvbg==";
    await this.#ssm.send(new PutParameterCommand({ Name: SECRET, Type: "SecureString", Value, Overwrite: true }));
    const PolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
    });
    await this.#iam.send(new PutRolePolicyCommand({ ...(await this.#policy()), PolicyDocument }));
    await this.#lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: this.#sender, ReservedConcurrentExecutions: 0 }));
    await this.#lambda.send(new UpdateEventSourceMappingCommand({ UUID: (await this.#mapping())?.UUID, Enabled: false }));
    await this.#events.send(new DisableRuleCommand({ Name: RULE }));
    await deleteBucket(this.running.destination);
  }

  async deleteReceiver(): Promise<void> {
    const lambda = new LambdaClient(clientConfig(this.running.destination.cloud));
    await lambda.send(new DeleteFunctionCommand({ FunctionName: RECEIVER }));
    lambda.destroy();
  }

  close(): void {
    for (const client of [this.#ssm, this.#iam, this.#lambda, this.#events]) client.destroy();
  }
}

onStack("a secret, a policy, limits, schedules, a bucket and a function come back as they were", async (running) => {
  const settings = new Settings(running);
  const before = await settings.read();
  await settings.breakAll();
  await settings.deleteReceiver();
  const changes = await running.local.redeploy();
  expect(await settings.read()).toEqual(before);
  // The secret, the policy, the sender, the mapping and the schedule; the bucket with its settings, and the receiver.
  expect(changes).toMatchObject({ update: expect.any(Number), create: expect.any(Number) });
  settings.close();
  await put(running.source, "again", "1");
  await eventually(async () => expect(await look(running.destination, "again")).toMatchObject({ sizeBytes: 1 }), {
    deadlineMs: 60_000,
    what: "the bridge works again",
  });
  expect(await running.local.preview()).toEqual({ same: expect.any(Number) });
});
