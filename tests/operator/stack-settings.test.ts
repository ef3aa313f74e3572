import { ConfigInvalid } from "../../components/config";
import { configOf, outputsOf } from "../../operator/stack-settings";

const SETTINGS = {
  "aws:region": "us-east-1",
  "crossborderbridge:source": { cloud: "aws", region: "us-east-1", bucket: "from-here" },
  "crossborderbridge:destination": { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" },
  "crossborderbridge:allowedCidrs": ["192.0.2.0/24"],
  "crossborderbridge:concurrency": 7,
  "crossborderbridge:statusTags": true,
  "crossborderbridge:mode": "",
};

test("parses the values of a file", () => {
  expect(configOf("dev", SETTINGS)).toMatchObject({ name: "dev", mode: "pull", concurrency: 7, statusTags: true });
});

test("parses the same values as text, as Pulumi returns them", () => {
  const asText = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
  expect(configOf("dev", asText)).toEqual(configOf("dev", SETTINGS));
});

test("a name that looks like a number stays text", () => {
  expect(configOf("dev", { ...SETTINGS, "crossborderbridge:name": "123" }).name).toBe("123");
});

test("drops the signing secret in every form", () => {
  const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==";
  expect(JSON.stringify(configOf("dev", { ...SETTINGS, "crossborderbridge:token": secret }))).not.toContain(secret);
  const byParameter = { ...SETTINGS, "crossborderbridge:auth": { tokenParameter: "/bridges/dev/token" } };
  expect(configOf("dev", byParameter).auth.tokenParameter).toBe("/bridges/dev/token");
});

test("reports invalid settings as a deployment does", () => {
  const { "crossborderbridge:source": _source, ...rest } = SETTINGS;
  expect(() => configOf("dev", rest)).toThrow(ConfigInvalid);
});

test("parses the outputs of this version and ignores others", () => {
  const outputs = {
    sourceBucket: "from-here",
    destinationBucket: "to-there",
    queueUrl: "https://sqs.example/1/q",
    proberFunctionNames: { source: "p1", destination: "p2" },
  };
  expect(outputsOf("dev", { ...outputs, notices: ["x"] })).toEqual(outputs);
});

test.each([[{}], [{ sourceBucket: "a" }], [undefined]])("refuses a stack without a bridge: %j", (outputs) => {
  expect(() => outputsOf("dev", outputs)).toThrow(/the stack dev exports no bridge .*deploy it first: pulumi up --stack dev/);
});
