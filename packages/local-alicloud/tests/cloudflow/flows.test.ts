/** Flows and their executions. */
import { setImmediate } from "node:timers/promises";
import { systemClock } from "../../src/cloudflow/clock";
import { code, machine, names, REGION, startCloud, task, waiting } from "./support/cloud";

describe("flows", () => {
  test("are made once, updated and read back", () => {
    const { flow, create, clock } = startCloud();
    create(waiting);
    expect(() => create(waiting)).toThrow(code("FlowAlreadyExists", 409));
    const before = flow.getFlow(REGION, "flow");
    expect(before).toMatchObject({
      name: "flow",
      type: "FDL",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      createdTime: new Date(clock.now()).toISOString(),
    });
    flow.updateFlow(REGION, "flow", { description: "another" });
    expect(flow.getFlow(REGION, "flow")).toEqual({ ...before, description: "another" });
    expect(() => flow.updateFlow(REGION, "flow", { definition: "x" })).toThrow(code("InvalidArgument", 400));
    expect(() => flow.updateFlow(REGION, "other", {})).toThrow(code("FlowNotExists", 404));
    expect(flow.getFlow(REGION, "other")).toBeUndefined();
  });

  test.each<[string, object]>([
    ["a name that is none", { name: "1st" }],
    ["another type", { type: "ASL" }],
    ["a role of another account", { roleArn: "acs:ram::4444444444444444:role/flow" }],
  ])("are refused with %s", (_, changes) => {
    const { flow } = startCloud();
    const spec = { name: "flow", definition: JSON.stringify(waiting), description: "d", type: "FDL", ...changes };
    expect(() => flow.createFlow(REGION, spec)).toThrow(code("InvalidArgument", 400));
  });

  test("that are updated do not change running executions", async () => {
    const cloud = startCloud();
    cloud.create(machine({ Type: "Wait", Name: "W", Seconds: 60, Next: "S" }, { Type: "Succeed", Name: "S" }));
    await cloud.start("old");
    cloud.flow.updateFlow(REGION, "flow", { definition: JSON.stringify(machine({ Type: "Fail", Name: "F", Detail: "d" })) });
    await cloud.start("new");
    await cloud.clock.until(cloud.flow.idle());
    expect(cloud.flow.executions(REGION, "flow").map(({ name, status }) => [name, status])).toEqual([
      ["old", "Succeeded"],
      ["new", "Failed"],
    ]);
  });

  test("that are deleted stop and forget their executions", async () => {
    const cloud = startCloud();
    cloud.create(waiting);
    await cloud.start("one");
    await cloud.flow.deleteFlow(REGION, "flow");
    await cloud.flow.idle();
    expect(() => cloud.flow.executions(REGION, "flow")).toThrow(code("FlowNotExists", 404));
    cloud.create(waiting);
    expect(await cloud.start("one")).toMatchObject({ Status: "Running" });
  });
});

test("older executions lose their history first and are forgotten later", async () => {
  const cloud = startCloud({ keptExecutions: 3, keptHistories: 1 });
  cloud.create(machine({ Type: "Succeed", Name: "S" }));
  for (const name of ["a", "b", "c", "d"]) await cloud.run({ name }, name);
  expect(names(cloud)).toEqual(["b", "c", "d"]);
  expect(await cloud.history("d")).toHaveLength(6);
  await expect(cloud.history("c")).rejects.toEqual(code("ExecutionNotExists", 404));
  expect(await cloud.call("DescribeExecution", { FlowName: "flow", ExecutionName: "b" })).toMatchObject({
    Input: '{"name":"b"}',
  });
  await expect(cloud.start("b")).rejects.toEqual(code("ExecutionAlreadyExists", 400));
  expect(await cloud.start("a")).toMatchObject({ Status: "Running" });
});

test("stop ends running executions, also during a function, and refuses new ones", async () => {
  const cloud = startCloud();
  cloud.create(machine(task()));
  cloud.script = () => new Promise(() => {});
  await cloud.start("one");
  await cloud.clock.settle();
  await cloud.flow.stop();
  expect(cloud.flow.executions(REGION, "flow")).toMatchObject([{ status: "Stopped" }]);
  await expect(cloud.start("two")).rejects.toEqual(code("ResourceThrottled", 429));
});

test("stop ends a wait in real time", async () => {
  const cloud = startCloud(systemClock);
  cloud.create(waiting);
  await cloud.start("one");
  await setImmediate();
  await cloud.flow.stop();
  expect(cloud.flow.executions(REGION, "flow")).toMatchObject([{ status: "Stopped" }]);
});
