import * as pulumi from "@pulumi/pulumi";
import { ConfigInvalid } from "../../components/config";
import { readConfig } from "../../components/stack";
import { settled } from "../support/record-resources";

const TOKEN = Buffer.alloc(32, 7).toString("base64");

/** As the engine hands configuration over: everything is text, structured values are JSON, unset declared keys are "". */
function stackWith(values: Record<string, string>) {
  const all = {
    source: '{"cloud":"aws","region":"us-east-1","bucket":"from-here"}',
    destination: '{"cloud":"aws-cn","region":"cn-north-1","bucket":"to-there"}',
    allowedCidrs: '["198.51.100.0/24"]',
    token: TOKEN,
    name: "",
    mode: "",
    alarmTopicArn: "",
    scope: "{}",
    ...values,
  };
  const named = Object.entries(all).map(([key, value]) => [`crossborderbridge:${key}`, value]);
  pulumi.runtime.setAllConfig({ "aws:region": "eu-west-1", ...Object.fromEntries(named) });
  return readConfig(new pulumi.Config("crossborderbridge"), "dev");
}

test("reads text, numbers, booleans and structures, and takes what is empty for not set", () => {
  const config = stackWith({ statusTags: "true", concurrency: "4", buffer: "none", copy: '{"concurrency":2}' });
  expect(config).toMatchObject({
    name: "dev",
    statusTags: true,
    concurrency: 4,
    buffer: "none",
    copy: { concurrency: 2, memoryMb: 1024 },
    allowedCidrs: ["198.51.100.0/24"],
  });
  expect(config.alarmTopicArn).toBeUndefined();
});

test("a name of digits is a name", () => {
  expect(stackWith({ name: "2026" }).name).toBe("2026");
});

test("the token is a secret from here on", async () => {
  const { token } = stackWith({});
  if (token === undefined) throw new Error("no token");
  expect(await pulumi.isSecret(token)).toBe(true);
  expect(await settled(token)).toBe(TOKEN);
});

test("without a token there is none", () => {
  expect(stackWith({ token: "", auth: '{"tokenParameter":"/ours"}' })).not.toHaveProperty("token");
});

test("unknown keys of the project's namespace are refused, other namespaces are not looked at", () => {
  expect(() => stackWith({ bufer: "none" })).toThrow("crossborderbridge:bufer: unknown key; did you mean buffer?");
});

test("an error is the engine's RunError: it prints the message alone", () => {
  expect(pulumi.RunError.isInstance(new ConfigInvalid(["source: is missing"]))).toBe(true);
  expect(pulumi.RunError.isInstance(new Error("another"))).toBe(false);
});

test("all errors at once", () => {
  try {
    stackWith({ buffer: "kafka", logLevel: "loud", concurrency: "many" });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid);
    expect((error as ConfigInvalid).problems).toHaveLength(3);
    expect((error as ConfigInvalid).message).toMatch(/^The configuration has 3 errors:\n {2}crossborderbridge:/);
    return;
  }
  throw new Error("accepted");
});
