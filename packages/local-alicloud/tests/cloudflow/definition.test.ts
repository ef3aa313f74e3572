import { parseDefinition } from "../../src/cloudflow/definition";
import { machine, startCloud, task } from "./support/cloud";

const retry = { Errors: ["FnF.ALL"], Description: "again", MaxAttempts: 1, IntervalSeconds: 1 };
const pass = { Type: "Pass", Name: "P", End: true };
const wait = { Type: "Wait", Name: "W", Seconds: 1, End: true };
const parse = (...states: object[]) => parseDefinition(JSON.stringify(machine(...states)));

/** An example of the vendor's documentation. */
const YAML = `
Type: StateMachine
Name: my-workflow
SpecVersion: v1
Description: " "
StartAt: Choice1
States:
  - Type: Choice
    Name: Choice1
    Branches:
      - Condition: $Input.status == "true"
        Next: 调用函数
    Default: Fail1
  - Type: Fail
    Name: Fail1
    Code: "customBizCode"
    Detail: my custom error
    End: true
  - Type: Task
    Name: 调用函数
    Action: FC:InvokeFunction
    TaskMode: RequestComplete
    Parameters:
      resourceArn: acs:fc:cn-shanghai:3333333333333333:functions/video/LATEST
      invocationType: Sync
      body:
        videoUrl.$: $Input.videoUrl
    OutputConstructor:
      videoContent.$: $Output.Body.videoContent
    Next: Succeed
  - Type: Succeed
    Name: Succeed
    End: true
`;

test("reads the YAML of the vendor's pages", () => {
  const { startAt, states } = parseDefinition(YAML);
  expect(startAt).toBe("Choice1");
  expect([...states.values()].map(({ name, type, next }) => [name, type, next])).toEqual([
    ["Choice1", "Choice", "Fail1"],
    ["Fail1", "Fail", undefined],
    ["调用函数", "Task", "Succeed"],
    ["Succeed", "Succeed", undefined],
  ]);
});

test.each<[string, object[], string]>([
  ["an unknown state", [{ ...pass, Type: "Loop" }], 'States[0] (P).Type: Type: "Loop" is not a type of state'],
  ["Parallel", [{ Type: "Parallel", Name: "P", Branches: [] }], "is not served by the local cloud"],
  ["Map", [{ Type: "Map", Name: "P" }], "is not served by the local cloud"],
  ["an unknown field", [{ ...pass, Comment: "x" }], 'States[0] (P): Unrecognized key: "Comment"'],
  ["an unknown parameter", [task({}, { qualifier: "1" })], "States[0] (Work).Parameters"],
  ["another action", [task({ Action: "ECS:DescribeInstances" })], "States[0] (Work).Action: only FC:InvokeFunction"],
  ["a callback", [task({ TaskMode: "WaitForSystemCallback" })], "States[0] (Work).TaskMode: only RequestComplete"],
  [
    "a bad expression in a body",
    [task({}, { body: { a: [{ "b.$": "$x" }] } })],
    "States[0] (Work).Parameters.body.a[0].b.$: the expr",
  ],
  ["$Output in a body", [task({}, { "body.$": "$Output" })], "States[0] (Work).Parameters.body.$: the expression"],
  [
    "a bad condition",
    [{ Type: "Choice", Name: "C", Branches: [{ Condition: "1 +", Next: "P" }], Default: "P" }, pass],
    ".Branches[0].Condition: ",
  ],
  [
    "a Choice with Next",
    [{ Type: "Choice", Name: "C", Branches: [{ Condition: "true", Next: "P" }], Default: "P", Next: "P" }, pass],
    "Unrecognized",
  ],
  ["a Choice with Choices", [{ Type: "Choice", Name: "C", Choices: [], Default: "P" }, pass], "States[0] (C).Branches"],
  [
    "a retry without a description",
    [task({ Retry: [{ ...retry, Description: undefined }] })],
    "States[0] (Work).Retry[0].Description",
  ],
  ["a retry by another name", [task({ Retry: [{ ...retry, Multiplier: 2 }] })], "States[0] (Work).Retry[0]"],
  ["an interval of more than a day", [task({ Retry: [{ ...retry, IntervalSeconds: 86_401 }] })], "Retry[0].IntervalSeconds"],
  [
    "a catch that constructs nothing",
    [task({ Catch: [{ Errors: ["FnF.ALL"], Description: "d", Next: "P" }] }), pass],
    "Catch[0].OutputConstructor",
  ],
  [
    "$Output in a catch",
    [task({ Catch: [{ Errors: ["e"], Description: "d", OutputConstructor: { "a.$": "$Output" }, Next: "P" }] }), pass],
    ".Catch[0].OutputConstructor.a.$",
  ],
  ["Catch of a Wait", [{ ...wait, Catch: [] }], "States[0] (W)"],
  ["a Wait of 301 seconds", [{ ...wait, Seconds: 301 }], "States[0] (W).Seconds"],
  ["a Wait with a timestamp", [{ ...wait, Timestamp: "2019-05-02T15:04:05Z" }], 'Unrecognized key: "Timestamp"'],
  ["a Wait without seconds", [{ ...wait, Seconds: undefined }], "States[0] (W): has either Seconds or Seconds.$"],
  ["a Fail without a detail", [{ Type: "Fail", Name: "F", Code: "c" }], "States[0] (F).Detail"],
  ["neither Next nor End", [{ Type: "Pass", Name: "P" }], "States[0] (P): has either Next or End: true"],
  ["both Next and End", [{ ...pass, Next: "W" }, wait], "States[0] (P): has either Next or End: true"],
  ["a Next that leads nowhere", [{ Type: "Pass", Name: "P", Next: "Q" }], "States[0] (P): there is no state Q"],
  ["two states of one name", [{ Type: "Pass", Name: "P", Next: "P" }, pass], "States[1] (P): the name is used twice"],
  ["an unreachable state", [pass, wait], "States[1] (W): no state leads to it"],
])("%s is refused with its place", (_, states, reason) => {
  expect(() => parse(...states)).toThrow(reason);
});

test.each<[string, string, string]>([
  ["the old language", "version: v1\ntype: flow\nsteps: []", "Type: "],
  ["another version", JSON.stringify({ ...machine(pass), SpecVersion: "v2" }), "SpecVersion: "],
  ["a start that is not there", JSON.stringify({ ...machine(pass), StartAt: "Q" }), "StartAt: there is no state Q"],
  ["no YAML", "Type: [", "Flow sequence"],
  ["a duplicate key", "Type: StateMachine\nType: StateMachine", "Map keys must be unique"],
  ["nothing", "", "the definition: "],
])("%s is refused", (_, text, reason) => {
  expect(() => parseDefinition(text)).toThrow(reason);
});

test("a flow is refused with the vendor's code and the flow's name", () => {
  const { flow } = startCloud();
  const spec = { name: "flow", definition: JSON.stringify(machine({ ...pass, X: 1 })), description: "d", type: "FDL" };
  expect(() => flow.createFlow("cn-shanghai", spec)).toThrow(
    expect.objectContaining({
      code: "InvalidArgument",
      message: expect.stringContaining("the definition of flow flow is invalid: States[0]"),
    }),
  );
});
