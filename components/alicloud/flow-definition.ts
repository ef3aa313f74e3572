/**
 * The workflow of push mode, one execution per object:
 *
 *     Inspect -> Copy -> Verify -> Record
 *
 * Every task passes the state (runtime/protocol/push.ts) to one function. The function does the step that the state names, and returns the
 * next step. The workflow goes to that step, waits when the function asks for it, and tries again when the function does not answer. A
 * key that has to wait for long goes into a queue, and the execution ends with the result `waiting`. A key that cannot be replicated is parked
 * in the dead-letter queue, and the execution fails so that an operator sees it. The workflow has few states, because every state that is
 * entered counts against the account's quota of 100 a second.
 *
 * https://www.alibabacloud.com/help/en/serverless-workflow/latest/process-definition-introduction
 */
import type { PushStep } from "../../runtime/protocol/push";

export interface FlowDefinitionArgs {
  /** Name of the flow. */
  name: string;
  /** `acs:fc:<region>:<uid>:functions/<name>` of the pusher. */
  functionArn: string;
  /**
   * Hard end of one write of a small object. When the outcome of an attempt is unknown, the next one begins only after this time, when
   * the first one has ended. Copies of large objects are kept apart by their leases instead.
   */
  inlineHardEndSeconds: number;
}

/** The maximum of a retry's interval. */
const MAX_INTERVAL_SECONDS = 86_400;

/** Returns JSON, which CloudFlow reads as YAML. */
export function flowDefinition({ name, functionArn, inlineHardEndSeconds }: FlowDefinitionArgs): string {
  if (!Number.isInteger(inlineHardEndSeconds) || inlineHardEndSeconds < 1 || inlineHardEndSeconds > MAX_INTERVAL_SECONDS)
    throw new Error(`inlineHardEndSeconds is ${inlineHardEndSeconds}: give whole seconds from 1 to ${MAX_INTERVAL_SECONDS}`);
  const Retry = retryRules(inlineHardEndSeconds);

  /** @param state where the state is in the input */
  const task = (Name: string, state: string, next: object, Catch: object[]) => ({
    Type: "Task",
    Name,
    Action: "FC:InvokeFunction",
    TaskMode: "RequestComplete",
    Parameters: { resourceArn: `${functionArn}/LATEST`, invocationType: "Sync", "body.$": state },
    OutputConstructor: { "state.$": "$Output.Body" },
    Retry,
    ...(Catch.length > 0 ? { Catch } : {}),
    ...next,
  });
  const step = (Name: string, next: object, state = "$Input.state") => task(Name, state, next, [parkOn(state)]);
  const routed = { Next: "Route" };

  const States = [
    // The input of an execution is the bare state. Later the state is under a key, because only whole objects keep optional fields.
    step("Inspect", routed, "$Input"),
    {
      Type: "Choice",
      Name: "Route",
      Branches: [
        { Condition: isNext("copy"), Next: "Copy" },
        { Condition: isNext("verify"), Next: "Verify" },
        { Condition: isNext("record"), Next: "Record" },
        { Condition: isNext("inspect"), Next: "InspectAgain" },
        { Condition: isNext("wait"), Next: "Wait" },
        { Condition: isNext("park"), Next: "Park" },
      ],
      Default: "UnknownStep",
    },
    step("InspectAgain", routed),
    step("Copy", routed),
    step("Verify", routed),
    step("Record", { End: true }),
    // The state holds the last wait, so the pusher can choose a longer one the next time.
    // At most 300 s: https://www.alibabacloud.com/help/en/serverless-workflow/latest/wait-wait
    { Type: "Wait", Name: "Wait", "Seconds.$": "$Input.state.waitSeconds", Next: "InspectAgain" },
    // A key that can be neither replicated nor parked stays in its execution, and is parked later.
    task("Park", "$Input.state", { Next: "Parked" }, [PARK_LATER]),
    { Type: "Wait", Name: "ParkLater", Seconds: PARK_AGAIN_SECONDS, Next: "Park" },
    {
      Type: "Fail",
      Name: "Parked",
      Code: "Parked",
      Detail: "The object was not replicated. Its key and the reason are in the dead-letter queue and in this state's input.",
    },
    {
      Type: "Fail",
      Name: "UnknownStep",
      Code: "UnknownStep",
      Detail: "The pusher named a step that this workflow does not have.",
    },
  ];
  const Description = "Replicates one object of the source.";
  return JSON.stringify(
    { Type: "StateMachine", SpecVersion: "v1", Name: name, Description, StartAt: "Inspect", States },
    null,
    2,
  );
}

const isNext = (step: PushStep) => `$Input.state.next == "${step}"`;

/**
 * The function gave no reason, so the workflow writes one. The fields are listed one by one without the optional ones: the result of a
 * path to a missing field is not documented, and parking a key needs no optional field.
 */
const parkOn = (state: string) => ({
  Errors: ["FnF.ALL"],
  Description: "Park the key with the error",
  OutputConstructor: {
    state: {
      version: 1,
      next: "park" satisfies PushStep,
      "key.$": `${state}.key`,
      "execution.$": `${state}.execution`,
      "firstSeenMs.$": `${state}.firstSeenMs`,
      "attempt.$": `${state}.attempt`,
      "rounds.$": `${state}.rounds`,
      "bytesMoved.$": `${state}.bytesMoved`,
      "reason.$": 'format("the workflow gave up after {}: {}", $Context.Current.Error.Code, $Context.Current.Error.Detail)',
    },
  },
  Next: "Park",
});

/** The maximum of a Wait. */
const PARK_AGAIN_SECONDS = 300;
const PARK_LATER = {
  Errors: ["FnF.ALL"],
  Description: "Try again later to park the key",
  OutputConstructor: { "state.$": "$Input.state" },
  Next: "ParkLater",
};

/**
 * Retries of a throttled function: about a week at intervals of 10 minutes. Each takes three of the 5,000 events of an execution, so that as
 * many are left for parking the key.
 */
const THROTTLED_ATTEMPTS = 1_100;
const LONGEST_THROTTLED_SECONDS = 600;

/** https://www.alibabacloud.com/help/en/serverless-workflow/latest/error-handling */
const retryRules = (inlineHardEndSeconds: number) => [
  {
    // The function did not run, which is no failure of the key: it waits by age, like any other key. The waits grow slowly, because waits
    // that double would leave instances idle while executions wait.
    Errors: ["FC.ResourceThrottled", "FC.ResourceExhausted", "FC.ConcurrencyLimitExceeded"],
    Description: "Wait for a free instance",
    MaxAttempts: THROTTLED_ATTEMPTS,
    IntervalSeconds: 1,
    BackoffRate: 1.05,
    MaxBackoffSeconds: LONGEST_THROTTLED_SECONDS,
  },
  {
    Errors: ["FnF.ALL"],
    Description: "Try again once the attempt must have ended",
    MaxAttempts: 5,
    IntervalSeconds: inlineHardEndSeconds,
    BackoffRate: 2,
    MaxBackoffSeconds: Math.max(inlineHardEndSeconds, 900),
  },
];
