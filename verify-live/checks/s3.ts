/** Facts about S3, in both partitions. The keys are under the bridge's own prefix, so nothing is replicated. */

import { checksumOf } from "../../runtime/stores/checksums";
import { isBridgeError } from "../../runtime/stores/errors";
import type { ObjectHead } from "../../runtime/stores/object-store";
import { type CheckContext, DoesNotHold, holds, type LiveSide, type StoreCheck } from "../check";

const MINUTE_MS = 60_000;
const NO_ATTRIBUTES = { headers: {}, metadata: {}, tags: {} };
const BYTES = Buffer.from("verified");

const put = ({ store }: LiveSide, key: string, tags: Record<string, string> = {}, condition = {}) =>
  store.put(key, BYTES, { attributes: { ...NO_ATTRIBUTES, tags }, sizeBytes: BYTES.length, condition });

async function kindOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "succeeded";
  } catch (error) {
    if (isBridgeError(error)) return error.kind;
    throw error;
  }
}

async function headOf({ store }: LiveSide, key: string, signal: AbortSignal): Promise<ObjectHead> {
  const head = await store.head(key, { signal });
  if (head === undefined) throw new DoesNotHold("the object that was just written is not there");
  return head;
}

const common = { on: "s3", safeOn: "any-stack", timeoutMs: 5 * MINUTE_MS } as const;

const conditionalWrites: StoreCheck = {
  ...common,
  name: "s3-conditional-writes",
  fact: "PutObject honours If-None-Match and If-Match, in both partitions.",
  why: "Without conditions an old attempt could overwrite a newer state.",
  source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html",
  reliesOn: ["runtime/stores/s3/store.ts", "runtime/replication/write.ts", "runtime/replication/lease.ts"],
  async run({ keys }, side) {
    const key = `${keys.still}conditional`;
    const { etag } = await put(side, key, {}, { ifAbsent: true });
    const again = await kindOf(put(side, key, {}, { ifAbsent: true }));
    holds(again === "PreconditionFailed", `a second write with If-None-Match: ${again}`);
    const wrong = await kindOf(put(side, key, {}, { ifMatch: "0123456789abcdef0123456789abcdef" }));
    holds(wrong === "PreconditionFailed", `a write with another If-Match: ${wrong}`);
    const right = await kindOf(put(side, key, {}, { ifMatch: etag }));
    holds(right === "succeeded", `a write with the right If-Match: ${right}`);
    return ["If-None-Match and a wrong If-Match were refused, the right If-Match was accepted"];
  },
};

const defaultChecksum: StoreCheck = {
  ...common,
  name: "s3-checksum",
  fact: "HEAD with checksum mode shows the checksum of the whole object that the writer sent.",
  why: "The bridge proves copies by checksums. Without one it must read the bytes again.",
  source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html",
  reliesOn: ["runtime/stores/s3/metadata.ts", "runtime/replication/equality.ts"],
  async run({ keys, signal }, side) {
    const key = `${keys.still}checksum`;
    await put(side, key);
    const { checksums } = await headOf(side, key, signal);
    holds(checksums.length > 0, "HEAD shows no checksum of the whole object");
    for (const { algorithm, value } of checksums) {
      const expected = checksumOf(algorithm, BYTES).value;
      holds(value === expected, `HEAD shows the ${algorithm} ${value}, and the bytes have ${expected}`);
    }
    return [`HEAD shows ${checksums.map(({ algorithm }) => algorithm).join(" and ")}`];
  },
};

const uploadChecksum: StoreCheck = {
  ...common,
  name: "s3-upload-checksum",
  fact: "A multipart upload with CRC64NVME has a checksum over the whole object, and S3 refuses a wrong one at completion.",
  why: "Large copies are proven by the checksum of the whole. A checksum over part checksums equals nothing at the source.",
  source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/tutorial-s3-mpu-additional-checksums.html",
  reliesOn: ["runtime/stores/s3/uploads.ts", "runtime/replication/copy-upload.ts"],
  async run({ keys, signal }, side) {
    const key = `${keys.still}upload`;
    const checksum = checksumOf("CRC64NVME", BYTES);
    const upload = async (value: string) => {
      const { uploadId } = await side.store.createUpload(key, {
        attributes: NO_ATTRIBUTES,
        checksumAlgorithm: "CRC64NVME",
        signal,
      });
      const part = await side.store.uploadPart(key, { uploadId, partNumber: 1 }, BYTES, { checksum, signal });
      const options = { checksum: { ...checksum, value }, signal };
      const outcome = await kindOf(side.store.completeUpload(key, uploadId, [part], options));
      if (outcome !== "succeeded") await side.store.abortUpload(key, uploadId, { signal });
      return outcome;
    };
    const wrong = await upload(checksumOf("CRC64NVME", Buffer.from("other bytes")).value);
    holds(wrong !== "succeeded", "S3 completed an upload with a wrong checksum of the whole");
    const right = await upload(checksum.value);
    holds(right === "succeeded", `S3 answered the right checksum of the whole with ${right}`);
    const { checksums } = await headOf(side, key, signal);
    const held = checksums.find(({ algorithm }) => algorithm === "CRC64NVME");
    holds(held?.value === checksum.value, "HEAD does not show the CRC64NVME of the whole object");
    return [`a wrong checksum was refused (${wrong}), the right one was kept`];
  },
};

const tagCount: StoreCheck = {
  ...common,
  name: "s3-tag-count",
  fact: "HEAD and GET say how many tags an object has, to callers that may read tags.",
  why: "The sender reads the tags of an object only where there are some. A count that is missing would lose tags.",
  source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html",
  reliesOn: ["runtime/stores/tag-counts.ts", "runtime/replication/snapshot.ts"],
  async run({ keys, signal }, side) {
    const [tagged, bare] = [`${keys.still}tagged`, `${keys.still}untagged`];
    await put(side, tagged, { one: "1", two: "2" });
    await put(side, bare);
    await side.store.getTags(tagged, { signal });
    const { tagCount: two } = await headOf(side, tagged, signal);
    holds(two === 2, `HEAD of an object with two tags counts ${two ?? "nothing"}`);
    const { tagCount: none } = await headOf(side, bare, signal);
    holds(none === 0 || none === undefined, `HEAD of an object without tags counts ${none}`);
    return [`two tags: ${two}; no tags: ${none ?? "not counted"}`];
  },
};

const deletesByVersion: StoreCheck = {
  ...common,
  name: "s3-versions",
  fact: "A delete adds a delete marker, and the versions behind the marker can be deleted one by one.",
  why: "The clean-up of a run deletes versions one by one, and a delete marker must not stop it.",
  source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html",
  reliesOn: ["runtime/stores/s3/store.ts", "verify-live/own-objects.ts"],
  notFor: (subject, side) => (subject.config[side].versioning === false ? "the bucket keeps no versions" : undefined),
  async run({ keys, signal }: CheckContext, side) {
    const key = `${keys.still}versions`;
    const { versionId } = await put(side, key);
    holds(versionId !== undefined, "the bucket keeps no versions, and the settings say that it does");
    await side.store.delete(key, { signal });
    holds((await side.store.head(key, { signal })) === undefined, "the object is still visible behind its delete marker");
    await side.store.delete(key, { versionId, signal });
    holds((await side.store.head(key, { signal })) === undefined, "the object is visible although its only version is gone");
    return ["the delete marker hid the version, and the version was deleted behind it"];
  },
};

export const S3_CHECKS: readonly StoreCheck[] = [conditionalWrites, defaultChecksum, uploadChecksum, tagCount, deletesByVersion];
