import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { access, mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "node:tls";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, ListQueuesCommand, SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { ensureCertificate } from "../../../local/aws/certificate";
import { clientConfig } from "../../../local/aws/client-config";
import { type LocalAws, startLocalAws } from "../../../local/aws/local-aws";
import { installMinistack, startMinistack } from "../../../local/aws/ministack";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT, toolsDir } from "../../../local/paths";
import { isRunning } from "../../../local/run-command";

describe("the two partitions", () => {
  let local: LocalAws;

  beforeAll(async () => {
    local = await startLocalAws({ persist: true });
  }, 300_000);

  afterAll(() => local.stop());

  test("have different accounts", async () => {
    for (const [name, account] of [
      ["aws", "111111111111"],
      ["aws-cn", "222222222222"],
    ] as const) {
      const identity = await new STSClient(clientConfig(local[name])).send(new GetCallerIdentityCommand({}));
      expect(identity.Account).toBe(account);
    }
  });

  test("do not see each other's buckets and refuse each other's credentials", async () => {
    const iam = new IAMClient(clientConfig(local.aws));
    await new S3Client(clientConfig(local.aws)).send(new CreateBucketCommand({ Bucket: "only-global" }));
    const china = await new S3Client(clientConfig(local["aws-cn"])).send(new ListBucketsCommand({}));
    expect(china.Buckets ?? []).toEqual([]);

    await iam.send(new CreateUserCommand({ UserName: "traveller" }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "traveller" }));
    const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? "", secretAccessKey: AccessKey?.SecretAccessKey ?? "" };
    const abroad = new S3Client(clientConfig(local["aws-cn"], credentials));
    await expect(abroad.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: "InvalidAccessKeyId" });
  });

  test.each<[string, string, Record<string, string>, number]>([
    ["the reset of the emulator", "/_ministack/reset", {}, 403],
    ["the reset of the emulator, encoded", "/%5fministack/%72eset", {}, 403],
    ["the reset of the emulator, behind more slashes", "//_ministack/reset", {}, 403],
    ["the tools that the emulator has from another one", "/_localstack/health", {}, 403],
    ["a form of another page", "/", { origin: "https://evil.example" }, 403],
    ["a page without an origin", "/", { origin: "null" }, 403],
    ["an image of another page", "/", { "sec-fetch-site": "cross-site" }, 403],
    ["a foreign name that leads to this machine", "/_ministack/health", { host: "evil.example" }, 403],
  ])("%s is refused", async (_what, path, headers, status) => {
    const ask = (at: string, more: Record<string, string>) =>
      new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const { port, host } = new URL(local.aws.endpoint);
        const options = {
          host: "127.0.0.1",
          servername: "localhost",
          port,
          path: at,
          method: "POST",
          headers: { host, ...more },
          agent: false,
        };
        const sent = request({ ...options, ca: readFileSync(local.caPath) }, async (answer) =>
          resolve({ status: answer.statusCode, text: Buffer.concat(await answer.toArray()).toString() }),
        );
        sent.on("error", reject).end("a=b");
      });
    const answer = await ask(path, headers);
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(/not served|another host/)]);
    expect((await ask("/_ministack/health", {})).status).toBe(200);
  });

  /** The client settings of a new user who may do this and nothing else. */
  async function userWith(UserName: string, ...Action: string[]) {
    const iam = new IAMClient(clientConfig(local.aws));
    await iam.send(new CreateUserCommand({ UserName }));
    const Statement = { Effect: "Allow", Action, Resource: "*" };
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "own", PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return clientConfig(local.aws, {
      accessKeyId: AccessKey?.AccessKeyId ?? "",
      secretAccessKey: AccessKey?.SecretAccessKey ?? "",
    });
  }

  test("allow a batch of messages to a user who may send one, as SQS does, and to no other", async () => {
    const root = new SQSClient(clientConfig(local.aws));
    const { QueueUrl } = await root.send(new CreateQueueCommand({ QueueName: "batches" }));
    const send = async (userName: string, action: string) => {
      const Entries = [{ Id: "0", MessageBody: "a" }];
      const client = new SQSClient(await userWith(userName, action));
      return client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    };
    expect((await send("writer", "sqs:SendMessage")).Successful).toHaveLength(1);
    await expect(send("reader", "sqs:ReceiveMessage")).rejects.toMatchObject({ name: "AccessDenied" });
  });

  test("compare a policy with many wildcards in milliseconds", async () => {
    const s3 = new S3Client(await userWith("patterns", "s3:*"));
    const iam = new IAMClient(clientConfig(local.aws));
    const policy = (Resource: string[]) => {
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "s3:*", Resource } });
      return iam.send(new PutUserPolicyCommand({ UserName: "patterns", PolicyName: "own", PolicyDocument }));
    };
    const Bucket = "patterns";
    await new S3Client(clientConfig(local.aws)).send(new CreateBucketCommand({ Bucket }));
    const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    await policy([`arn:aws:s3:::${Bucket}/${"*a".repeat(30)}*b`]);
    const startedAt = performance.now();
    await expect(put("a".repeat(900))).rejects.toMatchObject({ name: "AccessDenied" });
    expect(performance.now() - startedAt).toBeLessThan(2000);
    await put(`${"a".repeat(900)}b`);
    await policy([`arn:aws:s3:::${Bucket}/in/*/t?p/*.txt`]);
    await put("in/x/y/top/z.txt");
    await put("in/tip/tip/tap/z.txt.txt");
    for (const key of ["in/x/top/z.tx", "in/x/tp/z.txt", "in/x/TOP/z.txt"])
      await expect(put(key)).rejects.toMatchObject({ name: "AccessDenied" });
  });

  test("keep queues across a graceful restart and objects across a crash", async () => {
    const { aws } = local;
    const [sqs, s3] = [new SQSClient(clientConfig(aws)), new S3Client(clientConfig(aws))];
    await sqs.send(new CreateQueueCommand({ QueueName: "kept" }));
    await s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    const { endpoint } = aws;
    await aws.stop();
    await aws.restart();
    expect(aws.endpoint).toBe(endpoint);
    expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls).toContainEqual(expect.stringMatching(/\/kept$/));

    await s3.send(new PutObjectCommand({ Bucket: "kept", Key: "a b", Body: "bytes" }));
    const before = aws.pid;
    await aws.kill();
    expect(isRunning(before)).toBe(false);
    await aws.restart();
    const found = await s3.send(new GetObjectCommand({ Bucket: "kept", Key: "a b" }));
    expect(await found.Body?.transformToString()).toBe("bytes");
  }, 60_000);
});

test("stop leaves neither processes nor the run's folder", async () => {
  const local = await startLocalAws();
  await local.stop();
  expect([local.aws.pid, local["aws-cn"].pid].filter(isRunning)).toEqual([]);
  await expect(access(local.runDir)).rejects.toThrow(/ENOENT/);
}, 300_000);

test("instances exit when their process crashes, and the next run removes its folder", async () => {
  const program = `
    const { startLocalAws } = require("./local/aws/local-aws");
    startLocalAws().then((local) => console.log(JSON.stringify([local.aws.pid, local["aws-cn"].pid, local.runDir])));
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "-e", program], {
    cwd: REPOSITORY_ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const [first, second, runDir] = JSON.parse(line) as [number, number, string];
  expect([first, second].every(isRunning)).toBe(true);
  child.kill("SIGKILL");
  // The instances shut down when the pipe from the process closes.
  await Promise.all([first, second].map(gone));
  const next = await startLocalAws();
  await next.stop();
  await expect(access(runDir)).rejects.toThrow(/ENOENT/);
}, 60_000);

/** Polls, because the kernel reports the exit of a process only to its parent, which has exited as well. */
async function gone(pid: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (isRunning(pid)) {
    if (Date.now() > deadline) throw new Error(`process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("a taken port is an error that names it and shows the log", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const dataDir = await mkdtemp(join(tmpdir(), "ministack-"));
  try {
    const start = startMinistack({
      installation: await installMinistack({ stateDir: toolsDir(DEFAULT_STATE_DIR) }),
      tls: await ensureCertificate(DEFAULT_STATE_DIR),
      partition: "aws",
      region: "us-east-1",
      accountId: "111111111111",
      port,
      dataDir,
    });
    await expect(start).rejects.toThrow(new RegExp(`did not start on https://127.0.0.1:${port}: .*\n[^]*ddress already in use`));
    expect(readdirSync(dataDir)).not.toContain("tmp");
  } finally {
    server.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}, 60_000);

test("the certificate names this machine only, cannot sign others, and is made once a month", async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "certificate-"));
  try {
    const now = new Date("2026-03-31T12:00:00Z");
    const [one, two] = await Promise.all([ensureCertificate(stateDir, now), ensureCertificate(stateDir, now)]);
    expect(two).toEqual(one);
    expect((await ensureCertificate(stateDir, new Date("2026-04-01T00:00:00Z"))).certPath).not.toBe(one.certPath);
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }

  const local = await startLocalAws();
  const socket = connect({ port: local.aws.port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const shown = socket.getPeerX509Certificate();
  expect(shown?.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1");
  expect(shown?.ca).toBe(false);
  socket.destroy();
  await local.stop();
}, 60_000);
