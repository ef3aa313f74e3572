/** No command that the project shows carries a secret as an argument: in no page, no message and no template. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { secretArguments } from "./support/secret-arguments";

const ROOT = join(__dirname, "..");

test.each([
  'aws ssm put-parameter --name /t --type SecureString --value "$token"',
  'aws ssm put-parameter --value "$(openssl rand -base64 32)" --name /t',
  'at_source ssm put-parameter --name /t \\\n  --value "$1"',
  "aws secretsmanager create-secret --name t --secret-string abc",
  'aliyun oos UpdateSecretParameter --Name t --Value "$1"',
  'pulumi config set --secret crossborderbridge:token "$new $old" && pulumi up',
  "pulumi config set crossborderbridge:token abc --secret",
  "pulumi config set --stack production --secret crossborderbridge:alarmWebhookSecret 'SEC...'",
  "pulumi config set-all --secret token=abc",
  "aws configure set aws_secret_access_key abc --profile global",
  "gh secret set TOKEN --body abc",
  'curl -H "Authorization: Bearer abc" https://example.com',
])("is seen: %s", (command) => {
  expect(secretArguments(command)).toHaveLength(1);
});

test.each([
  'printf %s "$secret" | aws ssm put-parameter --name /t --value file:///dev/stdin --type SecureString',
  'printf %s "$secret" | aliyun oos UpdateSecretParameter --Name t --Value-FILE /dev/stdin',
  "openssl rand -base64 32 | pulumi config set --secret crossborderbridge:token",
  "pulumi config set --secret crossborderbridge:alarmWebhookUrl     # paste it, then Enter",
  "pulumi config set --secret --stack production crossborderbridge:token < token.txt",
  "pulumi config set crossborderbridge:alarmWebhookFormat dingtalk",
  "set it with `pulumi config set --secret`. Then deploy",
  "aws configure --profile global",
  "gh secret set TOKEN < token.txt",
])("is in order: %s", (command) => {
  expect(secretArguments(command)).toEqual([]);
});

const SHOWN = /\.(?:md|ts|tsx|yaml|yml|json|txt|html)$/;

test("no page, message, example or template shows one", () => {
  // The index has every file that is shipped. This test and the local clouds' own tests call commands with made-up secrets.
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" }).split("\0");
  const shown = files.filter((file) => SHOWN.test(file) && !/^tests\/(?!golden\/)/.test(file));
  expect(shown.length).toBeGreaterThan(500);
  expect(shown.flatMap((file) => secretArguments(read(file)).map((line) => `${file}: ${line}`))).toEqual([]);
});

/** Empty for a file that is not there any more. */
function read(file: string): string {
  try {
    return readFileSync(join(ROOT, file), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
