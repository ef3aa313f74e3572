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
import { type PushState, parsePushCall, readUnfinished, Unfinished } from "../../runtime/protocol/push";

const HARD_END_SECONDS = 60;
const SECONDS = 1000;
/** What an object that fits one attempt may cost: two steps are $50 a million, and 50 objects a second at the default quota. */
const MOST_STEPS = 2;
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

const recorded = to("done", { result: "replicated", bytesMoved: 7 });
const parked = to("done", { result: "parked" });
const goesOn = to("copy", { bytesMoved: 3 });

type Pushing = FlowSimulation & { whys(): string[]; states: PushState[] };

/**
 * A pusher that gives the answers in order and refuses a call that does not fit the protocol, as the real one does. Its first call fails with
 * `Unfinished` where the answer is not the end, and `resume` answers with what the error carries.
 */
function pushing(...script: Step[]): Pushing {
  const cloud = simulateCloudFlow();
  const states: PushState[] = [];
  const whys: string[] = [];
  const steps = [...script];
  cloud.create(flowDefinition(args));
  cloud.script = (event: unknown) => {
    const { why, state, detail } = parsePushCall(event);
    whys.push(why);
    states.push(state);
    const next = () => {
      const step = steps.shift();
      if (step === undefined) throw new Error(`the script ends before ${why}`);
      return step(state);
    };
    if (why === "resume") return readUnfinished(state, detail ?? "") ?? next();
    const answer = next();
    if (why !== "first" || answer.next === "done") return answer;
    return throwAs(new Unfinished(answer));
  };
  return Object.assign(cloud, { states, whys: () => whys });
}

/** Fails as Function Compute reports an error that the function threw. */
function throwAs({ name, message, stack = "" }: Error): never {
  throw new FunctionFailure("UnhandledInvocationError", {
    errorMessage: message,
    errorType: name,
    stackTrace: stack.split("\n"),
  });
}

const secondsOf = (cloud: FlowSimulation) => cloud.calls.map(({ at }) => (at - (cloud.calls[0]?.at ?? 0)) / SECONDS);
const failureOf = (events: Awaited<ReturnType<FlowSimulation["history"]>>): unknown =>
  JSON.parse(events.at(-1)?.EventDetail ?? "");
const outputOf = (answer: Record<string, unknown>) => JSON.parse(String(answer.Output));

test("has exactly these states", () => {
  const { StartAt, States } = JSON.parse(flowDefinition(args)) as { StartAt: string; States: { Name: string; Type: string }[] };
  expect(StartAt).toBe("Replicate");
  expect(States.map(({ Name, Type }) => `${Type} ${Name}`)).toEqual([
    "Task Replicate",
    "Task Resume",
    "Wait Unanswered",
    "Choice Route",
    "Wait Wait",
    "Task Again",
    "Succeed Done",
    "Task Park",
    "Wait ParkLater",
    "Fail Parked",
    "Fail UnknownStep",
  ]);
});

test("every task invokes the function synchronously, retries and is caught", () => {
  const { States } = JSON.parse(flowDefinition(args)) as { States: Record<string, object>[] };
  const tasks = States.filter(({ Type }) => (Type as unknown) === "Task");
  expect(tasks).toHaveLength(4);
  for (const task of tasks) {
    expect(task).toMatchObject({
      Action: "FC:InvokeFunction",
      TaskMode: "RequestComplete",
      Parameters: { resourceArn: `acs:fc:${REGION}:${ACCOUNT_ID}:functions/worker/LATEST`, invocationType: "Sync" },
    });
    const [throttled, other] = task.Retry as object[];
    expect(throttled).toMatchObject({ IntervalSeconds: 1 });
    // A rule for every error would repeat the first call although it has ended.
    if ((task.Name as unknown) === "Replicate") expect(other).toBeUndefined();
    else expect(other).toMatchObject({ Errors: ["FnF.ALL"], IntervalSeconds: HARD_END_SECONDS });
    expect((task.Catch as { Errors: string[] }[]).at(-1)).toMatchObject({ Errors: ["FnF.ALL"] });
  }
});

test.each([0, 1.5, 301, Number.NaN])("a hard end of %p seconds is refused", (inlineHardEndSeconds) => {
  expect(() => flowDefinition({ ...args, inlineHardEndSeconds })).toThrow("inlineHardEndSeconds");
});

const entered = async (cloud: FlowSimulation) =>
  (await cloud.history("one")).filter(({ Type }) => Type === "StepEntered").map(({ StepName }) => StepName);

test("an object that fits one attempt is one state and one call, with the whole state", async () => {
  const cloud = pushing(recorded);
  const answer = await cloud.run(START);
  expect(cloud.whys()).toEqual(["first"]);
  expect(cloud.states).toEqual([START]);
  expect(answer.Status).toBe("Succeeded");
  expect(outputOf(answer)).toEqual({ state: { ...START, next: "done", bytesMoved: 7, result: "replicated" } });
  const steps = await entered(cloud);
  expect(steps).toEqual(["Replicate"]);
  expect(steps.length).toBeLessThanOrEqual(MOST_STEPS);
});

test("the role needs no more than to invoke the function", async () => {
  const cloud = pushing(goesOn, recorded);
  await cloud.run(START);
  const needed = new Set(cloud.permissions.map(({ action, resource }) => `${action} ${resource}`));
  expect([...needed]).toEqual([`fc:InvokeFunction ${FUNCTION_ARN}`]);
  expect(cloud.assumed).toEqual([ROLE_ARN]);
});

test("what the first call has not ended goes on with the state that its error carries", async () => {
  const cloud = pushing(goesOn, recorded);
  const answer = await cloud.run(START);
  expect(answer).toMatchObject({ Status: "Succeeded" });
  expect(cloud.whys()).toEqual(["first", "resume", "again"]);
  expect(cloud.states).toEqual([START, START, { ...START, next: "copy", bytesMoved: 3 }]);
  expect(secondsOf(cloud)).toEqual([0, 0, 0]);
  expect(outputOf(answer)).toMatchObject({ state: { next: "done", result: "replicated" } });
  expect(await entered(cloud)).toEqual(["Replicate", "Resume", "Route", "Again", "Route", "Done"]);
});

test.each([
  [1, 1],
  [300, 300],
])("a wait of %i seconds lasts %i and then begins with a look", async (waitSeconds, expected) => {
  const cloud = pushing(to("wait", { waitSeconds, attempt: 1, reason: "busy" }), recorded);
  expect(await cloud.run(START)).toMatchObject({ Status: "Succeeded" });
  expect(cloud.whys()).toEqual(["first", "resume", "again"]);
  expect(secondsOf(cloud)).toEqual([0, 0, expected]);
  expect(cloud.states[2]).toEqual({ ...START, next: "wait", waitSeconds, attempt: 1, reason: "busy" });
});

test("a first call without an answer is tried again once the attempt must have ended", async () => {
  const cloud = pushing(broken, broken, broken, recorded);
  expect(await cloud.run(START)).toMatchObject({ Status: "Succeeded" });
  expect(secondsOf(cloud)).toEqual([0, 60, 120, 240]);
  expect(cloud.whys()).toEqual(["first", "again", "again", "again"]);
  expect(cloud.states.at(-1)).toEqual(START);
});

test("an error of another name is no unfinished call, even if it looks like one", async () => {
  const { message } = new Unfinished({ ...START, next: "park", reason: "no" });
  const cloud = pushing(() => throwAs(new Error(message)), recorded);
  expect(await cloud.run(START)).toMatchObject({ Status: "Succeeded" });
  expect(cloud.whys()).toEqual(["first", "again"]);
  expect(secondsOf(cloud)).toEqual([0, 60]);
});

test("a later call without an answer is tried again once the attempt must have ended, then it goes on", async () => {
  const cloud = pushing(goesOn, broken, broken, recorded);
  expect(await cloud.run(START)).toMatchObject({ Status: "Succeeded" });
  expect(secondsOf(cloud)).toEqual([0, 0, 0, 60, 180]);
  expect(cloud.whys()).toEqual(["first", "resume", "again", "again", "again"]);
});

test("no later retry comes sooner than the hard end, however long it is", async () => {
  const cloud = simulateCloudFlow();
  cloud.create(flowDefinition({ ...args, inlineHardEndSeconds: 300 }));
  cloud.script = () => {
    throw new ServiceFailure(500, "InternalServerError");
  };
  await cloud.run(START);
  const times = secondsOf(cloud);
  const pauses = times.slice(1, 13).map((at, index) => at - (times[index] ?? 0));
  // The call that parks the key comes at once.
  expect(pauses).toEqual([300, 300, 600, 900, 900, 900, 0, 300, 600, 900, 900, 900]);
});

test("a throttled function is asked again soon, and for a week", async () => {
  const throttled = throws(new ServiceFailure(429, "ResourceThrottled"));
  const cloud = pushing(...Array.from({ length: 1_100 }, () => throttled), recorded);
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
  const cloud = pushing(to("done", waiting));
  const answer = await cloud.run(START);
  expect(answer).toMatchObject({ Status: "Succeeded" });
  expect(outputOf(answer)).toMatchObject({ state: { ...waiting, next: "done" } });
});

describe.each<[string, Step[], number]>([
  ["the first call, and none after it,", [], 7],
  ["a call that goes on", [goesOn], 6],
  ["a call after a wait", [to("wait", { waitSeconds: 5 })], 6],
])("when %s cannot be done", (_, before, failing) => {
  test("the key is parked with the error and the execution fails", async () => {
    const cloud = pushing(...before, ...Array<Step>(failing).fill(broken), parked);
    expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
    const state = cloud.states.at(-1);
    expect(state).toMatchObject({ next: "park", key: START.key, execution: START.execution, firstSeenMs: START.firstSeenMs });
    expect(state?.reason).toBe('the workflow gave up after FC.Unknown: {"errorMessage":"out of memory"}');
    expect(failureOf(await cloud.history("one"))).toMatchObject({ error: "Parked" });
  });
});

test("what the pusher itself parks keeps its reason where an operator looks", async () => {
  const cloud = pushing(to("park", { reason: "forbidden by policy", attempt: 8 }), parked);
  expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
  expect(cloud.states.at(-1)).toEqual({ ...START, next: "park", reason: "forbidden by policy", attempt: 8 });
  const events = await cloud.history("one");
  const last = events.find(({ Type, StepName }) => Type === "StepEntered" && StepName === "Parked");
  expect(JSON.parse(last?.EventDetail ?? "").input.state).toMatchObject({ reason: "forbidden by policy", result: "parked" });
});

test("a key that cannot even be parked stays in its execution, and is parked later", async () => {
  const cloud = pushing(to("park", { reason: "forbidden" }), ...Array<Step>(12).fill(broken), parked);
  expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
  expect(cloud.states.slice(2).map(({ next }) => next)).toEqual(Array(13).fill("park"));
  expect(cloud.states.at(-1)).toMatchObject({ key: START.key, reason: "forbidden" });
  expect(failureOf(await cloud.history("one"))).toMatchObject({ error: "Parked" });
  expect((secondsOf(cloud).at(-1) ?? 0) > 600).toBe(true);
});

test("a step that the workflow does not have fails the execution", async () => {
  const cloud = pushing(goesOn, to("verify"));
  expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
  expect(failureOf(await cloud.history("one"))).toMatchObject({ error: "UnknownStep" });
});

test("a repeated start joins the execution, and one that comes too late is told so", async () => {
  const cloud = pushing(to("wait", { waitSeconds: 30 }), recorded);
  await cloud.start("kabc", START);
  await cloud.clock.advance(10 * SECONDS);
  expect(await cloud.start("kabc", { ...START, eventId: "event-2" })).toMatchObject({
    Status: "Running",
    Input: JSON.stringify(START),
  });
  await cloud.clock.until(cloud.flow.idle());
  expect(cloud.whys()).toEqual(["first", "resume", "again"]);
  await expect(cloud.start("kabc", START)).rejects.toMatchObject({ code: "ExecutionAlreadyExists" });
});

/** How often the pusher can give this answer before the execution has had its 5,000 events. */
async function roundsOf(answer: Step): Promise<number> {
  const cloud = pushing(...Array<Step>(2_000).fill(answer));
  expect(await cloud.run(START)).toMatchObject({ Status: "Failed" });
  return cloud.calls.length;
}

test.each<[string, Step, number]>([
  ["waits", to("wait", { waitSeconds: 60, reason: "busy" }), 334],
  ["calls of a large copy", goesOn, 455],
])("an execution's events suffice for so many %s", async (_, answer, expected) => {
  expect(await roundsOf(answer)).toBe(expected);
});

test("the longest state with an error of the longest kind stays far below the limit of an input", async () => {
  const key = "\u{1F600}".repeat(255);
  const long = throws(new FunctionFailure("UnhandledInvocationError", { errorMessage: "x".repeat(100_000) }));
  const cloud = simulateCloudFlow();
  const seen: PushState[] = [];
  cloud.create(flowDefinition(args));
  cloud.script = (event: unknown): PushState => {
    const { state } = parsePushCall(event);
    if (state.next !== "park") return long(state);
    seen.push(state);
    return { ...state, next: "done", result: "parked" };
  };
  await cloud.run({ ...START, key });
  expect(seen.map((state) => [state.key, state.reason?.length])).toEqual([[key, 1024]]);
});

test("the state of the longest reasons fits into the detail of an error", async () => {
  const reason = "r".repeat(1024);
  const last = { reason, place: "destination", store: `alicloud:${"d".repeat(63)}`, atMs: START.firstSeenMs } as const;
  const difference = { what: "metadata", name: "n".repeat(100), wanted: "w".repeat(100), found: "f".repeat(100) } as const;
  const state: Partial<PushState> = { attempt: 7, waits: 3, state: "s".repeat(16), slow: true, waitSeconds: 300, reason };
  const cloud = pushing(to("wait", { ...state, last, difference }), recorded);
  await cloud.run(START);
  expect(cloud.states[2]).toMatchObject({ ...state, difference, last: { ...last, reason: "r".repeat(256) } });
});
