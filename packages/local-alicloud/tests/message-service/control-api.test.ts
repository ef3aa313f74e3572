/** Queues over the control API, as the vendor's client and its Terraform provider call it. */
import { ACCOUNT, type ApiFixture, REGION, refused, rpcCaller, startApi } from "../api/api-fixture";
import { type MnsFixture, QUEUE, startMns } from "./mns-fixture";

let mns: MnsFixture;
let api: ApiFixture;
let names = 0;
beforeAll(async () => {
  mns = await startMns();
  api = await startApi({ service: "mns-open", handler: (call) => mns.service.api(call) });
});
afterAll(async () => {
  await api.close();
  await mns.close();
});

const open = rpcCaller(() => api.olderClient(), "2022-01-19");
const newName = () => `queue-${++names}`;
const attributes = async (QueueName: string) => (await open("GetQueueAttributes", { QueueName, RegionId: REGION })).Data;

test("a queue is created with defaults, described, changed and deleted", async () => {
  const QueueName = newName();
  expect(
    await open("CreateQueue", { QueueName, DelaySeconds: 5, EnableLogging: true, "Tag.1.Key": "team", "Tag.1.Value": "data" }),
  ).toMatchObject({
    ...{ Code: 200, Status: "Success", Success: true, RequestId: expect.any(String) },
  });
  expect(await attributes(QueueName)).toEqual({
    ...{ QueueName, DelaySeconds: 5, MaximumMessageSize: 65_536, MessageRetentionPeriod: 345_600, VisibilityTimeout: 30 },
    ...{ PollingWaitSeconds: 0, CreateTime: expect.any(Number), LastModifyTime: expect.any(Number), LoggingEnabled: true },
    ...{ ActiveMessages: 0, DelayMessages: 0, InactiveMessages: 0, QueueType: "normal", DlqPolicy: { Enabled: false } },
    Tags: [{ TagKey: "team", TagValue: "data" }],
  });
  await open("SetQueueAttributes", { QueueName, VisibilityTimeout: 60, DelaySeconds: 0 });
  expect(await attributes(QueueName)).toMatchObject({
    VisibilityTimeout: 60,
    DelaySeconds: 0,
    MessageRetentionPeriod: 345_600,
    LoggingEnabled: true,
  });
  mns.service.send(REGION, QueueName, Buffer.from("hello"));
  expect(await attributes(QueueName)).toMatchObject({ ActiveMessages: 1 });
  await open("DeleteQueue", { QueueName });
  expect(await refused(attributes(QueueName))).toEqual({ statusCode: 404, code: "QueueNotExist" });
  // As in the other API, deleting again succeeds.
  await open("DeleteQueue", { QueueName });
});

test("a queue is the same that the program and the other API see", async () => {
  const QueueName = newName();
  await open("CreateQueue", { QueueName });
  expect(mns.service.getQueue(REGION, QueueName)).toEqual({ ...QUEUE, queueName: QueueName });
  mns.service.deleteQueue(REGION, QueueName);
  await open("CreateQueue", { QueueName, DelaySeconds: 9 });
  expect(await attributes(QueueName)).toMatchObject({ DelaySeconds: 9, Tags: [], LoggingEnabled: false });
});

test("the same queue can be created again, but not with other attributes", async () => {
  const QueueName = newName();
  await open("CreateQueue", { QueueName, DelaySeconds: 5 });
  await open("CreateQueue", { QueueName, DelaySeconds: 5 });
  expect(await refused(open("CreateQueue", { QueueName }))).toEqual({ statusCode: 409, code: "QueueAlreadyExist" });
});

test.each<[string, object, string]>([
  ["no name", { QueueName: undefined }, "MissingQueueName"],
  ["a name that is none", { QueueName: "a_b" }, "InvalidQueueName"],
  ["an attribute out of range", { VisibilityTimeout: 50_000 }, "InvalidArgument"],
  ["an attribute that is no number", { DelaySeconds: "soon" }, "InvalidParameter"],
  ["an order", { QueueType: "fifo" }, "InvalidParameter"],
  ["dead letters", { DlqPolicy: '{"Enabled":true,"DeadLetterTargetQueue":"dead"}' }, "InvalidParameter"],
])("a queue with %s is refused", async (_, changes, code) => {
  expect(await refused(open("CreateQueue", { QueueName: newName(), ...changes }))).toEqual({ statusCode: 400, code });
});

test("queues are listed by a part of their names", async () => {
  for (const QueueName of ["listed-b", "listed-a"]) await open("CreateQueue", { QueueName });
  const { Data } = await open("ListQueue", { QueueName: "listed", PageNum: 1, PageSize: 10 });
  expect(Data).toMatchObject({ Total: 2, Size: 2, PageData: [{ QueueName: "listed-a" }, { QueueName: "listed-b" }] });
});

test("tags are added, listed and removed", async () => {
  const QueueName = newName();
  await open("CreateQueue", { QueueName });
  const about = { ResourceType: "queue", ResourceId: [QueueName] };
  await open("TagResources", { ...about, "Tag.1.Key": "team", "Tag.1.Value": "data", "Tag.2.Key": "stage" });
  await open("UntagResources", { ...about, "TagKey.1": "team" });
  const { TagResources } = await open("ListTagResources", about);
  expect(TagResources.TagResource).toEqual([{ ResourceType: "queue", ResourceId: QueueName, TagKey: "stage", TagValue: "" }]);
  expect(await refused(open("ListTagResources", { ...about, ResourceType: "topic" }))).toMatchObject({ statusCode: 400 });
});

test("a session needs permission for the queue", async () => {
  const QueueName = newName();
  const session = api.session(["mns:CreateQueue"], [`acs:mns:${REGION}:${ACCOUNT}:/queues/${QueueName}`]);
  const asSession = rpcCaller(() => api.client(session), "2022-01-19");
  await asSession("CreateQueue", { QueueName });
  expect(await refused(asSession("DeleteQueue", { QueueName }))).toEqual({ statusCode: 403, code: "NoPermission" });
  expect(await refused(asSession("CreateQueue", { QueueName: "other" }))).toEqual({ statusCode: 403, code: "NoPermission" });
});
