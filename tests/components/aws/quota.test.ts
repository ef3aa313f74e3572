/** A preview reads the quota of each side's account and says when it is too low. It never fails for it. */
import * as pulumi from "@pulumi/pulumi";
import { lambdaQuotas } from "../../support/aws-quotas";
import { build, quietly } from "../bridge-fixture";

let warnings: string[];
let infos: string[];

beforeEach(() => {
  quietly();
  [warnings, infos] = [[], []];
  jest.spyOn(pulumi.log, "warn").mockImplementation(async (text) => void warnings.push(text));
  jest.spyOn(pulumi.log, "info").mockImplementation(async (text) => void infos.push(text));
});
afterEach(() => {
  lambdaQuotas.clear();
  jest.restoreAllMocks();
});

const aboutQuotas = (texts: string[]) => texts.filter((text) => text.includes("Lambda functions"));

test("accounts with room: no word", async () => {
  await build({ concurrency: 6 });
  expect([aboutQuotas(warnings), aboutQuotas(infos)]).toEqual([[], []]);
});

test("each side's account is looked at", async () => {
  lambdaQuotas.set("us-east-1", 10).set("cn-north-1", 7);
  await build({ concurrency: 10 });
  expect(aboutQuotas(warnings)).toEqual([
    expect.stringContaining("account of the source runs at most 10 Lambda functions at once in us-east-1"),
    expect.stringContaining("account of the destination runs at most 7 Lambda functions at once in cn-north-1"),
  ]);
});

test("two sides in one place are added up, and said once", async () => {
  lambdaQuotas.set("us-east-1", 10);
  await build({ destination: { cloud: "aws", region: "us-east-1" } });
  expect(aboutQuotas(warnings)).toEqual([expect.stringContaining("may run 14 there")]);
});

test("a quota that may not be read is no failure", async () => {
  lambdaQuotas.set("us-east-1", new Error("AccessDeniedException: servicequotas:GetServiceQuota"));
  const { list } = await build({ concurrency: 7 });
  expect(list()).toContain("aws:lambda/function:Function b-sender");
  expect(aboutQuotas(warnings)).toEqual([]);
  expect(aboutQuotas(infos)).toEqual([
    expect.stringContaining("could not be read (servicequotas:GetServiceQuota). It must allow 8"),
  ]);
});
