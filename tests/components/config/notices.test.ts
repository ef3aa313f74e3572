/** The notices that a valid configuration gives, each by a part of its text. */
import { noticesOf } from "../../../components/config";
import { UNHEARD_ALARMS_NOTICE } from "../../../components/config/notices";
import { ossHostNotices, PACKAGES_NOTICE } from "../../../components/config/oss-hosts";
import { bridge, CANARY, native, parse, pull, push, type Raw, rule, s3, s3TwoWay, withRules } from "./fixture";

const TOPIC = "arn:aws:sns:us-east-1:111111111111:ops";
/** One topic serves both ends. */
const ONE_REGION = { destination: { region: "us-east-1" } };

// biome-ignore format: a case is one line, or a line for what is given and a line for its notices.
const PULL_AND_PUSH: [name: string, given: Raw, notices: string[]][] = [
  ["token auth in AWS China", bridge(), ["ICP licence"]],
  ["a name of digits", bridge({ name: "7", auth: { kind: "iam" } }), ["007 becomes 7"]],
  ["token auth from OSS to AWS China", pull({ to: "aws-cn" }), ["ICP licence"]],
  ["iam auth in AWS China", bridge({ auth: { kind: "iam" } }), []],
  ["token auth outside China", pull({ from: "aws", to: "aws", destination: { region: "us-west-2" } }), []],
  ["a pull from OSS to AWS", pull({ to: "aws" }), []],
  ["an open allowlist of a sender in AWS", bridge({ auth: { kind: "iam" }, allowedCidrs: ["0.0.0.0/0"] }), ["0.0.0.0/0"]],
  ["an open allowlist of a sender without a fixed address", pull({ to: "aws", allowedCidrs: ["0.0.0.0/0"] }), ["only the signature protects it."]],
  ["senders that nothing bounds", bridge({ auth: { kind: "iam" }, buffer: "none" }), ["S3 invokes a sender for each event"]],
  ["senders that a reservation bounds", bridge({ auth: { kind: "iam" }, buffer: "none", reserveConcurrency: true }), []],
  ["an adopted source in S3", bridge({ source: { adopt: true }, auth: { kind: "iam" } }), ["requiredNotification"]],
  ["an adopted source in OSS", pull({ to: "aws", source: { adopt: true } }), ["at most 10 triggers"]],
  ["a destination's prefix without / at its end", bridge({ auth: { kind: "iam" }, destination: { prefix: "from" } }), ["For a folder set from/."]],
  ["a destination's prefix that ends with a sign", bridge({ auth: { kind: "iam" }, destination: { prefix: "from-" } }), []],
  ["a prefix in S3 that begins with /", bridge({ auth: { kind: "iam" }, scope: { prefixes: ["/x/"] } }), ["in a folder x of the console begin with x/."]],
  ["an adopted destination that must be accelerated", push({ destination: { adopt: true } }), ["Enable it by hand, or set destination.acceleration: none"]],
  ["a push", push(), []],
  ["a push with settings of a pull", push({ token: bridge().token, allowedCidrs: ["198.51.100.0/24"] }),
    ["Mode push sends no request across the border: token, allowedCidrs are not used."]],
  ["a push with settings of a sender", push({ rateLimit: { burst: 7 }, timeouts: { senderSeconds: 91, receiverSeconds: 20, urlExpirySeconds: 1300 } }),
    ["border: rateLimit, timeouts.senderSeconds, timeouts.urlExpirySeconds are not used."]],
  ["a push whose URL lifetime follows from the copies", push({ copy: { timeoutSeconds: 3480 } }), []],
  ["deletes from OSS", push({ deletes: "replicate" }), ["nor when a lifecycle rule"]],
  ["a scope of tags from OSS", push({ scope: { tags: { a: "b" } } }), ["OSS sends no event when only an object's tags change"]],
  ["91 senders in Function Compute", pull({ to: "aws", concurrency: 182 }), ["Function Compute keeps 91 instances"]],
  ["90 senders in Function Compute", pull({ to: "aws", concurrency: 181 }), []],
  ["91 receivers, which the rate limit bounds", pull({ from: "aws", concurrency: 91 }), []],
  ["42 senders, 50 receivers and 3 copiers in one region", pull({ destination: { region: "cn-shanghai" }, concurrency: 84 }), ["Function Compute keeps 95 instances"]],
  ["40 receivers and 51 copiers", pull({ concurrency: 40, copy: { concurrency: 51 } }), ["lower concurrency or copy.concurrency"]],
  ["40 receivers and 50 copiers", pull({ concurrency: 40, copy: { concurrency: 50 } }), []],
  ["42 senders and 50 receivers in two regions", pull({ concurrency: 84 }), []],
  ["42 senders and 50 receivers of two accounts",
    pull({ source: { accountId: "3333333333333333" }, destination: { region: "cn-shanghai", accountId: "4444444444444444" }, concurrency: 84 }), []],
  ["50 of each function of a push", push({ concurrency: 50 }), ["Function Compute keeps 100 instances"]],
  ["91 senders in Lambda", pull({ from: "aws", to: "aws", concurrency: 91 }), []],
];

// biome-ignore format: as above.
const NATIVE: [name: string, given: Raw, notices: string[]][] = [
  ["alarms of OSS replication, which has none", native({ deletes: "replicate", alarmContactGroups: ["ops"] }),
    ["Mode native leaves the work to the store itself: alarmContactGroups is not used."]],
  ["alarms of the canaries of OSS replication", native({ deletes: "replicate", alarmContactGroups: ["ops"], probe: CANARY }), []],
  ["an adopted source of OSS replication, which cannot have a rule to a new bucket", native({ deletes: "replicate", source: { adopt: true } }), []],
  ["S3 replication", s3(), []],
  ["deletes in S3", s3({ deletes: "replicate" }), ["Deletes of single versions are not, and neither are expirations"]],
  ["deletes of one rule", withRules([rule("a", 1, { deletes: "replicate" }), rule("b", 2)]), ["Deletes of single versions are not"]],
  ["deletes of a disabled rule", withRules([rule("a", 1, { deletes: "replicate", enabled: false }), rule("b", 2)]), []],
  ["a two-way bridge", s3TwoWay(), ["deleted on one side stays on the other", "both buckets keep both versions"]],
  ["a two-way bridge with deletes", s3TwoWay({ deletes: "replicate" }), ["Deletes of single versions are not", "both buckets keep both versions"]],
  ["an adopted source of S3 replication", s3({ source: { adopt: true } }), ["The source bucket is adopted: it must keep versions"]],
  ["an adopted destination of S3 replication", s3({ destination: { adopt: true } }), ["not replicated on to a third bucket"]],
  ["an archive class", s3({ destination: { storageClass: "GLACIER" } }), ["must be restored before they can be read"]],
  ["an archive class of one rule", withRules([rule("a", 1, { storageClass: "DEEP_ARCHIVE" })]), ["must be restored"]],
  ["a transition to an archive class", s3({ destination: { lifecycle: [{ id: "a", transitions: [{ days: 0, storageClass: "GLACIER" }] }] } }), ["must be restored"]],
  ["a class that is no archive", s3({ destination: { storageClass: "GLACIER_IR" } }), []],
  ["existing objects", s3({ existingObjects: "replicate" }), ["`npm run bridge -- backfill` starts a job."]],
  ["time control", s3({ replication: { timeControl: true } }), []],
  ["time control in China", s3({ from: "aws-cn", to: "aws-cn", replication: { timeControl: true } }), ["without saying that it is available there"]],
  ["settings that only other modes use", s3({ egress: "static", copy: { memoryMb: 2048 }, timeouts: { receiverSeconds: 20 }, allowedCidrs: ["198.51.100.0/24"] }),
    ["Mode native leaves the work to the store itself: allowedCidrs, egress, copy, timeouts are not used."]],
];

// biome-ignore format: as above.
const ALARMS_AND_CANARIES: [name: string, given: Raw, notices: string[]][] = [
  ["a topic without alarms", s3({ ...ONE_REGION, alarmTopicArn: TOPIC }), ["store itself: alarmTopicArn is not used."]],
  ["a topic for alarms on metrics", s3({ ...ONE_REGION, alarmTopicArn: TOPIC, replication: { metrics: true } }), []],
  ["a topic for alarms on canaries", s3({ ...ONE_REGION, alarmTopicArn: TOPIC, probe: CANARY }), []],
  ["a topic of another region than the canaries' alarms", s3({ alarmTopicArn: TOPIC, probe: CANARY }), [UNHEARD_ALARMS_NOTICE]],
  ["a topic of another region than the metrics' alarms", s3({ alarmTopicArn: TOPIC, replication: { metrics: true } }), [UNHEARD_ALARMS_NOTICE]],
  ["canaries without a topic", s3({ probe: CANARY }), []],
  ["a topic of another region without alarms", s3({ alarmTopicArn: TOPIC }), ["store itself: alarmTopicArn is not used."]],
  ["a canary that ends when the next one starts", s3({ probe: { enabled: true, everyMinutes: 10, giveUpAfterSeconds: 600 } }), []],
  ["canaries that overlap", s3({ probe: { enabled: true, everyMinutes: 4, giveUpAfterSeconds: 600 } }), ["up to 3 probers run side by side"]],
  ["a probe without canaries", s3({ probe: { enabled: true, everyMinutes: 0 } }), []],
];

/** Notices about the hosts of OSS have a table of their own. */
test.each([...PULL_AND_PUSH, ...NATIVE, ...ALARMS_AND_CANARIES])("notices of %s", (_, given, notices) => {
  const config = parse(given);
  const ofHosts = ossHostNotices(config);
  const all = noticesOf(config);
  expect(all).toEqual(expect.arrayContaining(ofHosts));
  expect(all.filter((text) => !ofHosts.includes(text))).toEqual(notices.map((text) => expect.stringContaining(text)));
});

const DOMAIN = { customDomain: "oss.example.com" };
const OUTSIDE = { region: "ap-southeast-1" };
const COMMANDS = "what the commands status and backfill read";
/** A scope without packages, so that only the hosts of the mainland are noticed. */
const PDF = { scope: { suffixes: [".pdf"] } };

// biome-ignore format: a case is one line, or a line for what is given and a line for its notices.
const HOSTS: [name: string, given: Raw, notices: string[]][] = [
  ["a pull from the mainland", pull({ to: "aws", ...PDF }),
    [`source.region cn-shanghai is on the Chinese mainland, and its public host oss-cn-shanghai.aliyuncs.com carries the URLs that the destination reads and ${COMMANDS}. Accounts that activated OSS on or after 2025-03-20 get the answer PublicEndpointForbidden there. Set source.customDomain to a domain`]],
  ["a pull from the mainland by acceleration", pull({ to: "aws", ...PDF, source: { acceleration: "overseas" } }),
    [`carries ${COMMANDS}. Accounts that activated OSS on or after 2025-03-20 get the answer PublicEndpointForbidden there. It is not documented whether oss-accelerate-overseas.aliyuncs.com, which carries the URLs that the destination reads, is exempt. Set source.customDomain`]],
  ["a pull from the mainland by a domain", pull({ to: "aws", source: DOMAIN }), []],
  ["a pull from Hong Kong", pull({ to: "aws", ...PDF, source: { region: "cn-hongkong" } }), []],
  ["a pull into the mainland, whose functions use the internal host", pull({ from: "aws", destination: { region: "cn-hangzhou" } }), [`oss-cn-hangzhou.aliyuncs.com carries ${COMMANDS}. `]],
  ["a pull into the mainland with a domain", pull({ from: "aws", destination: { region: "cn-hangzhou", ...DOMAIN } }), []],
  ["a push from the mainland", push(), [`source.region cn-shanghai is on the Chinese mainland, and its public host oss-cn-shanghai.aliyuncs.com carries ${COMMANDS}. `]],
  ["a push into the mainland", push({ source: OUTSIDE, destination: { region: "cn-shanghai", acceleration: "none" } }),
    [`destination.region cn-shanghai is on the Chinese mainland, and its public host oss-cn-shanghai.aliyuncs.com carries the writes from ap-southeast-1 and ${COMMANDS}. `]],
  ["a push into the mainland by acceleration, its default", push({ source: OUTSIDE, destination: { region: "cn-shanghai" } }),
    ["It is not documented whether oss-accelerate.aliyuncs.com, which carries the writes from ap-southeast-1, is exempt. Set destination.customDomain"]],
  ["a push into the mainland by a domain", push({ source: OUTSIDE, destination: { region: "cn-shanghai", ...DOMAIN } }), []],
  ["a push inside one region of the mainland", push({ destination: { region: "cn-shanghai" } }), [`carries ${COMMANDS}. `, `carries ${COMMANDS}. `]],
  ["OSS replication in the mainland", native({ destination: { region: "cn-hangzhou" } }), [`carries ${COMMANDS}. `, `carries ${COMMANDS}. `]],
  ["a push outside the mainland", push({ source: OUTSIDE }), []],
  ["a domain with acceleration", pull({ to: "aws", source: { ...DOMAIN, acceleration: "global" } }),
    ["source.customDomain takes the place of the acceleration endpoint: source.acceleration works only where the CNAME record of oss.example.com leads to from-here.oss-accelerate.aliyuncs.com."]],
  ["a domain of an adopted bucket", pull({ to: "aws", source: { ...DOMAIN, adopt: true } }),
    ["The source bucket is adopted, so the bridge does not bind oss.example.com to it. Bind it to from-here by hand, with a certificate."]],
  ["packages that a pull may meet", pull({ to: "aws", source: OUTSIDE }), [PACKAGES_NOTICE]],
  ["packages in the scope of a pull", pull({ to: "aws", source: OUTSIDE, scope: { suffixes: [".pdf", "-release.APK"] } }), [PACKAGES_NOTICE]],
  ["a shorter ending that packages have", pull({ to: "aws", source: OUTSIDE, scope: { suffixes: ["pa"] } }), [PACKAGES_NOTICE]],
  ["packages by a domain", pull({ to: "aws", source: { ...OUTSIDE, ...DOMAIN } }), []],
  ["packages of a push, whose signature is in headers", push({ source: OUTSIDE }), []],
  ["packages that leave S3", pull({ from: "aws" }), []],
];

test.each(HOSTS)("notices about the hosts of %s", (_, given, notices) => {
  expect(ossHostNotices(parse(given))).toEqual(notices.map((text) => expect.stringContaining(text)));
});

test("S3 replaces the replication configuration of an adopted bucket that objects leave", () => {
  const replaced = (raw: Raw) =>
    noticesOf(parse(raw)).filter((text) => text.includes("replaces its replication configuration")).length;
  const both = { source: { adopt: true }, destination: { adopt: true } };
  expect(replaced(s3(both))).toBe(1);
  expect(replaced(s3TwoWay(both))).toBe(2);
});
