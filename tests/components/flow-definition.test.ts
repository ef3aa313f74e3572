/** The real workflow of push mode on the local CloudFlow's interpreter, around a scripted pusher, in virtual time. */

import {
  SIMULATED_ACCOUNT_ID as ACCOUNT_ID,
  type FlowSimulation,
  SIMULATED_FUNCTION_ARN as FUNCTION_ARN,
  FunctionFailure,
  SIMULATED_REGION as REGION,
  SIMULATED_ROLE_ARN as ROLE_ARN,
  ServiceFailure,
  simulateCloudFlow,
} from "local-alicloud";
import { flowDefinition } from "../../components/alicloud/flow-definition";
import { type PushState, parsePushState } from "../../runtime/protocol/push";

const HARD_END_SECONDS = 60;
const SECONDS = 1000;
const args = { name: "bridge-push", functionArn: FUNCTION_ARN, inlineHardEndSeconds: HARD_END_SECONDS };

const START: PushState = {
  version: 1,
  next: "inspect",
  key: 'dir/"odd" {} $Input.key.txt',
  execution: "kabc",
  eventId: "event-1",
  firstSeenMs: 1_700_000_000_000,
  attempt: 0,
  rounds: 0,
  bytesMoved: 0,
};

type Step = (state: PushState) => PushState;
const to =
  (next: PushState["next"], changes: Partial<PushState> = {}): Step =>
  (state) => ({ ...state, ...changes, next });
const throws =
  (error: Error): Step =>
  () => {
    throw error;
  };
const broken = throws(new FunctionFailure("UnhandledInvocationError", { errorMessage: "out of memory" }));

const inspected = to("copy");
const copied = to("verify", { bytesMoved: 7 });
const verified = to("record", { result: "replicated" });
const recorded = to("done");
const parked = to("done", { result: "parked" });

/** A pusher that gives the answers in order and refuses a state that does not fit the protocol, as the real one does. */
function pushing(...script: Step[]): FlowSimulation & { steps(): string[]; states: PushState[] } {
  const cloud = simulateCloudFlow();
  const states: PushState[] = [];
  const steps = [...script];
  cloud.create(flowDefinition(args));
  cloud.script = (event: unknown) => {
    const state = parsePushState(event);
    states.push(state);
    const step = steps.shift();
    if (step === undefined) throw new Error(`the script ends before ${state.next}`);
    return step(state);
  };
  return Object.assign(cloud, { states, steps: () => states.map(({ next }) => next) });
}

const secondsOf = (cloud: FlowSimulation) => cloud.calls.map(({ at }) => (at - (cloud.calls[0]?.at ?? 0)) / SECONDS);
const failureOf = (events: Awaited<ReturnType<FlowSimulation["history"]>>): unknown =>
  JSON.parse(events.at(-1)?.EventDetail ?? "");
const outputOf = (answer: Record<string, unknown>) => JSON.parse(String(answer.Output));

test("has exactly these states", () => {
  const { StartAt, States } = JSON.parse(flowDefinition(args)) as { StartAt: string; States: { Name: string; Type: string }[] };
  expect(StartAt).toBe("Inspect");
  expect(States.map(({ Name, Type }) => `${Type} ${Name}`)).toEqual([
    "Task Inspect",
    "Choice Route",
    "Task InspectAgain",
    "Task Copy",
    "Task Verify",
    "Task Record",
    "Wait Wait",
    "Task Park",
    "Wait ParkLater",
    "Fail Parked",
    "Fail UnknownStep",
  ]);
});

test("every task invokes the function synchronously, retries and is caught", () => {
  const { States } = JSON.parse(flowDefinition(args)) as { States: Record<string, object>[] };
  const tasks = States.filter(({ Type }) => (Type as unknown) === "Task");
  expect(tasks).toHaveLength(6);
  for (const task of tasks) {
    expect(task).toMatchObject({
      Action: "FC:InvokeFunction",
      TaskMode: "RequestComplete",
      Parameters: { resourceArn: `acs:fc:${REGION}:${ACCOUNT_ID}:functions/worker/LATEST`, invocationType: "Sync" },
      Retry: [{ IntervalSeconds: 1 }, { Errors: ["FnF.ALL"], IntervalSeconds: HARD_END_SECONDS }],
    });
    expect(task).toMatchObject({ Catch: [{ Errors: ["FnF.ALL"] }] });
  }
});

test.each([0, 1.5, 86_401, Number.NaN])("a hard end of %p seconds is refused", (inlineHardEndSeconds) => {
  expect(() => flowDefinition({ ...args, inlineHardEndSeconds })).toThrow("inlineHardEndSeconds");
});

test("an object goes through inspect, copy, verify and record once each, with the whole state", async () => {
  const cloud = pushing(inspected, copied, verified, recorded);
  const answer = await cloud.run(START);
  expect(cloud.steps()).toEqual(["inspect", "copy", "verify", "record"]);
  expect(cloud.states[0]).toEqual(START);
  expect(cloud.states[3]).toEqual({ ...START, next: "record", bytesMoved: 7, result: "replicated" });
  expect(answer.Status).toBe("Succeeded");
  expect(outputOf(answer)).toEqual({ state: { ...START, next: "done", bytesMoved: 7, result: "replicated" } });
  const entered = (await cloud.history("one")).filter(({ Type }) => Type === "StepEntered").map(({ StepName }) => StepName);
  expect(entered).toEqual(["Inspect", "Route", "Copy", "Route", "Verify", "Route", "Record"]);
});

test("the role needs no more than to invoke the function", async () => {
  const cloud = pushing(to("record", { result: "unchanged" }), recorded);
  await cloud.run(START);
  const needed = new Set(cloud.permissions.map(({ action, resource }) => `${action} ${resource}`));
  expect([...needed]).toEqual([`fc:InvokeFunction ${FUNCTION_ARN}`]);
  expect(cloud.assumed).toEqual([ROLE_ARN]);
  expect(cloud.steps()).toEqual(["inspect", "record"]);
});

test("a source that moved on is inspected again", async () => {
  const cloud = pushing(inspected, copied, to("inspect", { rounds: 1 }), inspected, copied, verified, recorded);
  expect(await cloud.run(START)).toMatchObject({ Status: "Succeeded" });
  expect(cloud.steps()).toEqual(["inspect", "copy", "verify", "inspect", "copy", "verify", "record"]);
  expect(cloud.states[3]).toEqual({ ...START, next: "inspect", rounds: 1, bytesMoved: 7 });
  expect(secondsOf(cloud).every((at) => at === 0)).toBe(true);
});

test.each([
  [1, 1],
  [300, 300],
])("a wait of %i seconds lasts %i and then begins with a look", async (waitSeconds, expected) => {
  const cloud = pushing(
    inspected,
    to("wait", { waitSeconds, attempt: 1, reason: "busy" }),
    inspected,
    copied,
    verified,
    recorded,
  );
  expect(await cloud.run(START)).toMatchObject({ Status: "Succeeded" });
  expect(secondsOf(cloud)).toEqual([0, 0, expected, expected, expected, expected]);
  expect(cloud.states[2]).toEqual({ ...START, next: "wait", waitSeconds, attempt: 1, reason: "busy" });
});

test("what the function cannot answer is tried again once the attempt must have ended, then it goes on", async () => {
  const cloud = pushing(inspected, broken, broken, copied, verified, recorded);
  expect(await cloud.run(START)).toMatchObject({ Status: "Succeeded" });
  expect(secondsOf(cloud)).toEqual([0, 0, 60, 180, 180, 180]);
  expect(cloud.steps()).toEqual(["inspect", "copy", "copy", "copy", "verify", "record"]);
});

test("no later retry comes sooner than the hard end, however long it is", async () => {
  const cloud = simulateCloudFlow();
  cloud.create(flowDefinition({ ...args, inlineHardEndSeconds: 3_600 }));
  cloud.script = () => {
    throw new ServiceFailure(500, "InternalServerError");
  };
  await cloud.run(START);
  const times = secondsOf(cloud);
  const pauses = times.slice(1, 12).map((at, index) => at - (times[index] ?? 0));
  expect(pauses).toEqual([3600, 3600, 3600, 3600, 3600, 0, 3600, 3600, 3600, 3600, 3600]);
});

test("a throttled function is asked again soon, and for a week", async () => {
  const throttled = throws(new ServiceFailure(429, "ResourceThrottled"));
  const cloud = pushing(...Array.from({ length: 1_100 }, () => throttled), to("record", { result: "unchanged" }), recorded);
  expect(await cloud.run(START)).toMatchObject({ Status: "Succeeded" });
  const times = secondsOf(cloud);
  // A wait is about a twentieth of the time that has passed, and at most ten minutes.
  expect(times.filter((at) => at <= 60).length).toBeGreaterThan(25);
  const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  expect(Math.max(...waits)).toBeLessThanOrEqual(600.001);
  expect((times.at(-1) ?? 0) / 3600).toBeGreaterThan(156);
});

test("a key whose function stays throttled is parked later: its execution does not end before days have passed", async () => {
  const cloud = simulateCloudFlow();
  cloud.create(flowDefinition(args));
  cloud.script = () => {
    throw new ServiceFailure(429, "ResourceThrottled");
  };
  await cloud.run(START);
  expect((secondsOf(cloud).at(-1) ?? 0) / 86_400).toBeGreaterThan(9);
});

test("a key that goes into a queue ends its execution, which succeeds with the reason", async () => {
  const waiting = { result: "waiting", reason: "the destination is down" } as const;
  const cloud = pushing(to("record", waiting), to("done", waiting));
  const answer = await cloud.run(START);
  expect(answer).toMatchObject({ Status: "Succeeded" });
  expect(outputOf(answer)).toMatchObject({ state: { ...waiting, next: "done" } });
});

describe.each<[string, Step[]]>([
  ["inspect", []],
  ["copy", [inspected]],
  ["verify", [inspected, copied]],
  ["record", [inspected, copied, verified]],
  ["inspect after a wait", [to("wait", { waitSeconds: 5 })]],
])("when %s cannot be done", (_, before) => {
  test("the key is parked with the error and the execution fails", async () => {
    const cloud = pushing(...before, ...Array<Step>(6).fill(broken), parked);
    expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
    const state = cloud.states.at(-1);
    expect(cloud.steps()).toHaveLength(before.length + 7);
    expect(state).toMatchObject({ next: "park", key: START.key, execution: START.execution, firstSeenMs: START.firstSeenMs });
    expect(state?.reason).toBe('the workflow gave up after FC.Unknown: {"errorMessage":"out of memory"}');
    expect(failureOf(await cloud.history("one"))).toMatchObject({ error: "Parked" });
  });
});

test("what the pusher itself parks keeps its reason where an operator looks", async () => {
  const cloud = pushing(inspected, to("park", { reason: "forbidden by policy", attempt: 8 }), parked);
  expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
  expect(cloud.states.at(-1)).toEqual({ ...START, next: "park", reason: "forbidden by policy", attempt: 8 });
  const events = await cloud.history("one");
  const entered = events.find(({ Type, StepName }) => Type === "StepEntered" && StepName === "Parked");
  expect(JSON.parse(entered?.EventDetail ?? "").input.state).toMatchObject({ reason: "forbidden by policy", result: "parked" });
});

test("a key that cannot even be parked stays in its execution, and is parked later", async () => {
  const cloud = pushing(to("park", { reason: "forbidden" }), ...Array<Step>(12).fill(broken), parked);
  expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
  expect(cloud.steps()).toEqual(["inspect", ...Array(13).fill("park")]);
  expect(cloud.states.at(-1)).toMatchObject({ key: START.key, reason: "forbidden" });
  expect(failureOf(await cloud.history("one"))).toMatchObject({ error: "Parked" });
  expect((secondsOf(cloud).at(-1) ?? 0) > 600).toBe(true);
});

test("a step that the workflow does not have fails the execution", async () => {
  const cloud = pushing(to("done"));
  expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
  expect(failureOf(await cloud.history("one"))).toMatchObject({ error: "UnknownStep" });
});

test("a repeated start joins the execution, and one that comes too late is told so", async () => {
  const cloud = pushing(inspected, to("wait", { waitSeconds: 30 }), inspected, copied, verified, recorded);
  await cloud.start("kabc", START);
  await cloud.clock.advance(10 * SECONDS);
  expect(await cloud.start("kabc", { ...START, eventId: "event-2" })).toMatchObject({
    Status: "Running",
    Input: JSON.stringify(START),
  });
  await cloud.clock.until(cloud.flow.idle());
  expect(cloud.steps()).toEqual(["inspect", "copy", "wait", "copy", "verify", "record"]);
  await expect(cloud.start("kabc", START)).rejects.toMatchObject({ code: "ExecutionAlreadyExists" });
});

/** How often a script can go round before the execution has had its 5,000 events. */
async function roundsOf(next: Record<string, PushState["next"]>, counted: PushState["next"]): Promise<number> {
  const cloud = simulateCloudFlow();
  cloud.create(flowDefinition(args));
  let rounds = 0;
  cloud.script = (state: PushState): PushState => {
    if (state.next === counted) rounds += 1;
    const following = next[state.next] ?? "park";
    return following === "wait" ? { ...state, next: "wait", waitSeconds: 60 } : { ...state, next: following };
  };
  expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
  return rounds;
}

test.each<[string, Record<string, PushState["next"]>, PushState["next"], number]>([
  ["waits for another copy, seen by the look at the destination", { inspect: "wait", wait: "wait" }, "wait", 332],
  ["waits for another copy, seen by the copy", { inspect: "copy", wait: "copy", copy: "wait" }, "copy", 192],
  ["sources that move on at once", { inspect: "copy", copy: "verify", verify: "inspect" }, "verify", 151],
  ["sources that move on, with waits", { inspect: "copy", wait: "copy", copy: "verify", verify: "wait" }, "verify", 135],
])("an execution's events suffice for so many %s", async (_, next, counted, expected) => {
  expect(await roundsOf(next, counted)).toBe(expected);
});

test("the longest state with an error of the longest kind stays far below the limit of an input", async () => {
  const key = "\u{1F600}".repeat(255);
  const long = throws(new FunctionFailure("UnhandledInvocationError", { errorMessage: "x".repeat(100_000) }));
  const cloud = simulateCloudFlow();
  const seen: PushState[] = [];
  cloud.create(flowDefinition(args));
  cloud.script = (state: PushState): PushState => {
    if (state.next !== "park") return long(state);
    seen.push(state);
    return { ...state, next: "done", result: "parked" };
  };
  await cloud.run({ ...START, key });
  expect(seen.map((state) => [state.key, state.reason?.length])).toEqual([
    [key, 4096 + "the workflow gave up after FC.Unknown: ".length],
  ]);
});
