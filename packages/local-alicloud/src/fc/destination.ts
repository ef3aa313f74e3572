/** Destinations for the results of asynchronous invocations. https://www.alibabacloud.com/help/en/fc/user-guide/result-callback */
import type { AsyncInvokeConfig } from "../contracts";
import { type ErrorType, publicErrorType } from "./instance";
import { invalidArgument } from "./names";

export interface Destination {
  region: string;
  queueName: string;
  /** Its ARN in RAM. */
  resource: string;
}

export interface AsyncResult {
  requestId: string;
  functionArn: string;
  invokeCount: number;
  requestPayload: Buffer;
  /** Absent when the function never ran. */
  responsePayload?: Buffer;
  errorType?: ErrorType | "EventAgeExceeded";
}

/** @throws ApiError `InvalidArgument`, also for kinds of destination that are not served here */
export function parseDestination(arn: string, accountId: string): Destination {
  const [, region, account, queueName] = /^acs:mns:([\w-]+):(\d+):\/queues\/([\w-]+)\/messages$/.exec(arn) ?? [];
  if (region === undefined || queueName === undefined)
    throw invalidArgument(`the destination ${arn} is not served here: only acs:mns:<region>:<uid>:/queues/<name>/messages is`);
  if (account !== accountId) throw invalidArgument(`the destination ${arn} is in another account`);
  return { region, queueName, resource: arn };
}

export function destinationsOf({ onFailure, onSuccess }: AsyncInvokeConfig, accountId: string): Destination[] {
  return [onFailure, onSuccess].flatMap((arn) => (arn === undefined ? [] : [parseDestination(arn, accountId)]));
}

/** The JSON message that the destination receives. Payloads are text. */
export function envelopeOf(result: AsyncResult, now: number): Buffer {
  const { errorType } = result;
  const told = errorType === undefined || errorType === "EventAgeExceeded" ? errorType : publicErrorType(errorType);
  return Buffer.from(
    JSON.stringify({
      timestamp: now,
      requestContext: {
        requestId: result.requestId,
        functionArn: result.functionArn,
        condition: told ?? "",
        approximateInvokeCount: result.invokeCount,
      },
      requestPayload: result.requestPayload.toString(),
      responseContext: { statusCode: 200, functionError: told ?? "" },
      responsePayload: result.responsePayload?.toString() ?? "",
    }),
  );
}
