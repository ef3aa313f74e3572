/**
 * `doctor` on a stack in the local clouds of AWS: nothing while it is in order; then each fault is planted by a call to the cloud, must be found alone,
 * and is mended again.
 */
import { APIGatewayClient, DeleteRestApiCommand, GetRestApiCommand, UpdateRestApiCommand } from "@aws-sdk/client-api-gateway";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  DeleteFunctionConcurrencyCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import {
  DeleteBucketCommand,
  GetBucketEncryptionCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketPolicyCommand,
  PutBucketEncryptionCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig } from "../../local/aws/client-config";
import { apiIdIn } from "../../operator/doctor/checks/receiver";
import { paste } from "./support/aws-command";
import { type Diagnosis, diagnose } from "./support/doctor";
import { type TestStack, testOnOwnStack } from "./support/stack";

const onStack = testOnOwnStack();

const look = ({ local }: TestStack) => diagnose(local, "dev");

onStack("in order: no finding, and every check was made but those that a local cloud cannot have", async (running) => {
  const { exitCode, found, unchecked, unavailable, passed } = await look(running);
  expect({ exitCode, found, unchecked }).toEqual({ exitCode: 0, found: [], unchecked: [] });
  expect(unavailable).toEqual(["allowlist (destination): the local clouds are on loopback"]);
  expect(passed).toBeGreaterThan(20);
});

interface Fault {
  name: string;
  /** Plants it. @returns what mends it */
  plant(running: TestStack): Promise<() => Promise<unknown>>;
  found: RegExp;
}

const notificationOf = async ({ source: { s3, bucket: Bucket } }: TestStack) => {
  const { $metadata: _, ...configuration } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
  return configuration;
};
const notify = ({ source: { s3, bucket: Bucket } }: TestStack, NotificationConfiguration: object) =>
  s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));

/** Clients of one cloud, closed after the work. */
async function using<C extends { destroy(): void }, T>(client: C, work: (client: C) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
const lambdaAt = <T>({ source }: TestStack, work: (client: LambdaClient) => Promise<T>) =>
  using(new LambdaClient(clientConfig(source.cloud)), work);

const FAULTS: Fault[] = [
  {
    name: "suspended versioning",
    async plant({ destination: { s3, bucket: Bucket } }) {
      const put = (Status: "Suspended" | "Enabled") =>
        s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
      await put("Suspended");
      return () => put("Enabled");
    },
    found: /^versioning \(destination\): .* versioning is Suspended$/,
  },
  {
    name: "a bucket key that the settings do not name",
    async plant({ source: { s3, bucket: Bucket, cloud } }) {
      const { ServerSideEncryptionConfiguration: before } = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
      const key = await using(new KMSClient(clientConfig(cloud)), (kms) => kms.send(new CreateKeyCommand({})));
      const by = { SSEAlgorithm: "aws:kms", KMSMasterKeyID: key.KeyMetadata?.Arn } as const;
      const ServerSideEncryptionConfiguration = { Rules: [{ ApplyServerSideEncryptionByDefault: by }] };
      await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration }));
      return () => s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: before }));
    },
    found: /^encryption \(source\): .* encrypts with the key arn:aws:kms:.*, and the settings name no key$/,
  },
  {
    name: "a bucket policy for one VPC",
    async plant({ source: { s3, bucket: Bucket } }) {
      const { Policy: before = "" } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
      const policy = JSON.parse(before) as { Statement: object[] };
      const Deny = {
        ...{ Sid: "OurNetwork", Effect: "Deny", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` },
        Condition: { StringNotEquals: { "aws:SourceVpce": "vpce-1" } },
      };
      const put = (text: string) => s3.send(new PutBucketPolicyCommand({ Bucket, Policy: text }));
      await put(JSON.stringify({ ...policy, Statement: [...policy.Statement, Deny] }));
      return () => put(before);
    },
    found: /^bucket-policy \(source\): the Deny OurNetwork .* denies the bridge s3:GetObject$/,
  },
  {
    name: "a removed notification",
    async plant(running) {
      const before = await notificationOf(running);
      await notify(running, {});
      return () => notify(running, before);
    },
    found: /^notification \(source\): .* send nothing to crossborderbridge-dev-queue$/,
  },
  {
    name: "a notification of another program",
    async plant(running) {
      const { sqs } = running;
      const before = await notificationOf(running);
      const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "thumbnails" }));
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] });
      const QueueArn = (await sqs.send(command)).Attributes?.QueueArn ?? "";
      const Statement = [
        { Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sqs:SendMessage", Resource: QueueArn },
      ];
      const Attributes = { Policy: JSON.stringify({ Version: "2012-10-17", Statement }) };
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
      const other = { Id: "thumbnails", QueueArn, Events: ["s3:ObjectRestore:Post"] };
      await notify(running, { ...before, QueueConfigurations: [...(before.QueueConfigurations ?? []), other] });
      return async () => {
        await notify(running, before);
        await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      };
    },
    found: /^notification \(source\): .* also has the notifications thumbnails /,
  },
  {
    name: "a queue that S3 may not send to",
    async plant({ sqs, local }) {
      const QueueUrl = local.outputs.queueUrl ?? "";
      const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["Policy"] }));
      const put = (Policy: string) => sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
      const { Statement = [] } = JSON.parse(Attributes.Policy ?? "{}") as { Statement?: { Effect: string }[] };
      await put(JSON.stringify({ Version: "2012-10-17", Statement: Statement.filter(({ Effect }) => Effect === "Deny") }));
      return () => put(Attributes.Policy ?? "");
    },
    found: /^queues \(source\): the policy of the work queue does not let S3 send the events of bridge-dev-global$/,
  },
  {
    name: "a mapping that is switched off",
    plant: (running) =>
      lambdaAt(running, async (lambda) => {
        const FunctionName = running.local.outputs.senderFunctionName;
        const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName }));
        const { UUID } = EventSourceMappings[0] ?? {};
        const put = (Enabled: boolean) => (client: LambdaClient) =>
          client.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }));
        await put(false)(lambda);
        return () => lambdaAt(running, put(true));
      }),
    found: /^paused \(source\): the bridge is paused: switched off are the queue crossborderbridge-dev-queue$/,
  },
  {
    name: "a sender that is switched off",
    plant: (running) =>
      lambdaAt(running, async (lambda) => {
        const FunctionName = running.local.outputs.senderFunctionName;
        await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
        return () => lambdaAt(running, (client) => client.send(new DeleteFunctionConcurrencyCommand({ FunctionName })));
      }),
    found: /^functions \(source\): the sender crossborderbridge-dev-sender is switched off/,
  },
  {
    name: "secrets that differ",
    plant: ({ source: { cloud } }) =>
      using(new SSMClient(clientConfig(cloud)), async (ssm) => {
        const Name = "/crossborderbridge/dev/source/token";
        const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
        const put = (Value: string) => (client: SSMClient) =>
          client.send(new PutParameterCommand({ Name, Value, Type: "SecureString", Overwrite: true }));
        await put(Buffer.alloc(32, 9).toString("base64"))(ssm);
        return () => using(new SSMClient(clientConfig(cloud)), put(Parameter?.Value ?? ""));
      }),
    found: /^same-secret \(destination\): the signing secrets of the source and the destination differ$/,
  },
  {
    name: "an address that was added to the deployed allowlist by hand",
    plant: ({ destination: { cloud }, local }) =>
      using(new APIGatewayClient(clientConfig(cloud)), async (gateway) => {
        const restApiId = apiIdIn(local.outputs.receiverUrl);
        const { policy = "" } = await gateway.send(new GetRestApiCommand({ restApiId }));
        const before = JSON.parse(policy.startsWith("{\\") ? JSON.parse(`"${policy}"`) : policy) as object;
        const put = (text: string) => (client: APIGatewayClient) =>
          client.send(
            new UpdateRestApiCommand({ restApiId, patchOperations: [{ op: "replace", path: "/policy", value: text }] }),
          );
        await put(JSON.stringify(before).replaceAll("127.0.0.1/32", "127.0.0.1/8"))(gateway);
        return () => using(new APIGatewayClient(clientConfig(cloud)), put(JSON.stringify(before)));
      }),
    found: /^allowlist-deployed \(destination\): allowedCidrs has 127.0.0.1\/32, and the deployed allowlist does not$/,
  },
];

for (const { name, plant, found } of FAULTS)
  onStack(name, async (running) => {
    const mend = await plant(running);
    try {
      const diagnosis = await look(running);
      expect(new Set(diagnosis.found.map((text) => text.replace(/:.*/s, ""))).size).toBe(1);
      expect(diagnosis.found[0]).toMatch(found);
      expect(diagnosis.exitCode).toBe(1);
      await pasteFixes(running, diagnosis, found);
    } finally {
      await mend();
    }
  });

/** Runs the printed commands of `aws` as an operator pastes them. They must mend the fault, and show no secret. */
async function pasteFixes(running: TestStack, { fixes }: Diagnosis, fault: RegExp): Promise<void> {
  const commands = fixes.filter(({ fix }) => /^aws /.test(fix) && !/<\w+>/.test(fix));
  if (commands.length === 0) return;
  for (const { side, fix } of commands) expect(await paste(fix, running[side].cloud)).toMatchObject({ exitCode: 0 });
  expect((await look(running)).found.filter((text) => fault.test(text))).toEqual([]);
}

onStack("a secret in clear text is encrypted in one step, and no command line shows it", async (running) => {
  const { cloud } = running.source;
  await using(new SSMClient(clientConfig(cloud)), async (ssm) => {
    const Name = "/crossborderbridge/dev/source/token";
    const read = async () => (await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter;
    const Value = (await read())?.Value ?? "";
    await ssm.send(new PutParameterCommand({ Name, Value, Type: "String", Overwrite: true }));
    const { found, fixes } = await look(running);
    expect(found).toEqual([`secret (source): the parameter ${Name} is no SecureString: its value is stored in clear`]);
    const [{ fix } = { fix: "" }] = fixes;

    // Somebody reads it all the time, as the functions do.
    let isOver = false;
    const seen = new Set<string | undefined>();
    const reading = (async () => {
      while (!isOver) seen.add((await read())?.Value);
    })();
    const ran = await paste(fix, cloud);
    isOver = true;
    await reading;
    expect(ran.exitCode).toBe(0);
    expect(ran.commandLines.join("\n")).toContain("ssm put-parameter");
    expect(ran.commandLines.join("\n")).not.toContain(Value);
    expect([...seen]).toEqual([Value]);
    expect(await read()).toMatchObject({ Type: "SecureString", Value });
  });
});

onStack("all faults are mended: no finding", async (running) => {
  expect(await look(running)).toMatchObject({ exitCode: 0, found: [], unchecked: [] });
});

describe("faults that are not mended, so each finds one more", () => {
  onStack("a deleted dead-letter queue", async (running) => {
    await running.sqs.send(new DeleteQueueCommand({ QueueUrl: running.local.outputs.deadLetterQueueUrl }));
    expect((await look(running)).found).toEqual([
      "queues (source): the dead-letter queue crossborderbridge-dev-dead-letters is gone",
    ]);
  });

  onStack("a receiver whose API is gone", async (running) => {
    const restApiId = apiIdIn(running.local.outputs.receiverUrl);
    await using(new APIGatewayClient(clientConfig(running.destination.cloud)), (gateway) =>
      gateway.send(new DeleteRestApiCommand({ restApiId })),
    );
    expect((await look(running)).found).toContainEqual(
      expect.stringMatching(/^receiver \(destination\): nothing is deployed at https:/),
    );
  });

  onStack("a deleted bucket", async (running) => {
    const { s3, bucket: Bucket } = running.destination;
    await s3.send(new DeleteBucketCommand({ Bucket }));
    expect((await look(running)).found).toContainEqual(
      "bucket (destination): the bucket bridge-dev-china (aws-cn, cn-north-1) is gone",
    );
  });

  onStack("a side that cannot be reached", async (running) => {
    await running.destination.cloud.kill();
    const { found, unchecked, exitCode } = await look(running);
    expect(found).toContainEqual(expect.stringMatching(/^reachable \(destination\): no connection to \S+ \(ECONNREFUSED\)$/));
    expect(unchecked).toContainEqual("credentials (destination): first mend: reachable");
    expect(exitCode).toBe(1);
  });
});
