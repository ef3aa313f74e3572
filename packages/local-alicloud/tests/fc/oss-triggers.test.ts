import type { TriggerSpec } from "../../src/contracts";
import type { OssEvent } from "../../src/oss/contracts";
import { ACCOUNT, type FcFixture, REGION, startFixture } from "./fc-fixture";

const BUCKET = "source-bucket";
const PUT = "oss:ObjectCreated:PutObject";
let fixture: FcFixture;
beforeEach(async () => {
  fixture = await startFixture();
  const allows = ["first", "second"].map((name) => `fc:InvokeFunction acs:fc:${REGION}:${ACCOUNT}:functions/${name}`);
  fixture.ram.roles.set("trigger", { services: ["oss.aliyuncs.com"], allows });
  for (const name of ["first", "second"])
    await fixture.create(name, "exports.handler = async (event) => process.stdout.write(event.toString() + '\\n');");
});
afterEach(() => fixture.stop());

interface Filter {
  events?: string[];
  prefix?: string;
  suffix?: string;
}

const specOf = (triggerName: string, { events = [PUT], prefix, suffix }: Filter = {}): TriggerSpec => ({
  triggerName,
  triggerType: "oss",
  qualifier: "LATEST",
  triggerConfig: JSON.stringify({ events, filter: { key: { prefix, suffix } } }),
  sourceArn: `acs:oss:${REGION}:${ACCOUNT}:${BUCKET}`,
  invocationRole: fixture.ram.arnOf("trigger"),
});
const createOn = (functionName: string, spec: TriggerSpec) => fixture.fc.createTrigger(REGION, functionName, spec);

const eventOf = (key: string, eventName = "ObjectCreated:PutObject", bucket = BUCKET): OssEvent => ({
  eventName,
  eventSource: "acs:oss",
  eventTime: "2026-11-21T10:00:00.000Z",
  eventVersion: "1.0",
  region: REGION,
  oss: {
    bucket: { arn: `acs:oss:${REGION}:${ACCOUNT}:${bucket}`, name: bucket, ownerIdentity: ACCOUNT },
    object: { deltaSize: 1, eTag: "E", key, size: 1 },
    ossSchemaVersion: "1.0",
    ruleId: "",
  },
  requestParameters: { sourceIPAddress: "127.0.0.1" },
  responseElements: { requestId: "R" },
  userIdentity: { principalId: ACCOUNT },
});

async function deliveredTo(functionName: string, ...events: OssEvent[]): Promise<{ events: OssEvent[] }[]> {
  for (const event of events) fixture.fc.deliver(event);
  await fixture.fc.idle();
  const lines = fixture.fc.logs(REGION, functionName).filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as { events: OssEvent[] });
}

test("a function gets the event of OSS with the id of its rule", async () => {
  const record = createOn("first", specOf("trigger"));
  expect(record).toMatchObject({ functionName: "first", triggerId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  const event = eventOf("dir/a +%字.txt");
  expect(await deliveredTo("first", event)).toEqual([
    { events: [{ ...event, oss: { ...event.oss, ruleId: record.triggerId } }] },
  ]);
  expect(fixture.calls.at(-1)).toMatchObject({
    principal: { arn: expect.stringContaining(":assumed-role/trigger/") },
    action: "fc:InvokeFunction",
    resource: `acs:fc:${REGION}:${ACCOUNT}:functions/first`,
    allowed: true,
  });
});

test.each<[string, Filter, OssEvent, boolean]>([
  ["no filter", {}, eventOf("any"), true],
  ["another event", {}, eventOf("any", "ObjectCreated:CopyObject"), false],
  ["another bucket", {}, eventOf("any", "ObjectCreated:PutObject", "other-bucket"), false],
  ["a prefix that fits", { prefix: "in/" }, eventOf("in/a"), true],
  ["a prefix that does not", { prefix: "in/" }, eventOf("out/in/a"), false],
  ["a suffix that fits", { suffix: ".zip" }, eventOf("a.zip"), true],
  ["a suffix that does not", { suffix: ".zip" }, eventOf("a.zip.txt"), false],
  ["a prefix is literal", { prefix: "in.*" }, eventOf("in/a"), false],
  ["a wildcard takes part uploads too", { events: ["oss:ObjectCreated:*"] }, eventOf("a", "ObjectCreated:UploadPart"), true],
  ["a wildcard stays with its type", { events: ["oss:ObjectCreated:*"] }, eventOf("a", "ObjectRemoved:DeleteObject"), false],
  [
    "one of several events",
    { events: [PUT, "oss:ObjectRemoved:DeleteObjects"] },
    eventOf("a", "ObjectRemoved:DeleteObjects"),
    true,
  ],
])("%s: %j", async (_, filter, event, arrives) => {
  createOn("first", specOf("trigger", filter));
  expect(await deliveredTo("first", event)).toHaveLength(arrives ? 1 : 0);
});

// The examples of https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-oss-trigger
test.each<[Filter, boolean]>([
  [{ events: ["oss:ObjectCreated:*"], prefix: "source", suffix: "zip" }, false],
  [{ events: ["oss:ObjectCreated:*"], prefix: "source1", suffix: "zip1" }, true],
  [{ prefix: "source", suffix: "zip" }, false],
  [{ prefix: "source", suffix: "1zip" }, false],
  [{ prefix: "source1", suffix: "zip" }, false],
  [{ prefix: "source" }, false],
  [{ suffix: "zip" }, false],
  [{ prefix: "source1", suffix: "zip1" }, true],
  [{ prefix: "1source", suffix: "1zip" }, true],
  [{ events: ["oss:ObjectCreated:PostObject"], prefix: "source", suffix: "zip" }, true],
])("beside PutObject source…zip, %j is taken: %p", (filter, taken) => {
  createOn("first", specOf("existing", { prefix: "source", suffix: "zip" }));
  const create = () => createOn("second", specOf("new", filter));
  if (taken) expect(create()).toMatchObject({ triggerName: "new" });
  else expect(create).toThrow("'existing' of 'first' have an event type, prefix and suffix in common");
});

test("a bucket has at most ten triggers", () => {
  for (let n = 0; n < 10; n++) createOn("first", specOf(`t${n}`, { prefix: `${n}/` }));
  expect(() => createOn("second", specOf("t10", { prefix: "10/" }))).toThrow("has 10 triggers");
  fixture.fc.deleteTrigger(REGION, "first", "t0");
  expect(createOn("second", specOf("t10", { prefix: "x/" }))).toMatchObject({ functionName: "second" });
});

test.each<[string, Partial<TriggerSpec>, RegExp]>([
  [
    "an event that OSS does not have",
    { triggerConfig: '{"events":["oss:ObjectCreated:Put"]}' },
    /no event oss:ObjectCreated:Put/,
  ],
  ["a wildcard of no type", { triggerConfig: '{"events":["oss:Object:*"]}' }, /no event oss:Object:\*/],
  ["no event", { triggerConfig: '{"events":[]}' }, /events/],
  ["an unknown setting", { triggerConfig: `{"events":["${PUT}"],"delay":1}` }, /delay/],
  ["no JSON", { triggerConfig: "{" }, /not JSON/],
  ["a bucket of another region", { sourceArn: `acs:oss:us-west-1:${ACCOUNT}:${BUCKET}` }, /in the function's region/],
  ["a bucket of another account", { sourceArn: `acs:oss:${REGION}:1:${BUCKET}` }, /sourceArn/],
  ["another qualifier", { qualifier: "prod" }, /LATEST/],
  ["a bad name", { triggerName: "1" }, /triggerName/],
])("%s is refused", (_, changes, message) => {
  expect(() => createOn("first", { ...specOf("trigger"), ...changes })).toThrow(message);
  expect(fixture.fc.getTrigger(REGION, "first", "trigger")).toBeUndefined();
});

test("the role must exist, trust OSS and allow the invocation", () => {
  const { invocationRole: _, ...without } = specOf("trigger");
  expect(() => createOn("first", without)).toThrow("invocationRole is missing");
  fixture.ram.roles.set("untrusted", { services: ["fc.aliyuncs.com"], allows: [] });
  const as = (role: string) => createOn("first", { ...specOf("trigger"), invocationRole: fixture.ram.arnOf(role) });
  expect(() => as("untrusted")).toThrow("oss.aliyuncs.com may not assume");
  fixture.ram.roles.set("powerless", { services: ["oss.aliyuncs.com"], allows: [] });
  expect(() => as("powerless")).toThrow("does not allow fc:InvokeFunction");
});

test("an event whose role lost its permission is dropped and reported", async () => {
  createOn("first", specOf("trigger"));
  Object.assign(fixture.ram.roles.get("trigger") ?? {}, { allows: [] });
  expect(await deliveredTo("first", eventOf("lost"))).toEqual([]);
  expect(fixture.failures).toEqual([
    expect.objectContaining({ message: expect.stringContaining("the event of lost did not start") }),
  ]);
});

test("an update keeps the trigger's id and takes effect; names and types stay", async () => {
  const { triggerId } = createOn("first", specOf("trigger", { prefix: "a/" }));
  const { triggerConfig } = specOf("trigger", { prefix: "b/" });
  expect(fixture.fc.updateTrigger(REGION, "first", "trigger", { triggerConfig })).toMatchObject({ triggerId, triggerConfig });
  expect(await deliveredTo("first", eventOf("a/1"), eventOf("b/1"))).toHaveLength(1);
  expect(() => fixture.fc.updateTrigger(REGION, "first", "trigger", { triggerType: "http" })).toThrow("cannot be changed");
  expect(() => createOn("first", specOf("trigger"))).toThrow("already exists");
  fixture.fc.deleteTrigger(REGION, "first", "trigger");
  expect(() => fixture.fc.deleteTrigger(REGION, "first", "trigger")).toThrow("does not exist");
  expect(await deliveredTo("first", eventOf("b/2"))).toHaveLength(1);
});
