import { join } from "node:path";
import { LocalWorkspace, StackNotFoundError } from "@pulumi/pulumi/automation";
import { readDeployedStack } from "../../operator/deployed-stack";

const SETTINGS = {
  "crossborderbridge:source": { value: '{"cloud":"aws","region":"us-east-1","bucket":"from-here","profile":"global"}' },
  "crossborderbridge:destination": { value: '{"cloud":"alicloud","region":"cn-shanghai","bucket":"to-there"}' },
  "crossborderbridge:allowedCidrs": { value: '["192.0.2.0/24"]' },
  "crossborderbridge:token": { value: "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==", secret: true },
};
const OUTPUTS = {
  sourceBucket: { value: "from-here", secret: false },
  destinationBucket: { value: "to-there", secret: false },
  notices: { value: [], secret: false },
};

/** A fake of Pulumi's command that answers with these settings and outputs. */
function pulumi({ settings = async () => SETTINGS as object, outputs = async () => OUTPUTS as object } = {}) {
  const asked: unknown[] = [];
  jest.spyOn(LocalWorkspace, "create").mockImplementation(async (options) => {
    asked.push(options);
    return {
      getAllConfig(stack: string) {
        asked.push(stack);
        return settings();
      },
      stackOutputs(stack: string) {
        asked.push(stack);
        return outputs();
      },
    } as unknown as LocalWorkspace;
  });
  return asked;
}
afterEach(() => jest.restoreAllMocks());

const wanted = () => new AbortController().signal;

test("reads settings and outputs of the stack, and opens each side with its own credentials", async () => {
  const asked = pulumi();
  const { stack, config, outputs, access } = await readDeployedStack("prod", wanted());
  expect(asked).toEqual([{ workDir: join(__dirname, "..", "..") }, "prod", "prod"]);
  expect({ stack, mode: config.mode, outputs }).toEqual({
    stack: "prod",
    mode: "pull",
    outputs: { sourceBucket: "from-here", destinationBucket: "to-there" },
  });
  expect(config).not.toHaveProperty("token");
  expect(access.source).toEqual({ cloud: "aws", region: "us-east-1", credentials: expect.any(Function) });
  const { destination } = access;
  if (destination.cloud !== "alicloud") throw new Error("the destination is in Alibaba Cloud");
  expect(destination.originOf("fcv3.cn-shanghai.aliyuncs.com")).toBe("https://fcv3.cn-shanghai.aliyuncs.com");
});

/** An error of the Automation API quotes the whole output of the command twice. */
const commandFailed = (stderr: string) =>
  new Error(
    `code: 255\n stdout: \n stderr: Command failed with exit code 255: pulumi\n${stderr}\n err?: Error: Command failed\n${stderr}\n`,
  );

test.each<[string, () => Promise<object>, string]>([
  [
    "the passphrase is missing",
    () => Promise.reject(commandFailed("error: passphrase must be set")),
    "the stack prod cannot be read: passphrase must be set",
  ],
  [
    "there is no such stack",
    () => Promise.reject(Object.assign(Object.create(StackNotFoundError.prototype), { message: "code: 255" })),
    "there is no stack prod in Pulumi's state; deploy it first, or add --local for one of npm start",
  ],
  [
    "Pulumi is not installed",
    () => Promise.reject(new Error("stderr: spawn pulumi ENOENT")),
    "the command pulumi is not there: https://www.pulumi.com/docs/install/",
  ],
  ["something else", () => Promise.reject(new Error("no route")), "the stack prod cannot be read: no route"],
  ["it was not deployed", async () => ({}), "the stack prod exports no bridge"],
])("%s: one line says so", async (_what, outputs, message) => {
  pulumi({ outputs });
  const failure = await readDeployedStack("prod", wanted()).catch((error: Error) => error);
  expect((failure as Error).message.startsWith(message)).toBe(true);
  expect((failure as Error).message).not.toContain("\n");
});

test("an interruption does not wait for Pulumi", async () => {
  const controller = new AbortController();
  pulumi({ settings: () => new Promise(() => undefined) });
  const reading = readDeployedStack("prod", controller.signal);
  controller.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
});
