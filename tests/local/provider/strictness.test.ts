/** Rules of AWS that the provider enforces and the emulator does not, on a running emulator. */
import { GetRestApiCommand } from "@aws-sdk/client-api-gateway";
import { GetRoleCommand } from "@aws-sdk/client-iam";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { type LocalAws, startLocalAws } from "../../../local/aws/local-aws";
import { makeClients } from "../../../local/provider/aws/clients";
import type { AwsContext } from "../../../local/provider/aws/context";
import { awsPackage } from "../../../local/provider/aws-provider";
import { Session } from "../../../local/provider/session";
import type { Properties } from "../../../local/provider/values";

let local: LocalAws;
let session: Session<AwsContext>;

beforeAll(async () => {
  local = await startLocalAws();
  const pack = awsPackage({ partitions: local });
  session = new Session(pack, await pack.configure({ region: "cn-north-1" }));
}, 300_000);

afterAll(() => local.stop());

const BUCKET = "aws:s3/bucket:Bucket";
const trust = (service: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  });
const code = { kind: "archive", hash: "h", assets: { "index.js": { kind: "asset", hash: "h", text: "exports.handler = 1" } } };

async function makeRole(name: string, service = "lambda.amazonaws.com"): Promise<Properties> {
  return (await session.create("aws:iam/role:Role", { name, assumeRolePolicy: trust(service) })).outputs;
}

async function makeFunction(name: string, role: unknown, timeout: number): Promise<Properties> {
  const inputs = { name, role, code, handler: "index.handler", runtime: "nodejs22.x", timeout };
  return (await session.create("aws:lambda/function:Function", inputs)).outputs;
}

test("an existing bucket is not adopted", async () => {
  await session.create(BUCKET, { bucket: "taken" });
  await expect(session.create(BUCKET, { bucket: "taken" })).rejects.toThrow(/the bucket taken is there already: adopt it/);
});

test("a bucket with objects is deleted only with forceDestroy, with its versions and delete markers", async () => {
  const { s3 } = makeClients(local["aws-cn"], "cn-north-1");
  await session.create(BUCKET, { bucket: "full" });
  const versioning = { bucket: "full", versioningConfiguration: { status: "Enabled" } };
  await session.create("aws:s3/bucketVersioning:BucketVersioning", versioning);
  for (const Body of ["1", "2"]) await s3.send(new PutObjectCommand({ Bucket: "full", Key: "a b+c", Body }));
  await expect(session.delete(BUCKET, "full", { bucket: "full" })).rejects.toThrow(/not empty/i);
  await session.delete(BUCKET, "full", { bucket: "full", forceDestroy: true });
  expect(await session.read(BUCKET, "full", { bucket: "full" }, {})).toBeUndefined();
});

test("Lambda must be able to assume the role of a function", async () => {
  const role = await makeRole("edge", "apigateway.amazonaws.com");
  await expect(makeFunction("edge", role.arn, 3)).rejects.toThrow(
    /cannot be assumed by Lambda: the trust policy of arn:.*role\/edge/,
  );
});

describe("an event source mapping", () => {
  const MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping";
  let queue: Properties;
  let role: Properties;

  beforeAll(async () => {
    queue = (await session.create("aws:sqs/queue:Queue", { name: "events", visibilityTimeoutSeconds: 20 })).outputs;
    role = await makeRole("poller");
  });

  test("needs a visibility timeout of at least the function's timeout", async () => {
    await makeFunction("slow", role.arn, 21);
    const mapping = session.create(MAPPING, { functionName: "slow", eventSourceArn: queue.arn });
    await expect(mapping).rejects.toThrow(/visibility timeout: 20 seconds is less than Function timeout: 21 seconds/);
  });

  test("needs a role that may read the queue", async () => {
    await makeFunction("poller", role.arn, 20);
    const inputs = { functionName: "poller", eventSourceArn: queue.arn };
    await expect(session.create(MAPPING, inputs)).rejects.toThrow(/must be allowed sqs:ReceiveMessage/);

    const policyOf = (Action: string[]) => ({
      name: "read",
      role: "poller",
      policy: JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: queue.arn }] }),
    });
    const two = ["sqs:ReceiveMessage", "sqs:DeleteMessage"];
    await session.create("aws:iam/rolePolicy:RolePolicy", policyOf(two));
    await expect(session.create(MAPPING, inputs)).rejects.toThrow(/must be allowed sqs:GetQueueAttributes/);

    const all = policyOf([...two, "sqs:GetQueueAttributes"]);
    await session.update("aws:iam/rolePolicy:RolePolicy", "poller:read", { news: all, olds: policyOf(two), outputs: {} });
    const { outputs } = await session.create(MAPPING, inputs);
    expect(outputs.functionArn).toBe("arn:aws-cn:lambda:cn-north-1:222222222222:function:poller");
  });
});

describe("a deployment of a REST API", () => {
  const DEPLOYMENT = "aws:apigateway/deployment:Deployment";
  const POLICY = "aws:apigateway/restApiPolicy:RestApiPolicy";
  const policyFor = (cidr: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: "*",
          Action: "execute-api:Invoke",
          Resource: "*",
          Condition: { IpAddress: { "aws:SourceIp": cidr } },
        },
      ],
    });
  const inputs = (api: string) => ({ restApi: api });
  let api: string;

  beforeAll(async () => {
    const endpointConfiguration = { types: "REGIONAL" };
    const made = await session.create("aws:apigateway/restApi:RestApi", { name: "api", endpointConfiguration });
    api = made.id;
    await expect(session.create(DEPLOYMENT, inputs(api))).rejects.toThrow(/doesn't contain any methods/);
    const place = { restApi: api, resourceId: made.outputs.rootResourceId, httpMethod: "POST" };
    await session.create("aws:apigateway/method:Method", { ...place, authorization: "NONE" });
    await expect(session.create(DEPLOYMENT, inputs(api))).rejects.toThrow(/No integration defined for POST \//);
    await session.create("aws:apigateway/integration:Integration", { ...place, type: "MOCK" });
    await session.create(POLICY, { restApiId: api, policy: policyFor("192.0.2.0/24") });
  });

  test("must change with the API's policy", async () => {
    const { id, outputs } = await session.create(DEPLOYMENT, inputs(api));
    await expect(session.diff(DEPLOYMENT, id, { olds: inputs(api), news: inputs(api), outputs })).resolves.toMatchObject({
      changed: [],
    });

    const [olds, news] = ["192.0.2.0/24", "198.51.100.0/24"].map((cidr) => ({ restApiId: api, policy: policyFor(cidr) }));
    await session.update(POLICY, api, { news: news as Properties, olds: olds as Properties, outputs: {} });
    const live = await makeClients(local["aws-cn"], "cn-north-1").apigateway.send(new GetRestApiCommand({ restApiId: api }));
    expect(live.policy).toContain("198.51.100.0/24");

    const unchanged = session.diff(DEPLOYMENT, id, { olds: inputs(api), news: inputs(api), outputs });
    await expect(unchanged).rejects.toThrow(/changed .*but its deployment .* did not/);
    const triggered = { ...inputs(api), triggers: { policy: "2" } };
    await expect(session.diff(DEPLOYMENT, id, { olds: inputs(api), news: triggered, outputs })).resolves.toMatchObject({
      replaces: ["triggers"],
    });
  });
});

describe("a policy that names an identity as its Principal", () => {
  const API_REFUSAL = /Invalid policy document\. Please check the policy syntax and ensure that Principals are valid/;
  const PROPAGATION_MS = 3000;
  const account = "arn:aws-cn:iam::222222222222";
  const granted = (AWS: string, Action: string, Resource: string) =>
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS }, Action, Resource }] });
  let slow: Session<AwsContext>;
  let restApiId: string;
  const apiPolicy = (identity: string) =>
    slow.create("aws:apigateway/restApiPolicy:RestApiPolicy", {
      restApiId,
      policy: granted(identity, "execute-api:Invoke", "*"),
    });
  const bucketPolicy = (identity: string) =>
    slow.create("aws:s3/bucketPolicy:BucketPolicy", {
      bucket: "for-roles",
      policy: granted(identity, "s3:GetObject", "arn:aws-cn:s3:::for-roles/*"),
    });

  beforeAll(async () => {
    const pack = awsPackage({ partitions: local, propagationMs: PROPAGATION_MS });
    slow = new Session(pack, await pack.configure({ region: "cn-north-1" }));
    await slow.create(BUCKET, { bucket: "for-roles" });
    ({ id: restApiId } = await slow.create("aws:apigateway/restApi:RestApi", {
      name: "for-users",
      endpointConfiguration: { types: "REGIONAL" },
    }));
  });

  test("is refused when the identity does not exist", async () => {
    await expect(apiPolicy(`${account}:user/nobody`)).rejects.toThrow(API_REFUSAL);
    await expect(bucketPolicy(`${account}:role/nobody`)).rejects.toThrow(/MalformedPolicy: Invalid principal in policy/);
  });

  test("is refused by API Gateway when the identity was made just before, and the provider does not try again", async () => {
    await slow.create("aws:iam/user:User", { name: "newcomer" });
    await expect(apiPolicy(`${account}:user/newcomer`)).rejects.toThrow(API_REFUSAL);
    await expect(apiPolicy(`${account}:root`)).resolves.toMatchObject({ id: restApiId });
  });

  test("is tried again until S3 knows the identity", async () => {
    const role = await makeRole("fresh");
    await bucketPolicy(String(role.arn));
    const { Role } = await makeClients(local["aws-cn"], "cn-north-1").iam.send(new GetRoleCommand({ RoleName: "fresh" }));
    expect(Date.now() - Number(Role?.CreateDate)).toBeGreaterThanOrEqual(PROPAGATION_MS);
  });
});

test("another account than the local one is refused", async () => {
  const pack = awsPackage({ partitions: local });
  await expect(pack.configure({ region: "us-east-1", allowedAccountIds: ["444455556666"] })).rejects.toThrow(
    /account 111111111111 of the local aws is not among allowedAccountIds: 444455556666/,
  );
});
