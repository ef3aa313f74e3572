/**
 * Policies, notifications and replication rules are written as a whole. A command of the doctor that writes one keeps everything in it that is not
 * the bridge's own.
 */
import { delegation, keyPolicy, OWN_RULE, QUEUE_ARN, replicationTo } from "./fake-aws";
import type { Answer } from "./fake-cloud";
import { refusal } from "./fake-cloud";
import { type Aws, source } from "./fault";
import { beforeUp, closeClinic, examine, KEY, nativeClinic, pullClinic } from "./fixture";

let clinic: Aws | undefined;
afterEach(async () => {
  if (clinic !== undefined) await closeClinic(clinic);
});

/** The JSON after a flag of a command, as a shell reads it. */
function jsonAfter(flag: string, command: string): Record<string, unknown> {
  const quoted = new RegExp(`--${flag} '((?:[^']|'\\\\'')*)'`).exec(command)?.[1] ?? "";
  return JSON.parse(quoted.replaceAll("'\\''", "'")) as Record<string, unknown>;
}

async function fixesOf(check: string): Promise<string[]> {
  const { findings } = await examine(clinic as Aws);
  return findings.filter((one) => one.check === check).map(({ fix }) => fix);
}

const policyOf = (...Statement: object[]): Answer => ({ body: { Version: "2012-10-17", Id: "ours", Statement } });
const deny = (Sid: string, Condition: object) => ({
  ...{ Sid, Effect: "Deny", Principal: "*", Action: "s3:*", Condition },
  Resource: ["arn:aws:s3:::from-here", "arn:aws:s3:::from-here/*"],
});
const ALLOW = {
  ...{ Sid: "Partner", Effect: "Allow", Principal: { AWS: "arn:aws:iam::999999999999:root" }, Action: "s3:GetObject" },
  Resource: "arn:aws:s3:::from-here/o'clock/*",
};
const SENDER = "arn:aws:iam::111111111111:role/crossborderbridge-prod-sender";

test("a bucket policy with two Denys: one command exempts the sender from both, and keeps who was exempt before", async () => {
  clinic = await pullClinic();
  const network = deny("Network", {
    NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" },
    ArnNotLike: { "aws:principalarn": "arn:aws:iam::111111111111:role/backup" },
  });
  const endpoint = deny("Endpoint", { StringNotEquals: { "aws:SourceVpce": "vpce-1" } });
  clinic.source.answers["bucket:policy"] = policyOf(network, ALLOW, endpoint);
  const fixes = await fixesOf("bucket-policy");
  expect(fixes).toHaveLength(2);
  expect(new Set(fixes).size).toBe(1);
  expect(jsonAfter("policy", fixes[0] ?? "")).toEqual({
    ...{ Version: "2012-10-17", Id: "ours" },
    Statement: [
      {
        ...network,
        Condition: {
          ...network.Condition,
          ArnNotLike: { "aws:principalarn": ["arn:aws:iam::111111111111:role/backup", SENDER] },
        },
      },
      ALLOW,
      { ...endpoint, Condition: { ...endpoint.Condition, ArnNotLike: { "aws:PrincipalArn": [SENDER] } } },
    ],
  });
});

test("a policy that denies and lacks the replication: the commands of both findings are one and the same", async () => {
  clinic = await nativeClinic();
  const denying = {
    ...deny("Endpoint", { StringNotEquals: { "aws:SourceVpce": "vpce-1" } }),
    Resource: "arn:aws:s3:::to-there/*",
  };
  clinic.destination.answers["bucket:policy"] = policyOf(denying, ALLOW);
  const fixes = [...(await fixesOf("bucket-policy")), ...(await fixesOf("replication-policy"))];
  expect(fixes).toHaveLength(2);
  expect(new Set(fixes).size).toBe(1);
  const { Statement } = jsonAfter("policy", fixes[0] ?? "");
  expect((Statement as { Sid: string }[]).map(({ Sid }) => Sid)).toEqual(["Endpoint", "Partner", "CrossBorderBridgeReplicates"]);
});

test("a key that another bridge uses: its statement of the same id stays", async () => {
  clinic = await pullClinic();
  const other = {
    ...{ Sid: "CrossBorderBridgeReads", Effect: "Allow", Action: ["kms:Decrypt"], Resource: KEY },
    Principal: { AWS: ["arn:aws:iam::111111111111:role/crossborderbridge-other-sender"] },
  };
  const administrators = { ...delegation("111111111111"), Action: "kms:Describe*" };
  clinic.source.answers.GetKeyPolicy = keyPolicy(administrators, other);
  const [fix = ""] = await fixesOf("kms-policy");
  expect(jsonAfter("policy", fix)).toEqual({
    Version: "2012-10-17",
    Statement: [administrators, other, { ...other, Sid: "CrossBorderBridgeReads2", Principal: { AWS: [SENDER] }, Resource: KEY }],
  });
});

/** Rules of others for a topic, a function and EventBridge. */
const OTHERS = `
  <TopicConfiguration><Id>news</Id><Topic>arn:aws:sns:us-east-1:111111111111:news</Topic><Event>s3:ObjectRemoved:*</Event></TopicConfiguration>
  <CloudFunctionConfiguration><Id>scan</Id><CloudFunction>arn:aws:lambda:us-east-1:111111111111:function:scan</CloudFunction><Event>s3:ObjectCreated:*</Event>
    <Filter><S3Key><FilterRule><Name>prefix</Name><Value>in/</Value></FilterRule></S3Key></Filter></CloudFunctionConfiguration>
  <EventBridgeConfiguration/>`;
const notificationsOf = (inner: string): Answer => ({
  body: `<?xml version="1.0" encoding="UTF-8"?><NotificationConfiguration>${inner}</NotificationConfiguration>`,
});
const NEWS = expect.objectContaining({ Id: "news", TopicArn: "arn:aws:sns:us-east-1:111111111111:news" }) as object;
const SCAN = expect.objectContaining({
  ...{ Id: "scan", LambdaFunctionArn: "arn:aws:lambda:us-east-1:111111111111:function:scan" },
  Filter: { Key: { FilterRules: [{ Name: "prefix", Value: "in/" }] } },
}) as object;

test("an adopted bucket: the bridge's rule comes to those of others, in the place of an older one of its own", async () => {
  clinic = await pullClinic();
  source(clinic).adopt = true;
  const older = `<QueueConfiguration><Id>by-hand</Id><Queue>${QUEUE_ARN}</Queue><Event>s3:ObjectCreated:Put</Event></QueueConfiguration>`;
  const foreign = `<QueueConfiguration><Id>thumbnails</Id><Queue>arn:aws:sqs:us-east-1:111111111111:thumbnails</Queue><Event>s3:ObjectRestore:Post</Event></QueueConfiguration>`;
  clinic.source.answers["bucket:notification"] = notificationsOf(OTHERS + older + foreign);
  const own = { Id: OWN_RULE.id, QueueArn: QUEUE_ARN, Events: [...OWN_RULE.events] };
  Object.assign(clinic.outputs ?? {}, { requiredNotification: JSON.stringify({ QueueConfigurations: [own] }) });
  const [fix = ""] = await fixesOf("notification");
  expect(jsonAfter("notification-configuration", fix)).toEqual({
    TopicConfigurations: [NEWS],
    QueueConfigurations: [expect.objectContaining({ Id: "thumbnails" }), own],
    LambdaFunctionConfigurations: [SCAN],
    EventBridgeConfiguration: {},
  });
});

test("before a deployment, a rule in the way: EventBridge is added, and no rule is removed", async () => {
  clinic = beforeUp(await pullClinic());
  clinic.source.answers["bucket:notification"] = notificationsOf(OTHERS.replace("<EventBridgeConfiguration/>", ""));
  const fixes = await fixesOf("notification-conflict");
  expect(fixes).toHaveLength(2);
  for (const fix of fixes) {
    expect(jsonAfter("notification-configuration", fix)).toEqual({
      ...{ TopicConfigurations: [NEWS], LambdaFunctionConfigurations: [SCAN] },
      EventBridgeConfiguration: {},
    });
    expect(fix).toMatch(/\n# then make a rule of EventBridge for each of them/);
  }
});

test("a replication configuration without the bridge's rule: what a deployment removes is said", async () => {
  clinic = await nativeClinic();
  clinic.source.answers["bucket:replication"] = replicationTo({ id: "backup", status: "Enabled", bucket: "elsewhere" });
  expect(await fixesOf("replication")).toEqual([
    "move the rules backup into replication.rules, or this removes them: pulumi up --refresh --stack prod",
  ]);
  clinic.source.answers["bucket:replication"] = refusal(404, "ReplicationConfigurationNotFoundError");
  expect(await fixesOf("replication")).toEqual(["pulumi up --refresh --stack prod"]);
});

test("disabled rules are enabled, and those of others stay as they are", async () => {
  clinic = await nativeClinic();
  clinic.source.answers["bucket:replication"] = replicationTo(
    { id: "bridge", status: "Disabled", bucket: "to-there" },
    { id: "backup", status: "Disabled", bucket: "elsewhere" },
  );
  const [fix = ""] = await fixesOf("replication");
  const { Role, Rules } = jsonAfter("replication-configuration", fix) as {
    Role: string;
    Rules: { ID: string; Status: string }[];
  };
  expect(Role).toBe("arn:aws:iam::111111111111:role/replication");
  expect(Rules.map(({ ID, Status }) => `${ID} ${Status}`)).toEqual(["bridge Enabled", "backup Disabled"]);
});
