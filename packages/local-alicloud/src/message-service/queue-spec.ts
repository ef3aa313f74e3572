/** https://www.alibabacloud.com/help/en/mns/developer-reference/createqueue */
import { ApiError, type QueueSpec } from "../contracts";

const QUEUE_NAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,119}$/;

type Attribute = Exclude<keyof QueueSpec, "queueName">;

/** The name of the XML element, the minimum and the maximum. */
const ATTRIBUTES: Record<Attribute, { element: string; low: number; high: number }> = {
  delaySeconds: { element: "DelaySeconds", low: 0, high: 604_800 },
  maximumMessageSize: { element: "MaximumMessageSize", low: 1024, high: 65_536 },
  messageRetentionPeriod: { element: "MessageRetentionPeriod", low: 60, high: 604_800 },
  visibilityTimeout: { element: "VisibilityTimeout", low: 1, high: 43_200 },
  pollingWaitSeconds: { element: "PollingWaitSeconds", low: 0, high: 30 },
};

/** @throws ApiError 400 `InvalidArgument` with the vendor's message */
export function assertBetween(what: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new ApiError(400, "InvalidArgument", `The value of ${what} should between ${low} and ${high} seconds/bytes.`);
}

/** @throws ApiError 400 `InvalidQueueName`, `InvalidArgument` */
export function assertQueueSpec(spec: QueueSpec): void {
  if (!QUEUE_NAME.test(spec.queueName))
    throw new ApiError(
      400,
      "InvalidQueueName",
      `The queue name ${JSON.stringify(spec.queueName)} must be 1 to 120 letters, digits and hyphens and begin with a letter or digit.`,
    );
  for (const [name, { element, low, high }] of Object.entries(ATTRIBUTES) as [Attribute, (typeof ATTRIBUTES)[Attribute]][])
    assertBetween(element, spec[name], low, high);
}

export const queueFields = (spec: QueueSpec): Record<string, string | number> => ({
  QueueName: spec.queueName,
  ...Object.fromEntries(
    (Object.entries(ATTRIBUTES) as [Attribute, { element: string }][]).map(([name, { element }]) => [element, spec[name]]),
  ),
});
