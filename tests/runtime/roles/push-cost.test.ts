/** What one small object costs in push mode, from its event to the proof: the real roles and the real workflow on the local CloudFlow. */
import { FunctionFailure, SIMULATED_FUNCTION_ARN, SIMULATED_REGION, simulateCloudFlow } from "local-alicloud";
import { flowDefinition } from "../../../components/alicloud/flow-definition";
import { parsePushCall, Unfinished } from "../../../runtime/protocol/push";
import { openDispatcher, openPusher } from "./push-fixture";

const MOST_STEPS = 2;
/** The first object of an instance costs one more: it shows whether the store keeps its headers. */
const MOST_REQUESTS = { replicated: 5, unchanged: 3 };
/** The default quota of CloudFlow, of executions that start and of states that are entered. */
const QUOTA_PER_SECOND = 100;

/** An object, and a source that reports it in events. The dispatcher has no store, so the pusher's stores see every request. */
function openPush() {
  const pushing = openPusher();
  const cloud = simulateCloudFlow();
  cloud.create(flowDefinition({ name: "flow", functionArn: SIMULATED_FUNCTION_ARN, inlineHardEndSeconds: 34 }));
  cloud.script = async (event: unknown) => {
    try {
      return await pushing.answer(parsePushCall(event));
    } catch (error) {
      if (!(error instanceof Unfinished)) throw error;
      throw new FunctionFailure("UnhandledInvocationError", { errorMessage: error.message, errorType: error.name });
    }
  };
  const { deliver } = openDispatcher({
    flow: () => ({
      start: async (name, input) => {
        await cloud.start(name, input);
        return "started";
      },
    }),
  });
  const put = (text: string) => pushing.put(text, { headers: { contentType: "text/plain" }, metadata: { author: "me" } });
  /** The cost of one event. */
  const send = async (eventId: string) => {
    const requests = pushing.requestsMade();
    const calls = cloud.calls.length;
    await deliver(eventId);
    await cloud.clock.until(cloud.flow.idle());
    const executions = cloud.flow.executions(SIMULATED_REGION, "flow");
    const ExecutionName = executions.at(-1)?.name ?? "";
    const { Output } = await cloud.call("DescribeExecution", { FlowName: "flow", ExecutionName });
    const { result } = (JSON.parse(String(Output)) as { state: { result: keyof typeof MOST_REQUESTS } }).state;
    const steps = (await cloud.history(ExecutionName)).filter(({ Type }) => Type === "StepEntered").length;
    return {
      ...{ result, steps, executions: executions.length },
      ...{ calls: cloud.calls.length - calls, requests: pushing.requestsMade() - requests },
    };
  };
  return { put, send };
}

test("a new object, and the same one again: one execution each, with one state and one call of the pusher", async () => {
  const { put, send } = openPush();
  await put("first");
  const first = await send("e1");
  await put("hello");
  const costs = [await send("e2"), await send("e3")];
  expect([first, ...costs].map(({ result, executions, calls }) => [result, executions, calls])).toEqual([
    ["replicated", 1, 1],
    ["replicated", 2, 1],
    ["unchanged", 3, 1],
  ]);
  expect(first.requests).toBeLessThanOrEqual(MOST_REQUESTS.replicated + 1);
  for (const { result, steps, requests } of costs) {
    expect(steps).toBeLessThanOrEqual(MOST_STEPS);
    expect(QUOTA_PER_SECOND / steps).toBeGreaterThanOrEqual(50);
    expect(requests).toBeLessThanOrEqual(MOST_REQUESTS[result]);
  }
});
