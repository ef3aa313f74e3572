/** The tags of the bridge's resources. Whether a type can have tags is taken from the declarations of its provider. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TAGGABLE } from "../../components/tags";
import type { Recording } from "../support/record-resources";
import { inOss, native as ossNative, push } from "./alicloud/fixture";
import { nativeSettings, TWO_WAY } from "./aws/native/fixture";
import { build, quietly, type Variation } from "./bridge-fixture";

beforeEach(quietly);

const TAGS = { team: "data", "cost center": "4711" };
const CANARY = { probe: { enabled: true, everyMinutes: 5 } } satisfies Variation;
/** AWS China has no tags of them. https://docs.amazonaws.cn/en_us/lambda/latest/dg/configuration-tags.html */
const LEFT_OUT: ReadonlySet<string> = new Set(["aws:lambda/eventSourceMapping:EventSourceMapping"]);

const VARIATIONS: [string, Variation][] = [
  ["a pull in AWS", { auth: { kind: "iam" }, egress: "static", ...CANARY }],
  ["a pull with alarms that reach people", { alarmEmails: ["ops@example.com"], alarmWebhookUrl: "https://example.com/hook" }],
  ["S3 replication both ways", nativeSettings({ ...TWO_WAY, ...CANARY, existingObjects: "replicate" })],
  ["a pull in Alibaba Cloud", inOss(CANARY)],
  ["a push", push({ ...CANARY, alarmContactGroups: ["oncall"] })],
  ["OSS replication", ossNative()],
];

/** Whether the provider's declarations have tags for the type, such as `aws:sqs/queue:Queue`. */
function canHaveTags(type: string): boolean {
  const [provider = "", path = ""] = type.split(":");
  if (provider === "crossborder" || provider === "pulumi") return false;
  const root = dirname(require.resolve(`@pulumi/${provider}/package.json`));
  const [folder = "", name = ""] = path.split("/");
  // The files of some classes are in small letters.
  const file = readdirSync(join(root, folder)).find((one) => one.toLowerCase() === `${name.toLowerCase()}.d.ts`);
  if (file === undefined) throw new Error(`${type}: no declarations`);
  return /^ {4}readonly tags: /m.test(readFileSync(join(root, folder, file), "utf8"));
}

const tagsOf = ({ inputs }: Recording["resources"][number]): unknown => inputs.tags;
const own = ({ resources }: Recording) =>
  resources.filter(({ type, parent }) => parent !== undefined && !/^(crossborder|pulumi):/.test(type));

test.each(VARIATIONS)("%s: everything that can have tags has them, and nothing else", async (_, variation) => {
  const resources = own(await build({ ...variation, tags: TAGS }));
  const expected = (type: string) => canHaveTags(type) && !LEFT_OUT.has(type);
  expect(resources.length).toBeGreaterThan(4);
  for (const resource of resources)
    expect([resource.name, tagsOf(resource) ?? {}]).toEqual([
      resource.name,
      expected(resource.type) ? expect.objectContaining(TAGS) : {},
    ]);
  expect([...new Set(resources.map(({ type }) => type))].filter((type) => expected(type) !== TAGGABLE.has(type))).toEqual([]);
});

test("tags of the bridge itself stay", async () => {
  const { resources } = await build(push({ tags: TAGS }));
  const alarm = resources.find(({ type }) => type === "alicloud:cms/alarm:Alarm");
  expect(alarm?.inputs.tags).toEqual({ ...TAGS, bridge: expect.any(String), runbook: expect.stringMatching(/^docs\/runbook/) });
});
