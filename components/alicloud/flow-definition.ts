/**
 * The workflow of push mode, one execution per object:
 *
 *     Replicate
 *
 * One call of one function does all that fits into one attempt, and the execution ends with it: one state for most objects. CloudFlow bills every
 * state that is entered, and enters 100 a second by default. If the first call cannot end the key, it fails with the error `Unfinished`, which
 * carries the state (runtime/protocol/push.ts), because a task has no other way to choose between the end and another state. Then:
 *
 *     Replicate -> Resume -> Route -> Wait -> Again -> Route -> ... -> Done
 *
 * `Resume` reads the state and goes on at once, or names the next step. The workflow waits when the function asks for it, and tries again when the
 * function does not answer. A key that has to wait for long goes into a queue, and the execution ends with the result `waiting`. A key that
 * cannot be replicated is parked in the dead-letter queue, and the execution fails so that an operator sees it.
 *
 * https://www.alibabacloud.com/help/en/serverless-workflow/latest/process-definition-introduction
 */
import { MAX_WAIT_SECONDS, type PushCall, type PushStep, UNFINISHED } from "../../runtime/protocol/push";

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

/** Returns JSON, which CloudFlow reads as YAML. */
export function flowDefinition({ name, functionArn, inlineHardEndSeconds }: FlowDefinitionArgs): string {
  if (!Number.isInteger(inlineHardEndSeconds) || inlineHardEndSeconds < 1 || inlineHardEndSeconds > MAX_WAIT_SECONDS)
    throw new Error(`inlineHardEndSeconds is ${inlineHardEndSeconds}: give whole seconds from 1 to ${MAX_WAIT_SECONDS}`);
  const task = (Name: string, { why, ...call }: { why: PushCall["why"] } & Record<string, string>, rest: object) => ({
    Type: "Task",
    Name,
    Action: "FC:InvokeFunction",
    TaskMode: "RequestComplete",
    Parameters: { resourceArn: `${functionArn}/LATEST`, invocationType: "Sync", body: { why, ...call } },
    OutputConstructor: { "state.$": "$Output.Body" },
    ...rest,
  });
  const Retry = retryRules(inlineHardEndSeconds);
  const routed = { Retry, Catch: [PARK], Next: "Route" };

  const States = [
    // The input of an execution is the bare state. Later the state is under a key, because only whole objects keep optional fields.
    task(
      "Replicate",
      { why: "first", "state.$": "$Input" },
      // A rule for every error would repeat an unfinished call as well.
      { Retry: [WHILE_THROTTLED], Catch: [RESUME, UNANSWERED], End: true },
    ),
    task("Resume", { why: "resume", "state.$": "$Input.state", "detail.$": "$Input.detail" }, routed),
    // The call may still be at work. Its writes of small objects end within this time.
    { Type: "Wait", Name: "Unanswered", Seconds: inlineHardEndSeconds, Next: "Again" },
    {
      Type: "Choice",
      Name: "Route",
      Branches: [
        { Condition: isNext("done"), Next: "Done" },
        { Condition: isNext("wait"), Next: "Wait" },
        { Condition: isNext("park"), Next: "Park" },
        // The source has changed.
        { Condition: isNext("inspect"), Next: "Again" },
        // A large copy goes on.
        { Condition: isNext("copy"), Next: "Again" },
      ],
      Default: "UnknownStep",
    },
    // The state holds the last wait, so the pusher can choose a longer one the next time.
    // At most `MAX_WAIT_SECONDS`: https://www.alibabacloud.com/help/en/serverless-workflow/latest/wait-wait
    { Type: "Wait", Name: "Wait", "Seconds.$": "$Input.state.waitSeconds", Next: "Again" },
    task("Again", { why: "again", "state.$": "$Input.state" }, routed),
    { Type: "Succeed", Name: "Done" },
    // A key that can be neither replicated nor parked stays in its execution, and is parked later.
    task("Park", { why: "again", "state.$": "$Input.state" }, { Retry, Catch: [PARK_LATER], Next: "Parked" }),
    { Type: "Wait", Name: "ParkLater", Seconds: MAX_WAIT_SECONDS, Next: "Park" },
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
    { Type: "StateMachine", SpecVersion: "v1", Name: name, Description, StartAt: "Replicate", States },
    null,
    2,
  );
}

const isNext = (step: PushStep) => `$Input.state.next == "${step}"`;

/** The first call told that the key is not done. */
const RESUME = {
  Errors: [UNFINISHED],
  Description: "Go on with the state that the error carries",
  OutputConstructor: { "state.$": "$Input", "detail.$": "$Context.Current.Error.Detail" },
  Next: "Resume",
};

/** It is not known how the first call ended. */
const UNANSWERED = {
  Errors: ["FnF.ALL"],
  Description: "Try again once the attempt must have ended",
  OutputConstructor: { "state.$": "$Input" },
  Next: "Unanswered",
};

/**
 * The function gave no reason, so the workflow writes one. The fields are listed one by one without the optional ones: the result of a
 * path to a missing field is not documented, and parking a key needs no optional field.
 */
const PARK = {
  Errors: ["FnF.ALL"],
  Description: "Park the key with the error",
  OutputConstructor: {
    state: {
      version: 1,
      next: "park" satisfies PushStep,
      "key.$": "$Input.state.key",
      "execution.$": "$Input.state.execution",
      "firstSeenMs.$": "$Input.state.firstSeenMs",
      "attempt.$": "$Input.state.attempt",
      "rounds.$": "$Input.state.rounds",
      "bytesMoved.$": "$Input.state.bytesMoved",
      "reason.$": 'format("the workflow gave up after {}: {}", $Context.Current.Error.Code, $Context.Current.Error.Detail)',
    },
  },
  Next: "Park",
};

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

/**
 * The function did not run, which is no failure of the key: it waits by age, like any other key. The waits grow slowly, because waits that double
 * would leave instances idle while executions wait.
 * https://www.alibabacloud.com/help/en/serverless-workflow/latest/error-handling
 */
const WHILE_THROTTLED = {
  Errors: ["FC.ResourceThrottled", "FC.ResourceExhausted", "FC.ConcurrencyLimitExceeded"],
  Description: "Wait for a free instance",
  MaxAttempts: THROTTLED_ATTEMPTS,
  IntervalSeconds: 1,
  BackoffRate: 1.05,
  MaxBackoffSeconds: LONGEST_THROTTLED_SECONDS,
};

const retryRules = (inlineHardEndSeconds: number) => [
  WHILE_THROTTLED,
  {
    Errors: ["FnF.ALL"],
    Description: "Try again once the attempt must have ended",
    MaxAttempts: 5,
    IntervalSeconds: inlineHardEndSeconds,
    BackoffRate: 2,
    MaxBackoffSeconds: Math.max(inlineHardEndSeconds, 900),
  },
];
