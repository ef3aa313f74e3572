/** Flows over the control API, as the vendor's client and its Terraform provider call it. */
import { createCloudFlow } from "../../src/cloudflow/cloud-flow";
import type { CloudFlow } from "../../src/contracts";
import { ACCOUNT, type ApiFixture, REGION, refused, rpcCaller, startApi } from "../api/api-fixture";
import { machine, waiting } from "./support/cloud";

let api: ApiFixture;
let flow: CloudFlow;
let ahead = 0;
beforeAll(async () => {
  api = await startApi({ service: "fnf", handler: (call) => flow.api(call) });
});
beforeEach(() => {
  const unused = () => Promise.reject(new Error("no function is called"));
  const now = () => Date.now() + ahead;
  flow = createCloudFlow({ ram: api.ram, accountId: ACCOUNT, fc: { invoke: unused, invokeAsync: unused }, now });
});
afterEach(() => flow.stop());
afterAll(() => api.close());

const fnf = rpcCaller(() => api.olderClient(), "2019-03-15");
const Definition = JSON.stringify(waiting);
const RoleArn = `acs:ram::${ACCOUNT}:role/flow`;
const create = (changes: object = {}) =>
  fnf("CreateFlow", { Name: "flow", Definition, Description: "waits", Type: "FDL", RoleArn, ...changes });
const describeFlow = () => fnf("DescribeFlow", { Name: "flow", RegionId: REGION }, "GET");

test("a flow is created, described, changed and deleted", async () => {
  const made = await create();
  expect(made).toMatchObject({
    ...{ Name: "flow", Definition, Description: "waits", Type: "FDL", RoleArn, ExecutionMode: "Standard" },
    ...{ Id: expect.any(String), CreatedTime: expect.any(String), LastModifiedTime: expect.any(String) },
  });
  expect(await describeFlow()).toEqual({ ...made, RequestId: expect.any(String) });
  ahead += 1000;
  const changed = await fnf("UpdateFlow", { Name: "flow", Description: "still waits" });
  expect(changed).toMatchObject({ Description: "still waits", Definition, RoleArn, Id: made.Id, CreatedTime: made.CreatedTime });
  expect(changed.LastModifiedTime).not.toBe(made.LastModifiedTime);
  await fnf("StartExecution", { FlowName: "flow", ExecutionName: "one" });
  await fnf("DeleteFlow", { Name: "flow" }, "GET");
  expect(await refused(describeFlow())).toEqual({ statusCode: 404, code: "FlowNotExists" });
  expect(await refused(fnf("DeleteFlow", { Name: "flow" }, "GET"))).toEqual({ statusCode: 404, code: "FlowNotExists" });
});

test("a flow is the same that the program sees", async () => {
  await create();
  expect(flow.getFlow(REGION, "flow")).toMatchObject({ definition: Definition, roleArn: RoleArn });
});

test("flows are listed by name, in pages", async () => {
  for (const Name of ["b", "a", "c"]) await create({ Name });
  const first = await fnf("ListFlows", { Limit: 2 });
  expect(first.Flows.map(({ Name }: { Name: string }) => Name)).toEqual(["a", "b"]);
  const rest = await fnf("ListFlows", { Limit: 2, NextToken: first.NextToken });
  expect(rest.Flows.map(({ Name }: { Name: string }) => Name)).toEqual(["c"]);
  expect(rest).not.toHaveProperty("NextToken");
});

test.each<[string, object, number, string]>([
  ["no definition", { Definition: undefined }, 400, "MissingRequiredParams"],
  ["a definition that is none", { Definition: JSON.stringify(machine({ Type: "Map", Name: "M" })) }, 400, "InvalidArgument"],
  ["a name that is none", { Name: "1st" }, 400, "InvalidArgument"],
  ["another type", { Type: "DEFAULT" }, 400, "InvalidArgument"],
  ["the express mode", { ExecutionMode: "Express" }, 400, "InvalidArgument"],
  ["a role of another account", { RoleArn: "acs:ram::1:role/flow" }, 400, "InvalidArgument"],
])("a flow with %s is refused", async (_, changes, statusCode, code) => {
  expect(await refused(create(changes))).toEqual({ statusCode, code });
});

test("a flow is created once", async () => {
  await create();
  expect(await refused(create())).toEqual({ statusCode: 409, code: "FlowAlreadyExists" });
});

test("a session needs permission, which is for all flows", async () => {
  const session = api.session(["fnf:CreateFlow"], ["*"]);
  const asSession = rpcCaller(() => api.client(session), "2019-03-15");
  await asSession("CreateFlow", { Name: "flow", Definition, Description: "", Type: "FDL" });
  expect(await refused(asSession("DeleteFlow", { Name: "flow" }))).toEqual({ statusCode: 403, code: "NoPermission" });
});
