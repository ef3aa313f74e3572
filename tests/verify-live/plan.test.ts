/** Which checks a run makes, what it says that it will do, and the page of all checks. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { controlBucketName } from "../../components/alicloud/names";
import { UsageError } from "../../operator/command";
import { CHECKS } from "../../verify-live/checks";
import { controlBucketOf, isMainland } from "../../verify-live/checks/oss";
import { ownKeys, ownPrefixes } from "../../verify-live/own-keys";
import { withChecks } from "../../verify-live/page";
import { costOf, planChecks, planText } from "../../verify-live/plan";
import { bridgeCheck, storeCheck, subjectOf } from "./support";

const ROOT = join(__dirname, "..", "..");

test("the names of the checks are distinct, and each names files and pages that exist", () => {
  const names = CHECKS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, fact, why, source, reliesOn } of CHECKS) {
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
    for (const text of [fact, why]) expect(text).toMatch(/^[A-Z`].*\.$/);
    const paths = [...reliesOn, ...(source.startsWith("https://") ? [] : [source])];
    expect(reliesOn.length).toBeGreaterThan(0);
    expect({ name, missing: paths.filter((path) => !existsSync(join(ROOT, path))) }).toEqual({ name, missing: [] });
  }
});

test("docs/verify-live.md has the row of every check (npm run docs:verify-live)", () => {
  const page = readFileSync(join(ROOT, "docs", "verify-live.md"), "utf8");
  expect(page).toBe(withChecks(page, CHECKS));
  for (const { name } of CHECKS) expect(page).toContain(`\n| \`${name}\` | `);
});

test("the pages name only checks that exist", () => {
  const page = readFileSync(join(ROOT, "docs", "verify-live.md"), "utf8");
  const named = [...page.matchAll(/check `([a-z0-9-]+)`/g)].map(([, name]) => name);
  const names: readonly (string | undefined)[] = CHECKS.map(({ name }) => name);
  expect(named.filter((name) => !names.includes(name))).toEqual([]);
});

const idsOf = (subject: ReturnType<typeof subjectOf>, checks = CHECKS) =>
  planChecks(checks, subject).flatMap(({ id, skip }) => (skip === undefined ? id : []));

test("a check of a store is made once for each side in such a cloud", () => {
  const checks = [
    storeCheck("of-s3", "s3"),
    storeCheck("of-oss", "oss"),
    storeCheck("of-all", "any store"),
    bridgeCheck("of-bridge"),
  ];
  expect(idsOf(subjectOf("aws", "aws-cn"), checks)).toEqual([
    "of-s3@source",
    "of-s3@destination",
    "of-all@source",
    "of-all@destination",
    "of-bridge",
  ]);
  expect(idsOf(subjectOf("alicloud", "aws"), checks)).toEqual([
    "of-s3@destination",
    "of-oss@source",
    "of-all@source",
    "of-all@destination",
    "of-bridge",
  ]);
});

test("what disturbs the bridge is not made in a stack that was there before", () => {
  const disturbing = CHECKS.filter(({ safeOn }) => safeOn === "own-stack").map(({ name }) => name);
  expect(disturbing).toEqual(["pair-refused", "alarm-rings", "outage-heals"]);
  const plan = planChecks(CHECKS, subjectOf("aws", "aws-cn", { ownStack: false }));
  for (const { check, skip } of plan) if (disturbing.includes(check.name)) expect(skip).toBeDefined();
  expect(idsOf(subjectOf("aws", "aws-cn"))).toEqual(expect.arrayContaining(["alarm-rings", "outage-heals"]));
});

test("what the local clouds cannot show is not made there, with the reason", () => {
  const plan = planChecks(CHECKS, subjectOf("aws", "aws-cn", { local: true }));
  const reasons = plan.flatMap(({ check, skip }) => (check.notLocal === undefined ? [] : [{ skip, notLocal: check.notLocal }]));
  expect(reasons.length).toBeGreaterThan(3);
  for (const { skip, notLocal } of reasons) expect(skip).toBe(notLocal);
});

test("the rule about public hosts is checked in mainland regions only", () => {
  expect(["cn-shanghai", "cn-hongkong", "us-west-1"].map(isMainland)).toEqual([true, false, false]);
  expect(idsOf(subjectOf("alicloud", "aws"))).toContain("oss-public-host@source");
  const abroad = { "crossborderbridge:source": { cloud: "alicloud", region: "us-west-1", bucket: "tested-source" } };
  expect(idsOf(subjectOf("alicloud", "aws", { settings: abroad }))).not.toContain("oss-public-host@source");
});

test("checks can be selected and left out by name, and a wrong name is refused with the right ones", () => {
  const subject = subjectOf("aws", "aws-cn");
  const made = (selection: object) =>
    planChecks(CHECKS, subject, selection).flatMap(({ id, skip }) => (skip === undefined ? id : []));
  expect(made({ only: ["pair-keys", "pair-large"] })).toEqual(["pair-keys", "pair-large"]);
  expect(made({ except: ["pair-keys"] })).not.toContain("pair-keys");
  expect(() => planChecks(CHECKS, subject, { only: ["pear-keys"] })).toThrow(UsageError);
  expect(() => planChecks(CHECKS, subject, { only: ["pear-keys"] })).toThrow(
    /there is no check pear-keys; there are: .*pair-keys/,
  );
});

test("the costs grow with the large object, and a stack that is there costs no hours", () => {
  const cost = (more: object) => {
    const subject = subjectOf("aws", "aws-cn", more);
    return costOf(planChecks(CHECKS, subject), subject);
  };
  const [small, large] = [cost({ largeBytes: 1024 ** 2 }), cost({ largeBytes: 1024 ** 3 })];
  expect(large.bytes - small.bytes).toBe(1024 ** 3 - 1024 ** 2);
  expect(large.usd).toBeGreaterThan(small.usd + 0.05);
  expect(cost({ ownStack: false }).usd).toBeLessThan(cost({}).usd);
});

test("the text of a dry run says what is deployed, checked, written, deleted and paid", () => {
  const subject = subjectOf("aws", "alicloud");
  const keys = ownKeys(subject.config, "20261130-abcdef");
  const prefixes = { source: ownPrefixes(keys, "source", ""), destination: ownPrefixes(keys, "destination", "") };
  const text = planText(planChecks(CHECKS, subject), subject, { stack: "tested", keep: false, prefixes });
  expect(text).toMatch(
    /^Stack tested: pull from aws us-east-1 tested-source to alicloud cn-shanghai tested-destination\n1\. deploy/,
  );
  expect(text).toContain("source: crossborderbridge-verify/20261130-abcdef/, .crossborderbridge/tested/verify/20261130-abcdef/");
  expect(text).toMatch(/\n4\. destroy the stack again\n/);
  expect(text).toMatch(/That costs about \$\d+\.\d\d, with 2 hours of the bridge:/);
  const taken = subjectOf("aws", "alicloud", { ownStack: false });
  const other = planText(planChecks(CHECKS, taken), taken, { stack: "tested", keep: false, prefixes });
  expect(other).toMatch(/1\. take the stack as it is/);
  expect(other).toMatch(/\n4\. leave the stack as it is\n/);
});

test("a run writes only under prefixes that hold its id", () => {
  const settings = {
    "crossborderbridge:scope": { prefixes: ["in/"], suffixes: [".csv"], tags: { send: "yes" }, minSizeBytes: 10 },
  };
  const { config } = subjectOf("aws", "aws-cn", { settings });
  const keys = ownKeys(config, "20261130-abcdef");
  expect(keys.key("a b")).toBe("in/crossborderbridge-verify/20261130-abcdef/a b.csv");
  expect(keys).toMatchObject({ tags: { send: "yes" }, minSizeBytes: 10 });
  expect(ownPrefixes(keys, "destination", "copy/")).toEqual([
    "copy/in/crossborderbridge-verify/20261130-abcdef/",
    ".crossborderbridge/tested/verify/20261130-abcdef/",
  ]);
  for (const wrong of ["", "short", "a/b/c/d/e", "../../../x"]) expect(() => ownKeys(config, wrong)).toThrow(/is no id of a run/);
});

test("the bucket of the leases has the name that the components give it", () => {
  for (const bucket of ["reports", "a".repeat(60), `${"b".repeat(40)}-${"-c".repeat(8)}`])
    expect(controlBucketOf(bucket, "tested")).toBe(controlBucketName(bucket, "tested"));
});
