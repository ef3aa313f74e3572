import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalPartition } from "../../../local/aws/local-aws";

/** One structured line of a function's log. */
export interface LogLine {
  level: string;
  time: string;
  role: string;
  message: string;
  key?: string;
  [field: string]: unknown;
}

/** The structured lines of a function's log, oldest first, without lines of the platform. */
export async function readLog(cloud: LocalPartition, functionName: string): Promise<LogLine[]> {
  return (await readRawLog(cloud, functionName)).flatMap((line) => {
    const start = line.indexOf('{"level"');
    if (start === -1) return [];
    try {
      return [JSON.parse(line.slice(start)) as LogLine];
    } catch {
      // The platform cut the line.
      return [];
    }
  });
}

/** Every line of a function's log, oldest first. */
export async function readRawLog(cloud: LocalPartition, functionName: string): Promise<string[]> {
  const client = new CloudWatchLogsClient(clientConfig(cloud));
  const lines: string[] = [];
  try {
    let nextToken: string | undefined;
    do {
      const page = await client.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${functionName}`, nextToken }));
      for (const { message = "" } of page.events ?? []) lines.push(...message.split("\n"));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  } finally {
    client.destroy();
  }
  return lines;
}
