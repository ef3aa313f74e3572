/** Executions over the control API. */
import { code, machine, names, REGION, startCloud, task, waiting } from "./support/cloud";

describe("StartExecution", () => {
  test("answers the running execution, as DescribeExecution does", async () => {
    const cloud = startCloud();
    cloud.create(waiting);
    const started = await cloud.start("one", { a: 1 });
    expect(started).toMatchObject({
      FlowName: "flow",
      Name: "one",
      Status: "Running",
      Input: '{"a":1}',
      Output: "",
      StoppedTime: "",
    });
    expect(JSON.parse(started.FlowDefinition ?? "")).toEqual(waiting);
    await cloud.clock.until(cloud.flow.idle());
    const ended = await cloud.call("DescribeExecution", { FlowName: "flow", ExecutionName: "one" });
    expect(ended).toMatchObject({ Status: "Succeeded", Output: '{"a":1}', StartedTime: started.StartedTime });
    expect(Date.parse(ended.StoppedTime ?? "") - Date.parse(ended.StartedTime ?? "")).toBe(60_000);
  });

  test("returns the running execution of the same name, also with another input", async () => {
    const cloud = startCloud();
    cloud.create(waiting);
    await cloud.start("one", { a: 1 });
    expect(await cloud.start("one", { a: 2 })).toMatchObject({ Name: "one", Status: "Running", Input: '{"a":1}' });
    expect(names(cloud)).toEqual(["one"]);
  });

  test.each<[string, object]>([
    ["succeeded", { Type: "Succeed", Name: "S" }],
    ["failed", { Type: "Fail", Name: "F", Detail: "d" }],
  ])("refuses the name of one that %s", async (_, state) => {
    const cloud = startCloud();
    cloud.create(machine(state));
    await cloud.run({}, "one");
    await expect(cloud.start("one")).rejects.toEqual(code("ExecutionAlreadyExists", 400));
  });

  test("generates a missing name", async () => {
    const cloud = startCloud();
    cloud.create(waiting);
    const { Name = "" } = await cloud.call("StartExecution", { FlowName: "flow" });
    expect(Name).toMatch(/^[A-Za-z_][A-Za-z0-9_-]{0,127}$/);
    expect(names(cloud)).toEqual([Name]);
  });

  test("is throttled beyond 100 a second", async () => {
    const cloud = startCloud();
    cloud.create(waiting);
    const start = (count: number) =>
      Promise.allSettled(Array.from({ length: count }, (_, at) => cloud.start(`e${at}-${cloud.clock.now()}`)));
    const rejected = (results: PromiseSettledResult<unknown>[]) => results.filter(({ status }) => status === "rejected");
    const first = rejected(await start(103));
    expect(first).toEqual(Array(3).fill({ status: "rejected", reason: code("ResourceThrottled", 429) }));
    await cloud.clock.advance(500);
    expect(rejected(await start(51))).toHaveLength(1);
    await cloud.clock.advance(5_000);
    expect(rejected(await start(101))).toHaveLength(1);
  });

  test("is throttled at the limit of running executions", async () => {
    const cloud = startCloud({ maxRunning: 2 });
    cloud.create(waiting);
    await cloud.start("a");
    await cloud.start("b");
    await expect(cloud.start("c")).rejects.toEqual(code("ResourceThrottled", 429));
    expect(await cloud.start("a")).toMatchObject({ Name: "a" });
    await cloud.clock.until(cloud.flow.idle());
    expect(await cloud.start("c")).toMatchObject({ Status: "Running" });
  });

  test.each<[string, Record<string, string>, string, number]>([
    ["a name that is none", { FlowName: "flow", ExecutionName: "1st" }, "InvalidArgument", 400],
    ["no flow", { ExecutionName: "a" }, "MissingRequiredParams", 400],
    ["an unknown flow", { FlowName: "other" }, "FlowNotExists", 404],
    ["an input that is not an object", { FlowName: "flow", Input: "[1]" }, "InvalidArgument", 400],
    ["an input that is no JSON", { FlowName: "flow", Input: "{" }, "InvalidArgument", 400],
    [
      "an input of more than 64 KiB",
      { FlowName: "flow", Input: JSON.stringify({ a: "x".repeat(65_536) }) },
      "EntityTooLarge",
      400,
    ],
    ["a version of the flow", { FlowName: "flow", Qualifier: "1" }, "InvalidArgument", 400],
  ])("refuses %s", async (_, parameters, expected, status) => {
    const cloud = startCloud();
    cloud.create(waiting);
    await expect(cloud.call("StartExecution", parameters)).rejects.toEqual(code(expected, status));
    expect(names(cloud)).toEqual([]);
  });
});

test("executions run concurrently", async () => {
  const cloud = startCloud();
  cloud.create(machine(task()));
  cloud.script = async () => cloud.clock.sleep(10_000);
  const begun = cloud.clock.now();
  for (let at = 0; at < 50; at += 1) await cloud.start(`e${at}`);
  await cloud.clock.until(cloud.flow.idle());
  expect(cloud.clock.now() - begun).toBe(10_000);
});

test("DescribeExecution waits for the end up to WaitTimeSeconds", async () => {
  const cloud = startCloud();
  cloud.create(waiting);
  await cloud.start("one");
  const describe = (WaitTimeSeconds: number) =>
    cloud.call("DescribeExecution", { FlowName: "flow", ExecutionName: "one", WaitTimeSeconds });
  expect(await cloud.clock.until(describe(20))).toMatchObject({ Status: "Running" });
  const begun = cloud.clock.now();
  expect(await cloud.clock.until(describe(60))).toMatchObject({ Status: "Succeeded" });
  expect(cloud.clock.now() - begun).toBe(40_000);
  await expect(describe(61)).rejects.toEqual(code("InvalidArgument", 400));
});

test("StopExecution ends a running execution once", async () => {
  const cloud = startCloud();
  cloud.create(machine(task()));
  cloud.script = () => new Promise(() => {});
  await cloud.start("one");
  await cloud.clock.settle();
  const stop = () => cloud.call("StopExecution", { FlowName: "flow", ExecutionName: "one", Error: "Mine", Cause: "enough" });
  expect(await stop()).toMatchObject({ Status: "Stopped" });
  expect((await cloud.history("one")).at(-1)).toMatchObject({
    Type: "ExecutionStopped",
    EventDetail: '{"error":"Mine","cause":"enough"}',
  });
  await expect(stop()).rejects.toEqual(code("ExecutionAlreadyCompleted", 400));
  await cloud.flow.idle();
});

test("ListExecutions pages through the newest first and filters", async () => {
  const cloud = startCloud();
  cloud.create(
    machine(
      { Type: "Choice", Name: "C", Branches: [{ Condition: "$Input.n < 3", Next: "S" }], Default: "F" },
      { Type: "Succeed", Name: "S" },
      { Type: "Fail", Name: "F", Detail: "d" },
    ),
  );
  for (let n = 1; n <= 4; n += 1) await cloud.run({ n }, `run-${n}`);
  const list = async (parameters: Record<string, string | number>) => {
    const { Executions = [], NextToken } = await cloud.call("ListExecutions", { FlowName: "flow", ...parameters });
    return [Executions.map(({ Name }) => Name), NextToken];
  };
  expect(await list({})).toEqual([["run-4", "run-3", "run-2", "run-1"], undefined]);
  expect(await list({ Limit: 3 })).toEqual([["run-4", "run-3", "run-2"], "run-1"]);
  expect(await list({ Limit: 3, NextToken: "run-1" })).toEqual([["run-1"], undefined]);
  expect(await list({ Status: "Failed" })).toEqual([["run-4", "run-3"], undefined]);
  expect(await list({ ExecutionNamePrefix: "run-2" })).toEqual([["run-2"], undefined]);
  await expect(list({ Limit: 101 })).rejects.toEqual(code("InvalidArgument", 400));
});

test.each<[string, string, Record<string, string>, object, object]>([
  ["an unknown operation", "StartSyncExecution", { FlowName: "flow" }, {}, code("ActionNotSupported", 400)],
  ["an inherited name", "toString", {}, {}, code("ActionNotSupported", 400)],
  ["another version", "StartExecution", { FlowName: "flow" }, { version: "2020-01-01" }, code("APIVersionNotSupported", 400)],
  ["an unknown execution", "DescribeExecution", { FlowName: "flow", ExecutionName: "e" }, {}, code("ExecutionNotExists", 404)],
  [
    "a region without CloudFlow",
    "StartExecution",
    { FlowName: "flow" },
    { region: "eu-central-1" },
    code("InvalidRegionId.NotFound", 404),
  ],
  ["a flow of another region", "StartExecution", { FlowName: "flow" }, { region: "us-west-1" }, code("FlowNotExists", 404)],
])("%s is refused", async (_, action, parameters, changes, expected) => {
  const cloud = startCloud();
  cloud.create(waiting);
  await expect(cloud.call(action, parameters, changes)).rejects.toEqual(expected);
});

test("every operation needs its permission, on any resource as the vendor's table says", async () => {
  const cloud = startCloud();
  cloud.create(waiting);
  await cloud.start("one");
  const asked: string[] = [];
  cloud.mayCall = (action, resource) => {
    asked.push(`${action} ${resource}`);
    return false;
  };
  for (const action of ["StartExecution", "DescribeExecution", "StopExecution", "ListExecutions", "GetExecutionHistory"])
    await expect(cloud.call(action, { FlowName: "flow", ExecutionName: "one" })).rejects.toEqual(code("NoPermission", 403));
  expect(asked).toEqual([
    "fnf:StartExecution *",
    "fnf:DescribeExecution *",
    "fnf:StopExecution *",
    "fnf:ListExecutions *",
    "fnf:GetExecutionHistory *",
  ]);
  expect(cloud.flow.executions(REGION, "flow")).toMatchObject([{ status: "Running" }]);
});

test("parameters can be sent as a form", async () => {
  const cloud = startCloud();
  cloud.create(waiting);
  const caller = { accountId: "3333333333333333", arn: "acs:ram::3333333333333333:root" };
  const headers = { "x-acs-version": "2019-03-15", "content-type": "application/x-www-form-urlencoded" };
  const body = Buffer.from("FlowName=flow&ExecutionName=one&Input=%7B%22a%22%3A%22%2B%20%22%7D");
  const call = {
    region: REGION,
    caller,
    action: "StartExecution",
    version: "2019-03-15",
    method: "POST",
    path: "/",
    query: new URLSearchParams(),
    headers,
    body,
  };
  await cloud.flow.api({ ...call, authorize: () => {} });
  expect(cloud.flow.executions(REGION, "flow")).toMatchObject([{ name: "one", input: '{"a":"+ "}' }]);
});
