/** The queues of the bridge, and the mapping that starts the sender for the work queue. */
import { ListEventSourceMappingsCommand } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, QueueAttributeName } from "@aws-sdk/client-sqs";
import { isAws } from "../../../components/config/clouds";
import { isBridgeError } from "../../../runtime/stores/errors";
import { countMessages } from "../../clouds/smq";
import { alicloudOf, awsOf, bucketOf, type Check, type CheckedStack, type Problem, settingsOf, type View } from "../check";
import { unlessCode } from "../clouds/aws";
import { awsCommand, bridgeCommandOf, inOrder, refreshCommand } from "../paste";
import { matches, parsePolicy } from "../policy";

const source = ["source"] as const;
const hasQueues = ({ config }: CheckedStack) => config.mode !== "native";

const queues: Check = {
  name: "queues",
  looksAt: "the work queue, the outage queue and the dead-letter queue; that S3 may send its events to the work queue",
  why: "Keys that wait, and keys that have failed, are nowhere else. Events that a queue refuses are lost.",
  when: "after",
  needs: ["credentials"],
  sides: (stack) => (hasQueues(stack) ? source : []),
  async run(view) {
    const { queueUrl, outageQueueUrl, deadLetterQueueUrl } = view.stack.outputs ?? {};
    const named = { "work queue": queueUrl, "outage queue": outageQueueUrl, "dead-letter queue": deadLetterQueueUrl };
    const isOss = settingsOf(view).cloud === "alicloud";
    const found = await Promise.all(
      Object.entries(named).map(([name, url]) => {
        if (url === undefined) return [];
        return isOss ? smqProblems(view, name, url) : sqsProblems(view, name, url);
      }),
    );
    return found.flat();
  },
};

const isGone = (view: View, name: string, url: string): Problem => ({
  what: `the ${name} ${url.split("/").at(-1)} is gone`,
  // Objects that were written meanwhile have no event.
  fix: inOrder(refreshCommand(view), bridgeCommandOf(view, "backfill")),
});

async function smqProblems(view: View, name: string, queueUrl: string): Promise<Problem[]> {
  const { access, dispatcher } = alicloudOf(view);
  try {
    const { originOf, credentials } = access;
    await countMessages(
      { queueUrl, originOf, credentials, dispatcher, now: view.stack.now },
      { name: `the ${name}`, signal: view.signal },
    );
    return [];
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return [isGone(view, name, queueUrl)];
    throw error;
  }
}

async function sqsProblems(view: View, name: string, QueueUrl: string): Promise<Problem[]> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [QueueAttributeName.All] });
  const gone = /NonExistentQueue|QueueDoesNotExist/;
  const answer = await unlessCode(gone, awsOf(view).sqs.send(command, { abortSignal: view.signal }));
  if (answer === undefined) return [isGone(view, name, QueueUrl)];
  const { Policy = "", KmsMasterKeyId } = answer.Attributes ?? {};
  const { config } = view.stack;
  if (name !== "work queue" || config.buffer !== "sqs") return [];
  const problems: Problem[] = [];
  if (!acceptsEvents(Policy, bucketOf(view)))
    problems.push({
      what: `the policy of the ${name} does not let S3 send the events of ${bucketOf(view)}`,
      fix: refreshCommand(view),
    });
  // S3 cannot encrypt with a key that AWS manages. https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
  if (KmsMasterKeyId !== undefined && /alias\/aws\/sqs$/.test(KmsMasterKeyId))
    problems.push({
      what: `the ${name} encrypts with ${KmsMasterKeyId}, which S3 may not use`,
      fix: awsCommand(view, "sqs set-queue-attributes", {
        "queue-url": QueueUrl,
        attributes: '{"KmsMasterKeyId":"","SqsManagedSseEnabled":"true"}',
      }),
    });
  return problems;
}

/** Whether a statement allows the service S3, or everybody, to send for this bucket. */
function acceptsEvents(text: string, bucket: string): boolean {
  return parsePolicy(text).Statement.some(({ Effect, Principal, Action, Condition }) => {
    const principals = JSON.stringify(Principal ?? "");
    const isS3 = principals.includes('"s3.amazonaws.com') || principals.includes('"*"');
    const actions = [Action].flat().map(String);
    if (Effect !== "Allow" || !isS3 || !actions.some((action) => matches(action, "sqs:SendMessage"))) return false;
    const arns = Object.values((Condition ?? {}) as Record<string, Record<string, unknown>>).flatMap((keys) =>
      Object.entries(keys).flatMap(([key, value]) => (/^aws:SourceArn$/i.test(key) ? [value].flat().map(String) : [])),
    );
    return arns.length === 0 || arns.some((arn) => matches(arn.split(":").at(-1) ?? "", bucket));
  });
}

const eventMapping: Check = {
  name: "event-mapping",
  looksAt: "the mapping that starts the sender for the keys of the work queue: that it is there and works",
  why: "Without it keys stay in the work queue, and after 7 days SQS drops them.",
  when: "after",
  needs: ["credentials"],
  sides: ({ config }) => (config.mode === "pull" && isAws(config.source.cloud) ? source : []),
  async run(view) {
    const FunctionName = view.stack.outputs?.senderFunctionName ?? "";
    const queue = view.stack.outputs?.queueUrl?.split("/").at(-1);
    const command = new ListEventSourceMappingsCommand({ FunctionName });
    const answer = await unlessCode(
      /^ResourceNotFoundException$/,
      awsOf(view).lambda.send(command, { abortSignal: view.signal }),
    );
    const mapping = answer?.EventSourceMappings?.find(({ EventSourceArn = "" }) => EventSourceArn.split(":").at(-1) === queue);
    if (mapping === undefined)
      return [{ what: `no mapping starts ${FunctionName} for the queue ${queue}`, fix: refreshCommand(view) }];
    const { LastProcessingResult = "" } = mapping;
    if (!/^PROBLEM/.test(LastProcessingResult)) return [];
    return [{ what: `the mapping from ${queue} to ${FunctionName} fails: ${LastProcessingResult}`, fix: refreshCommand(view) }];
  },
};

export const QUEUE_CHECKS: readonly Check[] = [queues, eventMapping];
