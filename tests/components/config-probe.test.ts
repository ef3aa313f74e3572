/** The latency probe: what is taken, refused and said. */
import { noticesOf, probePrefixOf } from "../../components/config";
import { UNHEARD_ALARMS_NOTICE } from "../../components/config/notices";
import { native, parse, problemsOf, pull, push, type Raw, s3, s3TwoWay } from "./config-pairs";

const CANARY = { enabled: true, everyMinutes: 15 };
const ruled = (...rules: Raw[]): Raw => s3({}, { probe: { enabled: true }, replication: { rules } });

test.each<[string, Raw]>([
  ["pull", pull({}, { probe: CANARY })],
  ["push", push({}, { probe: CANARY })],
  ["OSS", native({}, { probe: CANARY })],
  ["S3", s3({}, { probe: CANARY })],
  ["S3 both ways", s3TwoWay({}, { probe: CANARY })],
  ["no canary, so no size", pull({}, { probe: { enabled: true }, scope: { maxSizeBytes: 1 } })],
  ["a size at the scope's edge", pull({}, { probe: { ...CANARY, sizeBytes: 9 }, scope: { minSizeBytes: 9, maxSizeBytes: 9 } })],
  ["nothing at all in an object", s3({}, { probe: { ...CANARY, sizeBytes: 0 } })],
  ["a rule for everything", ruled({ id: "a", priority: 1 })],
  [
    "a rule of its own",
    ruled({ id: "a", priority: 1, prefix: "x/" }, { id: "b", priority: 2, prefix: "crossborderbridge-probe/" }),
  ],
])("allowed: %s", (_, raw) => {
  expect(problemsOf(raw)).toEqual([]);
});

test.each<[string, Raw, string]>([
  [
    "a canary that nobody sends",
    pull({}, { probe: { everyMinutes: 5 } }),
    "probe.everyMinutes = 5: nobody would send the canary; allowed: 0, or probe.enabled: true as well",
  ],
  [
    "more than a day",
    pull({}, { probe: { enabled: true, everyMinutes: 1441 } }),
    "does not divide the hour or the day; allowed: 0, 1, 2,",
  ],
  ["out of step with the hour", pull({}, { probe: { enabled: true, everyMinutes: 7 } }), "does not divide the hour or the day"],
  ["longer than a function runs", pull({}, { probe: { giveUpAfterSeconds: 831 } }), "in range; allowed: 1 to 830"],
  ["larger than a prober sends", pull({}, { probe: { sizeBytes: 67_108_865 } }), "in range; allowed: 0 to 67108864"],
  ["a misspelt key", pull({}, { probe: { enable: true } }), "probe.enable: unknown key; did you mean probe.enabled? allowed:"],
  [
    "a canary too small for the scope",
    pull({}, { probe: CANARY, scope: { minSizeBytes: 200_000 } }),
    "probe.sizeBytes is not set: outside scope.minSizeBytes and scope.maxSizeBytes, so the canary would stay where it is; allowed: 200000 or more",
  ],
  [
    "a canary too large for the scope",
    pull({}, { probe: { ...CANARY, sizeBytes: 1000 }, scope: { maxSizeBytes: 999 } }),
    "probe.sizeBytes = 1000: outside scope.minSizeBytes and scope.maxSizeBytes, so the canary would stay where it is; allowed: 0 to 999",
  ],
  [
    "rules that leave it out",
    ruled({ id: "a", priority: 1, prefix: "x/" }),
    "probe.enabled = true: no rule of replication.rules carries its objects; allowed: false, or an enabled rule without tags whose prefix is crossborderbridge-probe/ (or empty)",
  ],
  ["a rule by tags alone", ruled({ id: "a", priority: 1, tags: { a: "b" } }), "no rule of replication.rules carries its objects"],
  ["a disabled rule alone", ruled({ id: "a", priority: 1, enabled: false }), "no rule of replication.rules carries its objects"],
])("refused: %s", (_, raw, expected) => {
  const problems = problemsOf(raw);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(expected);
});

test("canaries that overlap while objects are late are said", () => {
  const notices = (probe: Raw) => noticesOf(parse(s3({}, { probe: { enabled: true, ...probe } })));
  expect(notices({ everyMinutes: 10, giveUpAfterSeconds: 600 })).toEqual([]);
  expect(notices({ everyMinutes: 4, giveUpAfterSeconds: 600 })).toEqual([
    expect.stringContaining("up to 3 probers run side by side"),
  ]);
  expect(notices({ everyMinutes: 0 })).toEqual([]);
});

test("alarms that a topic does not hear are said", () => {
  const alarmTopicArn = "arn:aws:sns:us-east-1:111111111111:alarms";
  const probe = { enabled: true, everyMinutes: 15 };
  const notices = (more: Raw, destination: Raw = {}) => noticesOf(parse(s3({ destination }, { alarmTopicArn, ...more })));
  expect(notices({ probe })).toContain(UNHEARD_ALARMS_NOTICE);
  expect(notices({ replication: { metrics: true } })).toContain(UNHEARD_ALARMS_NOTICE);
  expect(notices({ probe, alarmTopicArn: undefined })).not.toContain(UNHEARD_ALARMS_NOTICE);
  expect(notices({ probe }, { region: "us-east-1" })).not.toContain(UNHEARD_ALARMS_NOTICE);
  expect(notices({})).not.toContain(UNHEARD_ALARMS_NOTICE);
});

test("its keys are inside the scope", () => {
  expect(probePrefixOf({ prefixes: [] })).toBe("crossborderbridge-probe/");
  expect(probePrefixOf({ prefixes: ["reports/", "x/"] })).toBe("reports/crossborderbridge-probe/");
});
