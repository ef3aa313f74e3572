/**
 * What a newcomer gets wrong, and what `pulumi preview` says about it: tests/golden/wrong-configurations.txt has every text whole, to be read.
 * `GOLDEN=write npx jest tests/components/config/wrong-configurations` records it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { noticesOf } from "../../../components/config";
import { KNOWN_KEYS } from "../../../components/config/schema";
import { movesFrom } from "../../../components/place";
import { bridge, native, parse, problemsOf, pull, push, type Raw, s3, TOKEN, withLifecycle } from "./fixture";

const GOLDEN = join(__dirname, "..", "..", "golden", "wrong-configurations.txt");

const without = (raw: Raw, key: string): Raw => Object.fromEntries(Object.entries(raw).filter(([name]) => name !== key));
const many = (count: number, text: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => text(index));

// biome-ignore format: a case is one line.
const CASES: [what: string, given: Raw][] = [
  ["a pattern where a prefix is meant", bridge({ scope: { prefixes: ["finance/**", "reports/*", "a*b/"] } })],
  ["a pattern for everything", bridge({ scope: { prefixes: ["*"] } })],
  ["a pattern where a suffix is meant", bridge({ scope: { suffixes: ["*.pdf", "**/*.jpg"] } })],
  ["a URL and an ARN where a prefix is meant", bridge({ scope: { prefixes: ["s3://abc-global/finance/", "arn:aws:s3:::abc-global/finance/*", "https://abc-global.s3.amazonaws.com/"] } })],
  ["a URL that has the bucket in its path where a prefix is meant", bridge({ scope: { prefixes: ["https://s3.us-east-1.amazonaws.com/abc-global/finance/"] } })],
  ["a regular expression where a prefix is meant", bridge({ scope: { prefixes: ["^finance/.*"] } })],
  ["a prefix that leads out of the bucket", bridge({ scope: { prefixes: ["../finance/"] }, destination: { prefix: "from/../../" } })],
  ["a URL as the destination's prefix", bridge({ destination: { prefix: "s3://abc-china/from-global/" } })],
  ["the bridge's own folder as a prefix", bridge({ scope: { prefixes: [".crossborderbridge/"] } })],
  ["a lifecycle rule for the bridge's own folder", withLifecycle([{ id: "tidy", prefix: ".crossborderbridge/", expirationDays: 1 }])],
  ["a prefix in OSS that begins with /", pull({ to: "aws", scope: { prefixes: ["/reports/"] } })],
  ["a destination's prefix in OSS that begins with /", pull({ from: "aws", destination: { prefix: "/from/" } })],
  ["a prefix that is too long behind the destination's", pull({ from: "aws", scope: { prefixes: ["p".repeat(600)] }, destination: { prefix: "d".repeat(500) } })],
  ["a reserved beginning of a bucket's name", bridge({ source: { bucket: "xn--data" } })],
  ["an alias of an access point as a bucket", bridge({ source: { bucket: "data-s3alias" } })],
  ["an alias of Object Lambda as a bucket", bridge({ source: { bucket: "data--ol-s3" } })],
  ["a bucket of an account's regional namespace", bridge({ source: { bucket: "data-111122223333-us-east-1-an" } })],
  ["a directory bucket", bridge({ source: { bucket: "data--use1-az4--x-s3" } })],
  ["a bucket as a URL, and one with capitals", bridge({ source: { bucket: "s3://reports-global/finance" }, destination: { bucket: "Reports_China" } })],
  ["no source", without(bridge(), "source")],
  ["a source without a region and a bucket", bridge({ source: { region: undefined, bucket: undefined } })],
  ["an empty region", bridge({ source: { region: "" } })],
  ["a list where scope must be", bridge({ scope: ["finance/"] })],
  ["scope without a value", bridge({ scope: null })],
  ["a source that is only a name", { ...bridge(), source: "reports-global" }],
  ["one prefix in place of a list", bridge({ scope: { prefixes: "finance/" } })],
  ["names in capitals", bridge({ source: { cloud: "AWS" }, mode: "Pull", logLevel: "Info" })],
  ["other names of a cloud", bridge({ source: { cloud: "aliyun" }, destination: { cloud: "aws_china" } })],
  ["a storage class by half of its name", pull({ to: "aws", destination: { storageClass: "Glacier" } })],
  ["a storage class of the other cloud", pull({ to: "aws", destination: { storageClass: "Standard" } })],
  ["a number in quotes", bridge({ copy: { memoryMb: "2048" } })],
  ["numbers out of range", bridge({ copy: { memoryMb: 128 }, concurrency: 1001, timeouts: { receiverSeconds: 29.5 } })],
  ["yes for true", bridge({ statusTags: "yes" })],
  ["an account without quotes", bridge({ source: { accountId: 111111111111 } })],
  ["an account without quotes that lost its zeros", bridge({ source: { accountId: 12345678901 } })],
  ["a region of the other partition", bridge({ source: { region: "cn-north-1" } })],
  ["a zone as a region, and an endpoint", pull({ from: "aws", source: { region: "us-east-1a" }, destination: { region: "oss-us-west-1.aliyuncs.com" } })],
  ["a misspelt key, and one that does not exist", bridge({ alowedCidrs: ["0.0.0.0/0"], source: { adoptt: true } })],
  ["one network in place of a list", bridge({ allowedCidrs: "0.0.0.0/0" })],
  ["51 prefixes", bridge({ scope: { prefixes: many(51, (index) => `${index}/`) } })],
  ["a scope that no function can hold", push({ scope: { prefixes: many(50, (index) => `部门/报表/${index}/归档/年度/季度/`) } })],
  ["an allowlist that no function can hold", pull({ from: "aws", token: undefined, auth: { tokenParameter: "p".repeat(180) }, source: { bucket: "b".repeat(63) }, allowedCidrs: many(100, (index) => `203.113.111.${100 + index}/32`), destination: { bucket: "c".repeat(63), kmsKeyId: "k".repeat(64), prefix: "部门/".repeat(73) } })],
  ["11 tags", bridge({ scope: { tags: Object.fromEntries(many(11, (index) => `t${index}`).map((name) => [name, "x"])) } })],
  ["a tag with a name that JavaScript reserves", bridge({ scope: { tags: JSON.parse('{"__proto__":"x"}') as Raw } })],
  ["a tag without a name", bridge({ scope: { tags: { "": "x" } } })],
  ["tags that a cloud keeps for itself", bridge({ tags: { "aws:team": "a", Aliyun: "b", Bridge: "c", "a#b": "d" } })],
  ["a tag that is a number, and an address as a tag", bridge({ tags: { costCenter: 1234, page: "https://example.com" } })],
  ["tags that differ in capitals alone", bridge({ tags: { team: "a", Team: "b" } })],
  ["a list where tags must be", bridge({ tags: ["team=data"] })],
  ["a token that is none", bridge({ token: "hunter2" })],
  ["a token that is a number", bridge({ token: 12345678 })],
  ["no token and no allowlist", bridge({ token: undefined, allowedCidrs: [] })],
  ["999 lifecycle rules", withLifecycle(many(999, (index) => `r${index}`).map((id) => ({ id, expirationDays: 1 })))],
  ["11 prefixes in OSS replication", native({ scope: { prefixes: many(11, (index) => `${index}/`) } })],
  ["a prefix with S3's own replication", s3({ destination: { prefix: "from/" } })],
  ["a domain as a URL, and one of the vendor's", pull({ source: { customDomain: "https://oss.example.com/" }, destination: { customDomain: "to-there.oss-us-west-1.aliyuncs.com" } })],
  ["more secrets than a parameter holds", bridge({ token: Array(92).fill(TOKEN).join(" ") })],
  ["a name with capitals", bridge({ name: "My_Bridge" })],
  ["a name that is a number", bridge({ name: 7 })],
];

const NOTICED: [what: string, given: Raw][] = [
  ["a destination's prefix without / at its end", bridge({ auth: { kind: "iam" }, destination: { prefix: "from" } })],
  ["a prefix in S3 that begins with /", bridge({ auth: { kind: "iam" }, scope: { prefixes: ["/reports/"] } })],
  ["a name of digits", bridge({ auth: { kind: "iam" }, name: "7" })],
  ["an adopted OSS source", pull({ to: "aws", source: { adopt: true } })],
];

const MOVED = movesFrom(
  { name: "reports", source: { region: "us-east-1" }, destination: { region: "cn-north-1" } },
  { name: "images", source: { region: "eu-west-1" }, destination: { region: "cn-north-1" } },
);

test("every wrong configuration has a text that says the setting, its value and the way out", () => {
  const chapters = [
    ...CASES.map(([what, given]) => [what, problemsOf(given)] as const),
    ["a deployed bridge with another name and region", MOVED] as const,
    ...NOTICED.map(([what, given]) => [`${what} (a notice)`, noticesOf(parse(given))] as const),
  ];
  expect(chapters.filter(([, texts]) => texts.length === 0).map(([what]) => what)).toEqual([]);
  const text = chapters.map(([what, texts]) => `## ${what}\n${texts.map((one) => `${one}\n`).join("")}`).join("\n");
  if (process.env.GOLDEN === "write") writeFileSync(GOLDEN, text);
  expect(text).toBe(readFileSync(GOLDEN, "utf8"));
});

test.each(CASES)("each problem names an allowed value: %s", (_, given) => {
  for (const problem of problemsOf(given)) {
    expect(problem).toMatch(/^crossborderbridge:\S.*? allowed(?: on \S+| here)?: \S/s);
    expect(problem).not.toMatch(/Invalid input|Too (?:big|small)|expected |undefined|\[object/);
  }
});

const PATHS = Object.entries(KNOWN_KEYS).flatMap(([section, keys]) =>
  section.includes("[]") ? [] : keys.map((key) => (section === "" ? [key] : [...section.split("."), key])),
);

const withValue = (raw: unknown, [key = "", ...rest]: readonly string[], value: unknown): unknown => {
  const map = typeof raw === "object" && raw !== null ? (raw as Raw) : {};
  return { ...map, [key]: rest.length === 0 ? value : withValue(map[key], rest, value) };
};

test("no value at any setting gets a text of the schema library", () => {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(null, "", "yes", 0, -1, 1.5, [], {}, [[]], [{}], { a: 1 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...PATHS), anything, (path, value) => {
      for (const problem of problemsOf(withValue(bridge(), path, value) as Raw)) {
        expect(problem).toMatch(/ allowed(?: on \S+| here)?: \S/);
        expect(problem).not.toMatch(/Invalid (?:input|key|option)|Too (?:big|small)|Unrecognized/);
      }
    }),
  );
});
