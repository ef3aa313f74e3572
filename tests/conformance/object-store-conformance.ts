/** The port's contract as checks, one for each sentence. An adapter must pass them all. */
import type { StoreCapabilities } from "../../runtime/stores/object-store";
import { attributeChecks } from "./object-store/attributes";
import { bodyChecks } from "./object-store/bodies";
import { checksumChecks } from "./object-store/checksums";
import { conditionChecks } from "./object-store/conditions";
import type { Context, StoreUnderTest } from "./object-store/context";
import { keyChecks } from "./object-store/keys";
import { listingChecks } from "./object-store/listing";
import { objectChecks } from "./object-store/objects";
import { presignChecks } from "./object-store/presign";
import { signalChecks } from "./object-store/signals";
import { touchChecks } from "./object-store/touch";
import { uploadChecks } from "./object-store/uploads";
import { versionChecks } from "./object-store/versions";

export type { StoreUnderTest } from "./object-store/context";

export interface ObjectStoreConformance {
  name: string;
  make(): Promise<StoreUnderTest>;
  capabilities: StoreCapabilities;
  /** Whether the bucket keeps versions. @default false */
  versioned?: boolean;
  /**
   * Checks that the server of this run is known to fail: the check's id, and what the server does instead. Each of them still runs and must
   * fail: when one passes, the run fails until its entry is removed. The count is printed.
   */
  knownGaps?: Readonly<Record<string, string>>;
  /** Checks whose outcome depends on the server's timing, by id with a sentence. They do not run; their count is printed. */
  racingGaps?: Readonly<Record<string, string>>;
}

export function objectStoreConformance({
  name,
  make,
  capabilities,
  versioned = false,
  knownGaps = {},
  racingGaps = {},
}: ObjectStoreConformance): void {
  describe(`${name} keeps the contract of ObjectStore`, () => {
    let subject: StoreUnderTest | undefined;
    const met = new Set<string>();
    const left = new Set<string>();
    let checks = 0;
    let keys = 0;

    const context: Context = {
      get subject() {
        if (subject === undefined) throw new Error("the store exists inside a check only");
        return subject;
      },
      get store() {
        return this.subject.store;
      },
      capabilities,
      versioned,
      check(id, sentence, body, timeoutMs = 30_000) {
        if (id in racingGaps) {
          left.add(id);
          return;
        }
        checks += 1;
        if (id in knownGaps) {
          met.add(id);
          test.failing(`known gap, ${knownGaps[id]}: ${sentence}`, body, timeoutMs);
        } else {
          test(sentence, body, timeoutMs);
        }
      },
      freshKey(label = "key") {
        keys += 1;
        return `conformance/${keys}/${label}`;
      },
    };

    beforeAll(async () => {
      subject = await make();
    }, 120_000);
    afterAll(async () => {
      await subject?.cleanup?.();
      const gaps = [...met].map((id) => `\n  ${id}: ${knownGaps[id]}`).join("");
      const races = [...left].map((id) => `\n    ${id}: ${racingGaps[id]}`).join("");
      const counts = `${checks - met.size} checks, ${met.size} more that the server is known to fail${gaps}`;
      const unrun = left.size === 0 ? "" : `\n  ${left.size} not run, because the outcome depends on the server's timing${races}`;
      process.stdout.write(`${name}: ${counts}${unrun}\n`);
    });

    describe("objects", () => objectChecks(context));
    describe("bodies", () => bodyChecks(context));
    describe("checksums", () => checksumChecks(context));
    describe("headers, metadata and tags", () => attributeChecks(context));
    describe("conditions", () => conditionChecks(context));
    describe("uploads in parts", () => uploadChecks(context));
    describe("versions", () => versionChecks(context));
    describe("touch", () => touchChecks(context));
    describe("keys", () => keyChecks(context));
    describe("listing", () => listingChecks(context));
    describe("presigned URLs", () => presignChecks(context));
    describe("signals", () => signalChecks(context));

    const unknown = Object.keys(knownGaps).filter((id) => !met.has(id));
    if (unknown.length > 0) throw new Error(`knownGaps names no check: ${unknown.join(", ")}`);
  });
}
