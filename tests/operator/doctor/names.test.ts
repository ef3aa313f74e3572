/** Names that the doctor looks for, against those that the components give. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { physicalName, secretName } from "../../../components/alicloud/names";
import { parameterName as awsParameter } from "../../../components/aws/account";
import { apiIdIn } from "../../../operator/doctor/checks/receiver";
import { parameterName } from "../../../operator/doctor/checks/secrets";
import { quoted } from "../../../operator/doctor/paste";
import { configOf } from "../../../operator/stack-settings";

const config = (more: object = {}) =>
  configOf("prod", {
    "crossborderbridge:source": { cloud: "aws", region: "us-east-1", bucket: "from-here" },
    "crossborderbridge:destination": { cloud: "alicloud", region: "cn-shanghai", bucket: "to-there" },
    "crossborderbridge:allowedCidrs": ["192.0.2.0/24"],
    ...more,
  });

test("parameters of the signing secrets", () => {
  expect(parameterName({ config: config() }, "source")).toBe(awsParameter("prod", "source", "token"));
  expect(parameterName({ config: config() }, "destination")).toBe(secretName("prod", "destination", "token"));
  const own = config({ "crossborderbridge:auth": { tokenParameter: "our/token" } });
  expect(parameterName({ config: own }, "source")).toBe("our/token");
});

test("the trigger of a source in Alibaba Cloud", () => {
  expect(physicalName("prod", "events")).toBe("crossborderbridge-prod-events");
});

test.each([
  ["https://abc123.execute-api.cn-north-1.amazonaws.com.cn/v1/notices", "abc123"],
  ["https://127.0.0.1:4566/_aws/execute-api/f00ba7/v1/notices", "f00ba7"],
  ["https://example.com/notices", undefined],
])("the API of %s", (url, id) => {
  expect(apiIdIn(url)).toBe(id);
});

test.each([
  ["plain-word.1", "plain-word.1"],
  ["two words", "'two words'"],
  ["it's", "'it'\\''s'"],
  ['{"a":"$b"}', `'{"a":"$b"}'`],
  ["", "''"],
])("%s is pasted as %s", (word, expected) => {
  expect(quoted(word)).toBe(expected);
});

test("no command that is printed holds the name of a stack without quotes", () => {
  const root = join(__dirname, "..", "..", "..");
  const files = ["operator", "verify-live"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  const open = files
    .filter((name) => name.endsWith(".ts"))
    .filter((name) => /--stack \$\{(?!quoted\()/.test(readFileSync(join(root, name), "utf8")));
  expect(open).toEqual([]);
});
