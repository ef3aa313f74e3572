import { lifecycleFailures } from "../../../../local/provider/aws/lifecycle-rules";
import { awsPackage } from "../../../../local/provider/aws-provider";
import { Session } from "../../../../local/provider/session";

const rule = (more: object = {}) => ({ id: "one", status: "Enabled", filter: { prefix: "logs/" }, ...more });

test("increasing ages are accepted", () => {
  const transitions = [
    { days: 30, storageClass: "STANDARD_IA" },
    { days: 60, storageClass: "GLACIER" },
  ];
  expect([...lifecycleFailures([rule({ transitions, expiration: { days: 61 } }), rule({ id: "two" })])]).toEqual([]);
});

const early = [{ days: 29, storageClass: "ONEZONE_IA" }];
const archived = [{ days: 60, storageClass: "GLACIER" }];
test.each([
  ["two of one id", [rule(), rule()], "rules[1].id", /Rule ID must be unique.*: one/],
  ["no age", [rule({ expiration: { days: 0 } })], "rules[0].expiration.days", /must be a positive integer/],
  [
    "infrequent access too early",
    [rule({ transitions: early })],
    "rules[0].transitions[0].days",
    /equal to 30 for .*'ONEZONE_IA'/,
  ],
  [
    "an end before the transition",
    [rule({ transitions: archived, expiration: { days: 60 } })],
    "rules[0].expiration.days",
    /filter '\(prefix=logs\/\)' must be greater than 'Days' in the Transition action/,
  ],
])("%s is refused", async (_name, rules, property, reason) => {
  const pack = awsPackage({ partitions: "preview" });
  const session = new Session(pack, await pack.configure({ region: "us-east-1" }));
  const token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
  const { failures } = session.check(token, {
    name: "lifecycle",
    inputs: { bucket: "kept", rules },
    olds: {},
    seed: new Uint8Array(),
  });
  expect(failures).toEqual([{ property, reason: expect.stringMatching(reason) }]);
});
