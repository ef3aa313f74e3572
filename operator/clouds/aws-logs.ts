/** Reads the log of a Lambda function from CloudWatch Logs. */
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { toBridgeError } from "../../runtime/platforms/aws-lambda/errors";
import type { AwsAccess, FunctionLog, LogLine } from "../operated-bridge";
import { awsClientOptions } from "./aws-client";
import { isAbout, isOfTopic, type LogTopic, type ReadLogOptions, readLines, WAITING } from "./side";

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html */
export function patternOf({ messages, errors, metrics }: LogTopic): string {
  const terms = [
    ...messages.map((message) => `($.message = "${message}")`),
    ...(errors ? ['($.level = "error")'] : []),
    // Every line of the embedded metric format has it.
    ...(metrics ? ["($._aws.Timestamp > 0)"] : []),
  ];
  return `{ ${terms.join(" || ")} }`;
}

/** CloudWatch Logs returns the oldest lines first. So the newest times are read first, in pieces of this length. */
const WINDOW_MS = 5 * 60_000;

/** The lines that name a key. Only `*` has a meaning of its own in such a text, and finds more. */
const keyPattern = (key: string): string => `{ $.key = ${JSON.stringify(key)} }`;

interface LogOptions extends ReadLogOptions {
  /** Milliseconds since the epoch. @default the system's time */
  nowMs?: number;
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html */
export async function readFunctionLog(
  access: AwsAccess,
  functionName: string,
  { sinceMs, limit, signal, key, topic = WAITING, nowMs = Date.now() }: LogOptions,
): Promise<FunctionLog> {
  const client = new CloudWatchLogsClient(awsClientOptions(access));
  const logGroupName = `/aws/lambda/${functionName}`;
  const send = (command: FilterLogEventsCommand) => client.send(command, signal === undefined ? {} : { abortSignal: signal });
  const [filterPattern, isWanted] = key === undefined ? [patternOf(topic), isOfTopic(topic)] : [keyPattern(key), isAbout(key)];
  let lines: LogLine[] = [];
  let complete = true;
  try {
    // The newest window has no end: the clocks of the two sides may differ.
    for (let endTime: number | undefined, startTime = nowMs; startTime > sinceMs && complete; endTime = startTime - 1) {
      startTime = Math.max(sinceMs, startTime - WINDOW_MS);
      const room = limit - lines.length;
      const found: LogLine[] = [];
      let nextToken: string | undefined;
      do {
        const page = await send(new FilterLogEventsCommand({ logGroupName, startTime, endTime, filterPattern, nextToken }));
        // A filter in JSON finds no lines with words before the JSON, and a server may ignore it: this client selects again.
        for (const { message = "" } of page.events ?? []) found.push(...readLines(message).filter(isWanted));
        nextToken = page.nextToken;
      } while (nextToken !== undefined && found.length <= room);
      complete = nextToken === undefined && found.length <= room;
      lines = [...found.slice(0, room), ...lines];
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw toBridgeError("log", `the log group ${logGroupName} cannot be read`, cause);
  } finally {
    client.destroy();
  }
  return { lines, complete };
}
