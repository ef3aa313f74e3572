/** What a bridge says about the quota of concurrent Lambda functions. */
import { lambdaQuotaNotices, unknownQuota } from "../../../components/config";
import { lambdaExecutions } from "../../../components/config/lambda-quota";
import { bridge, parse, pull, type Raw, s3 } from "./fixture";

type Side = "source" | "destination";

const IN_ONE_REGION = pull({
  from: "aws",
  to: "aws",
  mode: "pull",
  source: { region: "us-east-1" },
  destination: { region: "us-east-1" },
});

test.each<[name: string, given: Raw, side: Side, used: Record<string, number>]>([
  ["a source", bridge(), "source", { senders: 6 }],
  ["a destination", bridge(), "destination", { receivers: 5, copies: 3 }],
  ["a source without a buffer", bridge({ buffer: "none" }), "source", { senders: 11 }],
  ["other settings", bridge({ concurrency: 9, copy: { concurrency: 2 } }), "destination", { receivers: 9, copies: 2 }],
  ["a probe", bridge({ probe: { enabled: true } }), "source", { senders: 6, probers: 1 }],
  ["both sides in one region", IN_ONE_REGION, "source", { senders: 6, receivers: 5, copies: 3 }],
  ["a source with a destination in OSS", pull({ from: "aws" }), "source", { senders: 6 }],
  ["a destination with a source in OSS", pull({ to: "aws" }), "destination", { receivers: 5, copies: 3 }],
  ["a probe of S3 replication", s3({ probe: { enabled: true } }), "source", { probers: 1 }],
])("executions of %s", (_, given, side, used) => {
  expect(lambdaExecutions(parse(given), side)).toEqual(used);
});

test.each<[name: string, given: Raw, side: Side, quota: number, notices: string[]]>([
  ["a new account that has room for one side", bridge(), "source", 10, []],
  ["a new account with both sides", IN_ONE_REGION, "source", 10, ["may run 14 there: 6 senders, 5 receivers, 3 copies."]],
  [
    "a new account with more senders",
    bridge({ concurrency: 10 }),
    "source",
    10,
    ["at most 10 Lambda functions at once in us-east-1"],
  ],
  ["an account that just holds the bridge", bridge({ concurrency: 9 }), "source", 10, []],
  ["a reservation in a new account", bridge({ reserveConcurrency: true }), "source", 10, ["Lambda refuses the reservation"]],
  ["a reservation that leaves 100", bridge({ reserveConcurrency: true }), "source", 106, []],
  ["a reservation that leaves 99", bridge({ reserveConcurrency: true }), "source", 105, ["reserves 6 executions"]],
  ["a reservation at the other side", bridge({ reserveConcurrency: true }), "destination", 10, []],
  ["a quota for thousands", bridge({ concurrency: 900 }), "source", 1000, []],
])("%s", (_, given, side, quota, notices) => {
  expect(lambdaQuotaNotices(parse(given), side, quota)).toEqual(notices.map((text) => expect.stringContaining(text)));
});

test("the way out is a command with the number to ask for", () => {
  expect(lambdaQuotaNotices(parse(IN_ONE_REGION), "source", 10).join()).toContain(
    "aws service-quotas request-service-quota-increase --region us-east-1 --service-code lambda --quota-code L-B99A9384 --desired-value 114",
  );
});

test("a quota that could not be read comes with the number that it must allow", () => {
  expect(unknownQuota(parse(bridge()), "destination")).toMatch(
    /in cn-north\w*-1 could not be read .* must allow 8 for this bridge \(5 receivers, 3 copies\)/,
  );
});
