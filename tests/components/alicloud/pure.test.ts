import { CLOUDFLOW_REGIONS as SERVED } from "local-alicloud";
import { foundBucket, recordsOf } from "../../../components/alicloud/bucket";
import { functionSize } from "../../../components/alicloud/function";
import {
  controlBucketName,
  leaseLogsPrefix,
  logProjectName,
  queueArn,
  queueUrl,
  secretArns,
} from "../../../components/alicloud/names";
import { ownRule, transferType } from "../../../components/alicloud/native";
import { ossTriggerConfig, sourceEvents } from "../../../components/alicloud/oss-events";
import { inOneAccount } from "../../../components/alicloud/push";
import { instanceRate } from "../../../components/alicloud/receiver";
import {
  allowedSourceOf,
  destinationConfig,
  presignHost,
  sourceAtDomain,
  sourceConfig,
} from "../../../components/alicloud/stores";
import { assertAccount } from "../../../components/cloud";
import { withinEnvironment } from "../../../components/config";
import { CLOUDFLOW_REGIONS } from "../../../components/config/clouds";
import type { ResolvedConfig } from "../../../components/late-config";
import { recordLogPrefix } from "../../../runtime/replication/append-record-store";
import { ossEndpoint, ossTarget } from "../../../runtime/stores/oss/endpoint";
import { ACCOUNT } from "./fixture";

const PLACE = { accountId: ACCOUNT, region: "cn-shanghai" };

describe("names", () => {
  test("the leases are where the runtime keeps them", () => {
    expect(leaseLogsPrefix("b")).toBe(recordLogPrefix("b"));
  });

  test.each([
    ["reports", "b", "reports-b-bridge-control"],
    ["r".repeat(46), "b", `${"r".repeat(46)}-b-bridge-control`],
  ])("the control bucket of %s for bridge %s", (bucket, bridge, name) => {
    expect(controlBucketName(bucket, bridge)).toBe(name);
  });

  test("a control bucket's name fits, and stays one of its own", () => {
    const names = ["a", "b"].map((bridge) => controlBucketName("r".repeat(63), bridge));
    for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
    expect(new Set(names).size).toBe(2);
  });

  test("a log project's name fits, and is not that of another account", () => {
    const id = "x".repeat(32);
    expect(logProjectName(id, "destination", ACCOUNT)).toMatch(/^[a-z0-9-]{3,63}$/);
    expect(logProjectName(id, "source", ACCOUNT)).not.toBe(logProjectName(id, "source", "4444444444444444"));
  });

  test("queues and secrets", () => {
    expect(queueArn(PLACE, "q")).toBe(`acs:mns:cn-shanghai:${ACCOUNT}:/queues/q/messages`);
    expect(queueUrl(PLACE, "q")).toBe(`https://${ACCOUNT}.mns.cn-shanghai.aliyuncs.com/queues/q`);
    expect(secretArns(PLACE, "a/b")).toEqual({
      parameter: `acs:oos:cn-shanghai:${ACCOUNT}:secretparameter/a/b`,
      secret: `acs:kms:cn-shanghai:${ACCOUNT}:secret/oos/a/b`,
    });
  });
});

describe("where presigned URLs point", () => {
  test.each(["oss-cn-shanghai.aliyuncs.com", "oss-accelerate.aliyuncs.com", "localhost:4443", "127.0.0.1:4443", "[::1]:4443"])(
    "at %s as the store decides it",
    (host) => {
      expect(allowedSourceOf("bucket", host)).toEqual(ossTarget(`https://${host}`, "bucket"));
    },
  );

  test("at a custom domain as the store decides it", () => {
    expect(sourceAtDomain("oss.example.com")).toEqual(
      ossTarget(ossEndpoint("cn-shanghai", { customDomain: "oss.example.com" }), "b"),
    );
  });

  test.each([
    ["none", "oss-cn-shanghai.aliyuncs.com"],
    ["global", "oss-accelerate.aliyuncs.com"],
    ["overseas", "oss-accelerate-overseas.aliyuncs.com"],
  ] as const)("with acceleration %s", (acceleration, host) => {
    expect(presignHost("oss-cn-shanghai.aliyuncs.com", acceleration)).toBe(host);
  });
});

describe("events", () => {
  const CREATED = [
    "oss:ObjectCreated:PutObject",
    "oss:ObjectCreated:PutSymlink",
    "oss:ObjectCreated:PostObject",
    "oss:ObjectCreated:CopyObject",
    "oss:ObjectCreated:AppendObject",
    "oss:ObjectCreated:CompleteMultipartUpload",
    "oss:ObjectReplication:ObjectCreated",
    "oss:ObjectReplication:ObjectModified",
  ];
  const REMOVED = ["oss:ObjectRemoved:DeleteObject", "oss:ObjectRemoved:DeleteObjects", "oss:ObjectReplication:ObjectRemoved"];
  const region = "us-west-1";

  test("the parts of an upload send no event", () => {
    expect(sourceEvents(region)).toEqual([...CREATED, ...REMOVED]);
  });

  test("of changes to an object's properties OSS tells in some regions only", () => {
    const changed = "oss:ObjectModified:UpdateObjectMeta";
    expect(sourceEvents("cn-huhehaote")).toEqual([...CREATED, changed, ...REMOVED]);
    expect(sourceEvents("cn-hongkong")).not.toContain(changed);
  });

  test.each([
    [[], [], { prefix: "", suffix: "" }],
    [["in/"], [".pdf"], { prefix: "in/", suffix: ".pdf" }],
    [["a/", "b/"], [".pdf"], { prefix: "", suffix: ".pdf" }],
    [["中文/"], ["+x"], { prefix: "", suffix: "" }],
  ])("prefixes %j and suffixes %j", (prefixes, suffixes, key) => {
    const config = { source: { region }, scope: { prefixes, suffixes } };
    expect(ossTriggerConfig(config)).toEqual({ events: [...CREATED, ...REMOVED], filter: { key } });
  });
});

describe("sizes", () => {
  test.each([256, 257, 512, 1000, 1024, 2048, 3000, 10_240])("a function of %i MB is one that is sold", (memoryMb) => {
    const { memorySize, cpu } = functionSize(memoryMb);
    expect(memorySize).toBeGreaterThanOrEqual(memoryMb);
    expect(memorySize % 64).toBe(0);
    expect(Math.abs(cpu * 20 - Math.round(cpu * 20))).toBeLessThan(1e-9);
    const gbPerCpu = memorySize / 1024 / cpu;
    expect(gbPerCpu).toBeGreaterThanOrEqual(1);
    expect(gbPerCpu).toBeLessThanOrEqual(4);
  });

  test("the rate is divided among the instances, each of which lets a request pass", () => {
    for (const concurrency of [2, 10, 1000])
      for (const requestsPerSecond of [1, 50, 10_000])
        for (const burst of [1, 100, 5000]) {
          const rate = instanceRate({ concurrency, rateLimit: { requestsPerSecond, burst } });
          expect(rate.instances).toBeLessThanOrEqual(concurrency);
          expect(rate.burst).toBeGreaterThanOrEqual(1);
          expect(rate.instances * rate.requestsPerSecond).toBeCloseTo(requestsPerSecond);
          expect(rate.instances * rate.burst).toBeCloseTo(burst);
        }
  });

  test("settings that no function could hold are refused with what to shorten", () => {
    expect(withinEnvironment("sender", "alicloud", { A: "x".repeat(4095) })).toHaveProperty("A");
    expect(() => withinEnvironment("sender", "alicloud", { A: "x".repeat(4096) })).toThrow(
      "the settings of the sender take 4097 bytes, and Function Compute allows 4096 in a function's environment; allowed: fewer or shorter",
    );
    expect(() => withinEnvironment("sender", "aws", { A: "x".repeat(4096) })).toThrow("Lambda allows 4096");
  });
});

describe("networks", () => {
  const context = (mode: string, source: object, destination: object) => ({ mode, source, destination }) as ResolvedConfig;
  const SHANGHAI = { region: "cn-shanghai" };
  const SILICON_VALLEY = { region: "us-west-1" };
  const bucket = { bucket: "x", versioned: true };

  const customDomain = "oss.example.com";

  test.each([
    ["pull", "none", { network: "internal", presignNetwork: "public" }],
    ["pull", "overseas", { network: "internal", presignNetwork: "accelerate-overseas" }],
    ["push", "none", { network: "internal" }],
  ])("a source in mode %s with acceleration %s", (mode, acceleration, expected) => {
    expect(sourceConfig(context(mode, { ...SHANGHAI, acceleration }, SILICON_VALLEY), bucket)).toEqual({
      kind: "oss",
      bucket: "x",
      region: "cn-shanghai",
      versioned: true,
      ...expected,
    });
  });

  test.each([
    ["pull", {}, { presignNetwork: { customDomain } }],
    // The CNAME record decides whether the domain is accelerated.
    ["pull", { acceleration: "global" }, { presignNetwork: { customDomain } }],
    ["push", {}, {}],
  ])("a source in mode %s with a custom domain and %j keeps the internal host for itself", (mode, more, expected) => {
    expect(sourceConfig(context(mode, { ...SHANGHAI, customDomain, ...more }, SILICON_VALLEY), bucket)).toEqual({
      kind: "oss",
      bucket: "x",
      region: "cn-shanghai",
      versioned: true,
      network: "internal",
      ...expected,
    });
  });

  test.each([
    ["pull", { ...SILICON_VALLEY, customDomain }, "internal"],
    ["push", { ...SILICON_VALLEY, customDomain, acceleration: "none" }, { customDomain }],
    ["push", { ...SILICON_VALLEY, customDomain, acceleration: "global" }, { customDomain }],
    ["push", { ...SHANGHAI, customDomain, acceleration: "none" }, "internal"],
    ["pull", SILICON_VALLEY, "internal"],
    ["push", { ...SILICON_VALLEY, acceleration: "global" }, "accelerate"],
    ["push", { ...SILICON_VALLEY, acceleration: "none" }, "public"],
    ["push", { ...SHANGHAI, acceleration: "none" }, "internal"],
  ])("a destination in mode %s, %j", (mode, destination, network) => {
    expect(destinationConfig(context(mode, SHANGHAI, destination), bucket)).toMatchObject({ network });
  });

  test.each([
    ["cn-shanghai", "us-west-1", "oss_acc"],
    ["us-west-1", "cn-shanghai", "oss_acc"],
    ["cn-shanghai", "cn-hongkong", "oss_acc"],
    ["cn-hongkong", "ap-southeast-1", "internal"],
    ["cn-shanghai", "cn-hangzhou", "internal"],
  ])("native from %s to %s", (from, to, expected) => {
    const config = { source: { region: from }, destination: { region: to } } as Parameters<typeof transferType>[0];
    expect(transferType(config)).toBe(expected);
  });

  test("CloudFlow's regions are those that the local one serves", () => {
    expect([...SERVED].sort()).toEqual([...CLOUDFLOW_REGIONS].sort());
  });
});

describe("what the providers find", () => {
  const there = { name: "x", location: "oss-cn-shanghai", extranetEndpoint: "oss-cn-shanghai.aliyuncs.com" };

  test.each([
    [undefined, false],
    [{ status: "Enabled" }, true],
    // What OSS does not do with versions it does not do with suspended ones either.
    [{ status: "Suspended" }, true],
  ])("an adopted bucket with versioning %j", (versioning, versioned) => {
    const found = { ...there, ...(versioning === undefined ? {} : { versioning }) };
    expect(foundBucket([found], "source", { bucket: "x", region: "cn-shanghai" })).toEqual({
      name: "x",
      publicHost: "oss-cn-shanghai.aliyuncs.com",
      versioned,
    });
  });

  test("an adopted bucket that is not there, or elsewhere", () => {
    expect(() => foundBucket([], "source", { bucket: "x", region: "cn-shanghai" })).toThrow(
      "source.bucket = x: this account has no such bucket to adopt; allowed: a bucket of the account, or adopt: false",
    );
    expect(() => foundBucket([there], "destination", { bucket: "x", region: "us-west-1" })).toThrow(
      "destination.region = us-west-1: the bucket x, which is to be adopted, is in cn-shanghai; allowed: cn-shanghai",
    );
  });

  test("a replication rule that the bridge did not make", () => {
    const own = { bucket: "to-there", syncRole: "crossborderbridge-b-replication" };
    const found = { id: "from-here:1", urn: "urn:pulumi:s::p::t::b", ...own };
    expect(ownRule(found, own)).toBe("from-here:1");
    const { syncRole: _, ...open } = found;
    for (const other of [{ ...found, bucket: "elsewhere" }, { ...found, syncRole: "another" }, open])
      expect(() => ownRule(other, own)).toThrow(
        /rule from-here:1 to .*Give it back .*: pulumi state delete 'urn:pulumi:s::p::t::b'/s,
      );
  });

  test("what the owner of a domain has to do is said with the record", () => {
    expect(recordsOf("oss.example.com", "reports", "21a0")).toBe(
      "To bind oss.example.com to the bucket reports, OSS may want the DNS record TXT _dnsauth.oss.example.com with the value 21a0. Once it is " +
        "bound, upload its certificate in OSS's console, and let its CNAME record lead to the bucket.",
    );
  });

  test("two accounts where one is needed", () => {
    expect(inOneAccount(PLACE, { ...PLACE, region: "us-west-1" })).toBe(PLACE);
    expect(() => inOneAccount(PLACE, { accountId: "4", region: "us-west-1" })).toThrow(
      /belong to accounts 3333333333333333 and 4/,
    );
  });

  test("another account than the configured one", () => {
    expect(() => assertAccount("source", "1", "1")).not.toThrow();
    expect(() => assertAccount("source", "1", "2")).toThrow(
      "source.accountId = 2: the credentials of the source belong to account 1; allowed: 1, or source.profile",
    );
  });
});
