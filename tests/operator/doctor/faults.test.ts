/**
 * Each fault is planted alone into clouds that are in order. The doctor must find it, name the command that mends it, and find nothing else. The
 * answers of the clouds are those that the vendors document.
 */
import { checkNames } from "../../../operator/doctor/catalogue";
import type { Finding } from "../../../operator/doctor/run-checks";
import { secretArguments } from "../../support/secret-arguments";
import {
  DOMAIN,
  domainClinic,
  OSS,
  OSS_NATIVE,
  OSS_NATIVE_BEFORE,
  ossNativeBefore,
  PUSH,
  PUSH_BEFORE,
  pushBefore,
} from "./alicloud-faults";
import { PULL } from "./aws-faults";
import { PULL_FUNCTIONS } from "./aws-function-faults";
import { BEFORE } from "./before-faults";
import { parameter } from "./fake-aws";
import type { Aws, Fault, Oss } from "./fault";
import {
  beforeUp,
  closeClinic,
  examine,
  nativeClinic,
  ossClinic,
  ossNativeClinic,
  pullClinic,
  pushClinic,
  SECRET,
} from "./fixture";
import { NATIVE, NATIVE_BEFORE, nativeBefore } from "./s3-replication-faults";

describe.each([
  ["pull from AWS to AWS China", pullClinic, [...PULL, ...PULL_FUNCTIONS]],
  ["pull from AWS, before the first deployment", async () => beforeUp(await pullClinic()), BEFORE],
  ["S3's own replication", nativeClinic, NATIVE],
  ["S3's own replication, before the first deployment", nativeBefore, NATIVE_BEFORE],
] as [string, () => Promise<Aws>, Fault<Aws>[]][])("%s", faultsOf);

describe.each([
  ["pull from OSS", ossClinic, OSS],
  ["pull from OSS over a custom domain", domainClinic, DOMAIN],
  ["push", pushClinic, PUSH],
  ["push, before the first deployment", pushBefore, PUSH_BEFORE],
  ["OSS's own replication", ossNativeClinic, OSS_NATIVE],
  ["OSS's own replication, before the first deployment", ossNativeBefore, OSS_NATIVE_BEFORE],
] as [string, () => Promise<Oss>, Fault<Oss>[]][])("%s", faultsOf);

function faultsOf<C extends Aws | Oss>(_: string, open: () => Promise<C>, faults: readonly Fault<C>[]): void {
  let clinic: C;
  beforeEach(async () => {
    clinic = await open();
  });
  afterEach(() => closeClinic(clinic));

  test("in order: no finding, and every check was made", async () => {
    const { findings, unchecked, unavailable, passed } = await examine(clinic);
    expect({ findings, unchecked, unavailable }).toEqual({ findings: [], unchecked: [], unavailable: [] });
    expect(passed.length).toBeGreaterThan(8);
  });

  test.each(faults.map((fault) => [fault.name, fault] as const))("%s", async (_name, { plant, found, what, fix }) => {
    plant(clinic);
    const { findings } = await examine(clinic);
    expect(findings.map(named).join(", ")).toBe(found);
    expect(findings[0]?.what).toMatch(what);
    expect(findings[0]?.fix).toMatch(fix);
    expect(findings[0]?.why).toMatch(/\.$/);
    expect(findings.flatMap((finding) => secretArguments(finding.fix))).toEqual([]);
  });
}

const named = ({ check, side }: Finding): string => `${check} (${side})`;

test("these are more than twenty faults, and every check finds at least one of them", () => {
  const all = [
    PULL,
    PULL_FUNCTIONS,
    BEFORE,
    NATIVE,
    NATIVE_BEFORE,
    OSS,
    DOMAIN,
    PUSH,
    PUSH_BEFORE,
    OSS_NATIVE,
    OSS_NATIVE_BEFORE,
  ].flat();
  expect(all.length).toBeGreaterThan(50);
  const found = new Set(all.flatMap((fault) => fault.found.split(", ").map((text) => text.split(" ")[0])));
  expect(checkNames().filter((name) => !found.has(name))).toEqual([]);
});

test("what was refused before the receiver took a request again is mended, and so is a key that no longer waits", async () => {
  const clinic = await pullClinic();
  const at = (secondsAgo: number) => new Date(Date.now() - 1000 * secondsAgo).toISOString();
  const refused = {
    level: "warn",
    message: "held",
    time: at(60),
    key: "a",
    reason: "the signing secrets of sender and receiver differ",
  };
  const denied = { message: "put back", key: "b", place: "destination", reason: "AccessDenied", nextTryMs: Date.now() - 200_000 };
  const success = { _aws: { Timestamp: Date.now() - 5_000, CloudWatchMetrics: [] }, Replicated: 1 };
  try {
    const log = (...lines: object[]) => ({
      body: { events: lines.map((line) => ({ timestamp: Date.now(), message: JSON.stringify(line) })) },
    });
    clinic.source.answers.FilterLogEvents = log(refused);
    expect((await examine(clinic)).findings.map(named)).toEqual(["sender-refused (source)"]);
    clinic.source.answers.FilterLogEvents = log(refused, { level: "info", time: at(240), ...denied }, success);
    expect((await examine(clinic)).findings).toEqual([]);
  } finally {
    await closeClinic(clinic);
  }
});

test("no finding and no reason shows a secret", async () => {
  const clinic = await pullClinic();
  try {
    const other = Buffer.alloc(32, 8).toString("base64");
    clinic.destination.answers.GetParameter = parameter(other, "String");
    const seen = JSON.stringify(await examine(clinic));
    expect(seen).not.toContain(SECRET);
    expect(seen).not.toContain(other);
  } finally {
    await closeClinic(clinic);
  }
});
