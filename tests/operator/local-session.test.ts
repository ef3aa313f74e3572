/** The file that `npm start` writes and the operator's command reads. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeOperatorFile } from "../../local/cli/operator-file";
import type { LocalStack } from "../../local/local-stack";
import { onlyLocalStack, readLocalSession } from "../../operator/local-session";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "operator-"));
  await writeFile(join(folder, "ca.pem"), "the certificate");
});
afterEach(() => rm(folder, { recursive: true }));

type Clouds = Partial<Record<"aws" | "aws-cn" | "alicloud", unknown>>;

const partition = (accountId: string) => ({
  endpoint: `https://127.0.0.1:${accountId.slice(0, 4)}`,
  // The SDK adds `$source`. The session file leaves it out.
  credentials: { accessKeyId: accountId, secretAccessKey: "test", $source: { CREDENTIALS_CODE: "e" } },
});
const aws = { aws: partition("111111111111"), "aws-cn": partition("222222222222") };
const alicloud = {
  endpoints: {
    "oss-cn-shanghai.aliyuncs.com": "https://127.0.0.1:7000",
    "cn-shanghai.log.aliyuncs.com": "https://127.0.0.1:7001",
  },
  ram: { root: { accessKeyId: "LTAI", accessKeySecret: "hidden" } },
};

function running(clouds: Clouds, destination: object): LocalStack {
  return {
    clouds: { ...clouds, has: (name: string) => name in clouds, caPath: join(folder, "ca.pem") },
    outputs: { sourceBucket: "from-here", destinationBucket: "to-there", deadLetterQueueUrl: "https://127.0.0.1:1/q" },
    settings: {
      "crossborderbridge:source": { cloud: "aws", region: "eu-west-1", bucket: "from-here" },
      "crossborderbridge:destination": { bucket: "to-there", ...destination },
      "crossborderbridge:allowedCidrs": ["127.0.0.1/32"],
    },
  } as unknown as LocalStack;
}

const CHINA = { cloud: "aws-cn", region: "cn-north-1" };

test("opens a stack in both partitions", async () => {
  await writeOperatorFile("dev", running(aws, CHINA), folder);
  const { stack, config, outputs, access } = await readLocalSession("dev", folder);
  expect({ stack, mode: config.mode, bucket: outputs.destinationBucket }).toEqual({
    stack: "dev",
    mode: "pull",
    bucket: "to-there",
  });
  const ca = "the certificate";
  expect(access).toEqual({
    source: {
      cloud: "aws",
      region: "eu-west-1",
      ca,
      endpoint: "https://127.0.0.1:1111",
      credentials: { accessKeyId: "111111111111", secretAccessKey: "test" },
    },
    destination: {
      cloud: "aws-cn",
      region: "cn-north-1",
      ca,
      endpoint: "https://127.0.0.1:2222",
      credentials: { accessKeyId: "222222222222", secretAccessKey: "test" },
    },
  });
});

test("a side in Alibaba Cloud reaches only hosts on this machine", async () => {
  await writeOperatorFile("dev", running({ ...aws, alicloud }, { cloud: "alicloud", region: "cn-shanghai" }), folder);
  const { access } = await readLocalSession("dev", folder);
  const { destination } = access;
  if (destination.cloud !== "alicloud") throw new Error("the destination is in Alibaba Cloud");
  expect(await destination.credentials()).toEqual({ accessKeyId: "LTAI", accessKeySecret: "hidden" });
  expect(destination.originOf("oss-cn-shanghai.aliyuncs.com")).toBe("https://127.0.0.1:7000");
  expect(destination.originOf("bridge-dev-source-1.cn-shanghai.log.aliyuncs.com")).toBe("https://127.0.0.1:7001");
  expect(() => destination.originOf("oss-us-west-1.aliyuncs.com")).toThrow(/does not serve oss-us-west-1/);
});

test("only its owner can read the file, no draft is left, and the file is removed with the stack", async () => {
  const remove = await writeOperatorFile("dev", running(aws, CHINA), folder);
  expect((await stat(join(folder, "dev.json"))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(folder, "dev.json"), "utf8")).not.toContain("CREDENTIALS_CODE");
  expect((await readdir(folder)).sort()).toEqual(["ca.pem", "dev.json"]);
  await remove();
  expect(await readdir(folder)).toEqual(["ca.pem"]);
  await remove();
});

test("leaves another run's file alone", async () => {
  const removeFirst = await writeOperatorFile("dev", running(aws, CHINA), folder);
  await writeOperatorFile("dev", running(aws, { ...CHINA, region: "cn-northwest-1" }), folder);
  await removeFirst();
  expect((await readLocalSession("dev", folder)).config.destination.region).toBe("cn-northwest-1");
});

const NOT_RUNNING = "the stack dev does not run on this machine; start it first: npm start -- --stack dev";

test("refuses a stack that was never started", async () => {
  await expect(readLocalSession("dev", folder)).rejects.toThrow(NOT_RUNNING);
});

test("refuses a stack whose process is gone", async () => {
  await writeOperatorFile("dev", running(aws, CHINA), folder);
  const path = join(folder, "dev.json");
  // No kernel gives a process such an id.
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), pid: 2 ** 30 }));
  await expect(readLocalSession("dev", folder)).rejects.toThrow(NOT_RUNNING);
});

test.each(["", "{", '{"pid":1}'])("refuses a file of another version: %j", async (text) => {
  await writeFile(join(folder, "dev.json"), text);
  await expect(readLocalSession("dev", folder)).rejects.toThrow(/is not of this version: start the stack again/);
});

describe("the only running stack", () => {
  const NO_PROCESS = 2 ** 22 + 1;
  const write = (name: string, content: string) => writeFile(join(folder, `${name}.json`), content);

  test("is found among stacks that have ended and files of others", async () => {
    await write("dev", JSON.stringify({ pid: process.pid }));
    await write("ended", JSON.stringify({ pid: NO_PROCESS }));
    await write("broken", "{");
    expect(await onlyLocalStack(folder)).toBe("dev");
  });

  test("is an error where none runs", async () => {
    await write("ended", JSON.stringify({ pid: NO_PROCESS }));
    await expect(onlyLocalStack(folder)).rejects.toThrow("no stack runs on this machine; start one first: npm start");
    await expect(onlyLocalStack(join(folder, "none"))).rejects.toThrow("no stack runs on this machine");
  });

  test("is an error where several run", async () => {
    for (const name of ["dev", "aws-to-oss"]) await write(name, JSON.stringify({ pid: process.pid }));
    await expect(onlyLocalStack(folder)).rejects.toThrow(
      "several stacks run on this machine (aws-to-oss, dev): name one with --stack",
    );
  });
});
