/** The interpreter, state by state, in virtual time. */
import { FUNCTION_ARN, FunctionFailure, failureOf, machine, REGION, ServiceFailure, startCloud, task } from "./support/cloud";

const SECONDS = 1000;

test("a task sends its body, and its output constructor sees the answer", async () => {
  const cloud = startCloud();
  cloud.create(
    machine(
      task(
        { Next: "Last", OutputConstructor: { "sum.$": "$Output.Body.sum", "was.$": "$Input.a" } },
        { body: { "n.$": "$Input.a", c: 1 } },
      ),
      { Type: "Succeed", Name: "Last", OutputConstructor: { "all.$": "$Input", "name.$": "$Context.Execution.Name" } },
    ),
  );
  cloud.script = ({ n, c }: { n: number; c: number }) => ({ sum: n + c });
  const answer = await cloud.run({ a: 2 });
  expect(cloud.calls.map(({ region, functionName, event }) => ({ region, functionName, event }))).toEqual([
    { region: REGION, functionName: "worker", event: { n: 2, c: 1 } },
  ]);
  expect(answer).toMatchObject({ Status: "Succeeded", Output: '{"all":{"sum":3,"was":2},"name":"one"}' });
  expect((await cloud.history("one")).map(({ Type, StepName }) => [Type, StepName])).toEqual([
    ["ExecutionStarted", ""],
    ["StepEntered", "Work"],
    ["StepStarted", "Work"],
    ["TaskScheduled", "Work"],
    ["TaskStarted", "Work"],
    ["TaskSucceeded", "Work"],
    ["StepSucceeded", "Work"],
    ["StepExited", "Work"],
    ["StepEntered", "Last"],
    ["StepStarted", "Last"],
    ["StepSucceeded", "Last"],
    ["StepExited", "Last"],
    ["ExecutionSucceeded", ""],
  ]);
});

test.each<[string, object, unknown]>([
  ["text as it is", { body: "text" }, "text"],
  ["nothing where there is no body", {}, ""],
])("a task sends %s", async (_, parameters, expected) => {
  const cloud = startCloud();
  cloud.create(machine(task({}, parameters)));
  expect(await cloud.run()).toMatchObject({ Status: "Succeeded" });
  expect(cloud.calls).toMatchObject([{ event: expected }]);
});

test.each<[string, unknown, string]>([
  ["an object", { a: 1 }, '{"Body":{"a":1}}'],
  ["what is no JSON", "no object", '{"Body":"no object"}'],
])("without a constructor a task's output is the wrapped answer: %s", async (_, answer, expected) => {
  const cloud = startCloud();
  cloud.create(machine(task()));
  cloud.script = () => answer;
  expect(await cloud.run()).toMatchObject({ Status: "Succeeded", Output: expected });
});

test("an asynchronous task ends at once without an answer", async () => {
  const cloud = startCloud();
  cloud.create(machine(task({}, { invocationType: "Async", body: { a: 1 } })));
  expect(await cloud.run()).toMatchObject({ Status: "Succeeded", Output: "{}" });
  expect(cloud.calls).toMatchObject([{ event: { a: 1 } }]);
  expect((await cloud.history("one")).map(({ Type }) => Type)).toContain("TaskSubmitted");
});

test("an input constructor replaces the input", async () => {
  const cloud = startCloud();
  cloud.create(
    machine({
      Type: "Pass",
      Name: "P",
      InputConstructor: { "b.$": "$Input.a", "start.$": "$Context.Execution.Input" },
      End: true,
    }),
  );
  expect(await cloud.run({ a: 1 })).toMatchObject({ Output: '{"b":1,"start":{"a":1}}' });
});

test.each<[unknown, string]>([
  [{ n: 1 }, "One"],
  [{ n: 2 }, "Two"],
  [{ n: 3 }, "Else"],
])("a choice of %j takes the first branch that is true: %s", async (input, expected) => {
  const cloud = startCloud();
  const end = (Name: string) => ({ Type: "Pass", Name, OutputConstructor: { "state.$": "$Context.Current.Name" }, End: true });
  const Branches = [
    { Condition: "$Input.n == 1", Next: "One" },
    { Condition: "$Input.n <= 2", Next: "Two" },
  ];
  cloud.create(machine({ Type: "Choice", Name: "C", Branches, Default: "Else" }, end("One"), end("Two"), end("Else")));
  expect(await cloud.run(input)).toMatchObject({ Output: JSON.stringify({ state: expected }) });
});

test.each<[string, object, unknown, number]>([
  ["a number", { Seconds: 12 }, {}, 12],
  ["an expression", { "Seconds.$": "$Input.timeout" }, { timeout: 300 }, 300],
])("a wait of %s lasts that long", async (_, duration, input, seconds) => {
  const cloud = startCloud();
  cloud.create(machine({ Type: "Wait", Name: "W", ...duration, End: true }));
  const begun = cloud.clock.now();
  expect(await cloud.run(input)).toMatchObject({ Status: "Succeeded", Output: JSON.stringify(input) });
  expect(cloud.clock.now() - begun).toBe(seconds * SECONDS);
});

test.each([0, 301, 1.5, "5"])("a wait of %j fails", async (timeout) => {
  const cloud = startCloud();
  cloud.create(machine({ Type: "Wait", Name: "W", "Seconds.$": "$Input.timeout", End: true }));
  await cloud.run({ timeout });
  expect(failureOf(await cloud.history("one"))).toMatchObject({ error: "InvalidWait" });
});

test("a Fail state ends the execution with its code", async () => {
  const cloud = startCloud();
  cloud.create(machine({ Type: "Fail", Name: "F", Code: "customBizCode", Detail: "my custom error" }));
  expect(await cloud.run()).toMatchObject({ Status: "Failed", Output: "" });
  expect(failureOf(await cloud.history("one"))).toEqual({ error: "customBizCode", cause: "my custom error" });
});

describe("errors of functions", () => {
  test.each<[string, () => Error, object]>([
    [
      "one that was thrown, by its name",
      () => new FunctionFailure("UnhandledInvocationError", { errorType: "MyError", errorMessage: "m" }),
      { error: "MyError" },
    ],
    [
      "one that ended the function",
      () => new FunctionFailure("UnhandledInvocationError", { errorMessage: "timed out" }),
      { error: "FC.Unknown", cause: '{"errorMessage":"timed out"}' },
    ],
    ["one of the service", () => new ServiceFailure(429, "ResourceThrottled"), { error: "FC.ResourceThrottled" }],
    [
      "an unexpected one",
      () => new Error("the socket broke"),
      { error: "FC.InternalServerError", cause: expect.stringContaining("the socket broke") },
    ],
  ])("%s", async (_, failure, expected) => {
    const cloud = startCloud();
    cloud.create(machine(task()));
    cloud.script = () => {
      throw failure();
    };
    expect(await cloud.run()).toMatchObject({ Status: "Failed" });
    expect(failureOf(await cloud.history("one"))).toMatchObject(expected);
  });

  const rule = (changes: object) => ({
    Errors: ["FnF.ALL"],
    Description: "again",
    MaxAttempts: 3,
    IntervalSeconds: 10,
    ...changes,
  });
  test.each<[string, object[], number[]]>([
    ["a steady interval", [rule({})], [0, 10, 20, 30]],
    ["a growing one", [rule({ BackoffRate: 2 })], [0, 10, 30, 70]],
    ["a growing one up to a limit", [rule({ BackoffRate: 10, MaxBackoffSeconds: 30 })], [0, 10, 40, 70]],
    ["the first rule that fits", [rule({ Errors: ["Other"] }), rule({ Errors: ["MyError"], MaxAttempts: 1 }), rule({})], [0, 10]],
    ["no rule that fits", [rule({ Errors: ["Other"] })], [0]],
  ])("are retried with %s", async (_, Retry, expected) => {
    const cloud = startCloud();
    cloud.create(machine(task({ Retry })));
    const begun = cloud.clock.now();
    cloud.script = () => {
      throw new FunctionFailure("UnhandledInvocationError", { errorType: "MyError" });
    };
    expect(await cloud.run()).toMatchObject({ Status: "Failed" });
    expect(cloud.calls.map(({ at }) => (at - begun) / SECONDS)).toEqual(expected);
  });

  test("each rule counts its own attempts, and $Context has the sum", async () => {
    const cloud = startCloud();
    const Retry = [rule({ Errors: ["FC.ResourceThrottled"], MaxAttempts: 2 }), rule({ MaxAttempts: 1 })];
    cloud.create(machine(task({ Retry }, { body: { "retries.$": "$Context.Current.RetryCount" } })));
    const failures = [
      new ServiceFailure(429, "ResourceThrottled"),
      new ServiceFailure(500, "X"),
      new ServiceFailure(429, "ResourceThrottled"),
    ];
    cloud.script = () => {
      const failure = failures.shift();
      if (failure) throw failure;
      return {};
    };
    expect(await cloud.run()).toMatchObject({ Status: "Succeeded" });
    expect(cloud.calls.map(({ event }) => event)).toEqual([{ retries: 0 }, { retries: 1 }, { retries: 2 }, { retries: 3 }]);
  });

  test("are caught after the retries, with the output of the catch", async () => {
    const cloud = startCloud();
    const OutputConstructor = {
      "key.$": "$Input.key",
      "why.$": 'format("{} {}", $Context.Current.Error.Code, $Context.Current.Error.Detail)',
    };
    const Catch = [
      { Errors: ["Other"], Description: "other", OutputConstructor: {}, Next: "Work" },
      { Errors: ["FnF.ALL"], Description: "all", OutputConstructor, Next: "After" },
    ];
    cloud.create(machine(task({ Retry: [rule({ MaxAttempts: 1 })], Catch, Next: "After" }), { Type: "Succeed", Name: "After" }));
    cloud.script = () => {
      throw new FunctionFailure("UnhandledInvocationError", { errorMessage: "boom" });
    };
    const answer = await cloud.run({ key: "k" });
    expect(answer.Status).toBe("Succeeded");
    expect(JSON.parse(answer.Output ?? "")).toEqual({ key: "k", why: 'FC.Unknown {"errorMessage":"boom"}' });
    const types = (await cloud.history("one")).map(({ Type }) => Type);
    expect(types.filter((type) => type === "TaskFailed")).toHaveLength(2);
    expect(types.slice(-6, -4)).toEqual(["StepExited", "StepEntered"]);
  });

  test("are cut to the limit of a cause", async () => {
    const cloud = startCloud();
    cloud.create(machine(task()));
    cloud.script = () => {
      throw new FunctionFailure("UnhandledInvocationError", { errorMessage: "x".repeat(10_000) });
    };
    await cloud.run();
    expect((failureOf(await cloud.history("one")) as { cause: string }).cause).toHaveLength(4096);
  });
});

describe("the flow's role", () => {
  test("is assumed once for an hour's tasks and allows exactly the function", async () => {
    const cloud = startCloud();
    cloud.create(machine(task()));
    await cloud.run({}, "a");
    await cloud.run({}, "b");
    expect(cloud.assumed).toHaveLength(1);
    expect(cloud.permissions.map(({ action, resource, allowed }) => [action, resource, allowed])).toEqual(
      Array(2).fill(["fc:InvokeFunction", FUNCTION_ARN, true]),
    );
    await cloud.clock.advance(3_600_000);
    await cloud.run({}, "c");
    expect(cloud.assumed).toHaveLength(2);
  });

  test.each<[string, { roleArn?: string; resourceArn?: string; forbid?: true }, object]>([
    ["may not", { forbid: true }, { error: "FC.AccessDenied" }],
    ["does not exist", { roleArn: "acs:ram::3333333333333333:role/other" }, { error: "FC.EntityNotExist.Role" }],
    [
      "is asked for another account",
      { resourceArn: "acs:fc:cn-shanghai:4444444444444444:functions/worker" },
      { error: "FC.AccessDenied" },
    ],
    ["is asked for a version", { resourceArn: `${FUNCTION_ARN}/prod` }, { error: "FC.InvalidArgument" }],
  ])("%s: the task fails and nothing is invoked", async (_, { roleArn, resourceArn, forbid }, expected) => {
    const cloud = startCloud();
    if (forbid) cloud.allowed = () => false;
    cloud.create(machine(task({}, { ...(resourceArn ? { resourceArn } : {}), body: {} })), roleArn ? { roleArn } : {});
    await cloud.run();
    expect(cloud.calls).toEqual([]);
    expect(failureOf(await cloud.history("one"))).toMatchObject(expected);
  });
});

describe("limits", () => {
  const loop = machine({ Type: "Pass", Name: "A", Next: "B" }, { Type: "Pass", Name: "B", Next: "A" });

  test("an execution has 5,000 events", async () => {
    const cloud = startCloud();
    cloud.create(loop);
    expect(await cloud.run()).toMatchObject({ Status: "Failed" });
    const events: unknown[] = [];
    for (let token: string | undefined = "0"; token !== undefined; ) {
      const page: Record<string, unknown> = await cloud.call("GetExecutionHistory", {
        FlowName: "flow",
        ExecutionName: "one",
        Limit: 1000,
        NextToken: token,
      });
      events.push(...(page.Events as unknown[]));
      token = page.NextToken as string | undefined;
    }
    expect(events).toHaveLength(5_000);
    expect(events.at(-1)).toMatchObject({ Type: "ExecutionFailed", EventDetail: expect.stringContaining("TooManyEvents") });
  });

  test.each<[string, number, string]>([
    ["fits", 64 * 1024 - 11, "Succeeded"],
    ["does not fit", 64 * 1024 - 10, "Failed"],
  ])("an answer that %s into 64 KiB with its wrapping: %i characters", async (_, characters, status) => {
    const cloud = startCloud();
    cloud.create(machine(task({ Retry: [{ Errors: ["FnF.ALL"], Description: "again", MaxAttempts: 3, IntervalSeconds: 1 }] })));
    cloud.script = () => "x".repeat(characters);
    expect(await cloud.run()).toMatchObject({ Status: status });
    expect(cloud.calls).toHaveLength(1);
  });

  test("a path that does not exist fails the execution and cannot be caught", async () => {
    const cloud = startCloud();
    const Catch = [{ Errors: ["FnF.ALL"], Description: "all", OutputConstructor: {}, Next: "After" }];
    cloud.create(machine(task({ Catch, Next: "After" }, { "body.$": "$Input.missing" }), { Type: "Succeed", Name: "After" }));
    await cloud.run();
    expect(failureOf(await cloud.history("one"))).toEqual({ error: "ExpressionFailed", cause: "there is no $Input.missing" });
  });
});
