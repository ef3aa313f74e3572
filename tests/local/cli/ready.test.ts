import { exampleKey } from "../../../local/cli/once";
import { copyLines, type Ready, type ReadyEnd, readyText } from "../../../local/cli/ready";

const s3: ReadyEnd = {
  ...{ kind: "s3", endpoint: "http://127.0.0.1:4567", region: "us-east-1", bucket: "from-here", prefix: "" },
  ...{ accessKeyId: "111111111111", secretAccessKey: "secret" },
};
const oss: ReadyEnd = {
  ...{ kind: "oss", endpoint: "http://127.0.0.1:7654", region: "cn-shanghai", bucket: "to-there", prefix: "copy of/" },
  ...{ accessKeyId: "LTAI", secretAccessKey: "other" },
};
const ready: Ready = {
  ...{ source: s3, destination: oss, receiver: { url: "https://receiver" }, workflow: undefined },
  ...{ deadLetter: undefined, caFile: "/ca.pem", page: { url: "http://127.0.0.1:1/#token=t" } },
};

test("the lines put a file at the source and read its copy, each with its own client", () => {
  expect(copyLines(ready, "README.md")).toEqual([
    "AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1 aws --endpoint-url http://127.0.0.1:4567 s3 cp README.md 's3://from-here/README.md'",
    "ossutil cat 'oss://to-there/copy of/README.md' -e http://127.0.0.1:7654 --region cn-shanghai --sign-version v4 -i LTAI -k other",
  ]);
  expect(copyLines({ source: oss, destination: s3 }, "a.md")).toEqual([
    "ossutil cp README.md 'oss://to-there/copy of/a.md' -e http://127.0.0.1:7654 --region cn-shanghai --sign-version v4 -i LTAI -k other",
    "AWS_ACCESS_KEY_ID=111111111111 AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1 aws --endpoint-url http://127.0.0.1:4567 s3 cp 's3://from-here/a.md' -",
  ]);
});

test("the operator's lines name the stack, and are left out where they would reach another run", () => {
  const found = readyText(ready, { stack: "dev", key: "k", isFound: true });
  expect(found).toContain("\n  npm run bridge -- status --stack dev --local\n  npm start -- --redeploy --stack dev\n");
  expect(found).toContain("\n  page         http://127.0.0.1:1/#token=t\n");
  expect(readyText(ready, { stack: "dev", key: "k", isFound: false })).not.toMatch(/npm (run|start)/);
});

test.each([
  [{}, "README.md"],
  [{ prefixes: ["finance/", "x/"] }, "finance/README.md"],
  [{ suffixes: [".pdf", ".csv"] }, "README.pdf"],
  [{ suffixes: [".txt", ".md"], prefixes: ["a/"] }, "a/README.md"],
])("the example's key is in the scope %j", (scope, key) => {
  expect(exampleKey({ "crossborderbridge:scope": scope })).toBe(key);
});
