/** The lifecycle of a created destination bucket in S3. */
import { ABANDONED_UPLOADS } from "../../components/aws/bucket";
import { OWN_LIFECYCLE_IDS } from "../../components/config/lifecycle-rules";
import { parse, problemsOf, pull, type Raw, s3 } from "./config-pairs";

const step = (days: number, storageClass: string): Raw => ({ days, storageClass });
const withRules = (lifecycle: Raw[], destination: Raw = {}): Raw =>
  pull({ from: "alicloud", to: "aws", destination: { lifecycle, ...destination } });
const moving = (...transitions: Raw[]): Raw => withRules([{ id: "a", transitions }]);

test("a rule is filled in, and parses to itself", () => {
  const config = parse(withRules([{ id: "old", noncurrentExpirationDays: 30 }]));
  expect(config.destination.lifecycle).toEqual([{ id: "old", prefix: "", noncurrentExpirationDays: 30, transitions: [] }]);
  expect(parse(config as unknown as Raw)).toEqual(config);
});

test.each<[string, Raw]>([
  ["with pull", withRules([{ id: "a", prefix: "logs/", expirationDays: 1 }])],
  ["with S3 replication", s3({ destination: { lifecycle: [{ id: "a", expirationDays: 1 }] } })],
  ["an archive at once", moving(step(0, "DEEP_ARCHIVE"))],
  ["all the way down", moving(step(30, "STANDARD_IA"), step(60, "GLACIER_IR"), step(61, "GLACIER"), step(62, "DEEP_ARCHIVE"))],
  [
    "two rules",
    withRules([
      { id: "a", expirationDays: 1 },
      { id: "b", expirationDays: 1 },
    ]),
  ],
])("allowed: %s", (_, raw) => {
  expect(problemsOf(raw)).toEqual([]);
});

test.each<[string, Raw, string]>([
  [
    "an adopted bucket",
    withRules([{ id: "a", expirationDays: 1 }], { adopt: true }),
    "an adopted bucket's settings are never changed; allowed: leave it out, or adopt: false",
  ],
  [
    "a bucket of OSS",
    pull({ from: "aws", to: "alicloud", destination: { lifecycle: [{ id: "a", expirationDays: 1 }] } }),
    "rules of S3, and the destination is a bucket of OSS; allowed: leave it out",
  ],
  ["the source's bucket", pull({ from: "aws", source: { lifecycle: [] } }), "source.lifecycle: unknown key"],
  [
    "an id twice",
    withRules([
      { id: "a", expirationDays: 1 },
      { id: "a", expirationDays: 2 },
    ]),
    'destination.lifecycle[1].id = "a": the id of another rule of this bucket as well; allowed: another one',
  ],
  [
    "an id of the bridge's own",
    withRules([{ id: String(ABANDONED_UPLOADS.id), expirationDays: 1 }]),
    "the id of another rule of this bucket as well",
  ],
  [
    "a rule that does nothing",
    withRules([{ id: "a" }]),
    'destination.lifecycle[0] = {"id":"a"}: a rule that does nothing; allowed: at least one of expirationDays, noncurrentExpirationDays and transitions',
  ],
  [
    "an end before the last move",
    withRules([{ id: "a", expirationDays: 60, transitions: [step(30, "STANDARD_IA"), step(60, "GLACIER")] }]),
    "destination.lifecycle[0].expirationDays = 60: not after the last transition; allowed: more than 60",
  ],
  [
    "earlier versions of a bucket that has none",
    withRules([{ id: "a", noncurrentExpirationDays: 1 }], { versioning: false }),
    "destination.lifecycle[0].noncurrentExpirationDays = 1: destination.versioning is false, so the bucket has no earlier versions; allowed: leave it out",
  ],
  [
    "seldom read before its time",
    moving(step(29, "STANDARD_IA")),
    "destination.lifecycle[0].transitions[0].days = 29: too early for STANDARD_IA; allowed: 30 or more",
  ],
  [
    "seldom read for too short a time",
    moving(step(30, "ONEZONE_IA"), step(59, "GLACIER")),
    "transitions[1].days = 59: too early after the transition to ONEZONE_IA; allowed: 60 or more",
  ],
  [
    "two moves on one day",
    moving(step(10, "GLACIER"), step(10, "DEEP_ARCHIVE")),
    "transitions[1].days = 10: too early after the transition to GLACIER; allowed: 11 or more",
  ],
  [
    "up again",
    moving(step(1, "GLACIER"), step(40, "STANDARD_IA")),
    'transitions[1].storageClass = "STANDARD_IA": S3 does not move objects there from GLACIER; allowed: DEEP_ARCHIVE',
  ],
  ["to where it begins", moving(step(40, "STANDARD")), "not one of the choices; allowed: STANDARD_IA, INTELLIGENT_TIERING"],
  ["no day at all", withRules([{ id: "a", expirationDays: 0 }]), "not a whole number of days in range; allowed: 1 to 36500"],
  [
    "an unknown key of a move",
    moving({ ...step(40, "GLACIER"), class: "GLACIER" }),
    "destination.lifecycle[0].transitions[0].class: unknown key; allowed: days, storageClass",
  ],
])("refused: %s", (_, raw, expected) => {
  const problems = problemsOf(raw);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(expected);
});

test("the ids that are reserved are those of the bridge's own rules", () => {
  expect(OWN_LIFECYCLE_IDS).toContain(ABANDONED_UPLOADS.id);
});
