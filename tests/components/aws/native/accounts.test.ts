/** Replication across accounts is deployed only where both sides have said so. */
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import * as accounts from "../../../../components/aws/native/accounts";
import { NativeReplication } from "../../../../components/aws/native/replication";
import { assertAccount } from "../../../../components/cloud";
import { settled } from "../../../support/record-resources";
import { ACCOUNT, ELSEWHERE, ownBucket, record } from "./fixture";

jest.mock("../../../support/mock-aws", () =>
  jest
    .requireActual<typeof import("./second-account")>("./second-account")
    .withSecondAccount(jest.requireActual("../../../support/mock-aws")),
);
jest.mock("../../../../components/aws/native/accounts", () => {
  const actual = jest.requireActual<typeof accounts>("../../../../components/aws/native/accounts");
  return { ...actual, verifiedAccounts: jest.fn(actual.verifiedAccounts) };
});
jest.mock("../../../../components/cloud", () => {
  const actual = jest.requireActual<typeof import("../../../../components/cloud")>("../../../../components/cloud");
  return { ...actual, assertAccount: jest.fn(actual.assertAccount) };
});

const ONE = { source: "1", destination: "1" };
const TWO = { source: "1", destination: "2" };

test.each([
  ["one, as nobody doubted", ONE, {}, undefined],
  ["one, as both say", ONE, ONE, undefined],
  ["one, as one side says", ONE, { source: "1" }, undefined],
  ["two, as both say", TWO, TWO, undefined],
  ["two, which nobody said", TWO, {}, /in account 1 and the destination in account 2; allowed: accountId on both sides/],
  ["two, which one side said", TWO, { destination: "2" }, /in account 1 and the destination in account 2; allowed: accountId/],
  ["another destination", ONE, TWO, /destination.accountId = 2: the credentials of the destination belong to account 1/],
  [
    "another source",
    TWO,
    { source: "3", destination: "2" },
    /source.accountId = 3: the credentials of the source belong to account 1/,
  ],
])("accounts: %s", (_, found, expected, reason) => {
  const verify = () => accounts.assertAccounts(found, expected);
  if (reason === undefined) expect(verify).not.toThrow();
  else expect(verify).toThrow(reason);
});

test("the providers say which accounts they are, and those are held against what both sides say", async () => {
  const verify = jest.mocked(assertAccount).mockClear();
  const { made } = await record(() => ({
    found: accounts.verifiedAccounts(
      ownBucket("from", "us-east-1", { accountId: ACCOUNT }),
      ownBucket("to", ELSEWHERE.region, { accountId: ELSEWHERE.account }),
      { component: 'Test "parent"', parent: new pulumi.ComponentResource("crossborder:test:Parent", "parent") },
    ),
  }));
  expect(await settled(made.found)).toEqual({ source: ACCOUNT, destination: ELSEWHERE.account });
  expect(verify.mock.calls).toEqual([
    ["source", ACCOUNT, ACCOUNT],
    ["destination", ELSEWHERE.account, ELSEWHERE.account],
  ]);
});

test("the role, on which all the rest depends, waits for them", async () => {
  const events: string[] = [];
  const register = jest.spyOn(MockMonitor.prototype, "registerResource");
  const { get } = await record(() => {
    const ends = { source: ownBucket("from", "us-east-1"), destination: ownBucket("to", "eu-west-1") };
    const [late] = ends.destination.dependsOn ?? [];
    if (late === undefined) throw new Error("nothing to wait for");
    jest.mocked(accounts.verifiedAccounts).mockReturnValueOnce(
      late.urn.apply(() => {
        events.push(...register.mock.calls.map(([request]) => request.getName()));
        return ONE;
      }),
    );
    return new NativeReplication("pair", { ...ends, name: "ours", rules: [{ id: "everything", priority: 1 }] });
  });
  register.mockRestore();
  expect(events).toContain("to-versioning");
  expect(events).not.toContain("pair-role");
  expect(get("pair-policy").dependsOn).toContain("pair-role");
  expect(get("pair", "aws:s3/bucketReplicationConfig:BucketReplicationConfig").dependsOn).toContain("pair-role");
});
