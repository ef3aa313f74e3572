import { createHash } from "node:crypto";
import type { AwsApi, ControlAnswer, ControlRequest, JsonCall } from "../../../../runtime/platforms/aws-lambda/api";

export interface RecordingApi extends AwsApi {
  /** `SendMessage {...}` and the like, in order. */
  readonly calls: { action: string; input: Record<string, unknown> }[];
  readonly requests: ControlRequest[];
}

/** An API that records what it is asked, and gives the same answer, or error, to every call. */
export function recordingApi(answer: unknown, status = 200): RecordingApi {
  const calls: RecordingApi["calls"] = [];
  const requests: ControlRequest[] = [];
  const give = (): unknown => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const json = async ({ action, input }: JsonCall): Promise<unknown> => {
    calls.push({ action, input });
    return give();
  };
  const send = async (request: ControlRequest): Promise<ControlAnswer> => {
    requests.push(request);
    return { status, body: give() };
  };
  return { calls, requests, sqs: json, ssm: json, send };
}

/** SQS's answer to a message that it has stored. */
export function storedAnswer(body: string): Record<string, string> {
  return { MessageId: "m", MD5OfMessageBody: md5(body) };
}

export const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
