import { createHash } from "node:crypto";
import { controlPrefix } from "../../../runtime/protocol/control";
import type { Lease } from "../../../runtime/replication/lease";
import { put } from "./objects";
import type { TestStack } from "./stack";

/**
 * Leaves the lease of a copy that has begun before. The next run then copies in parts; a first run sends an object as one stream where the link is
 * fast, as it is here.
 */
export async function leaveBegunCopy({ destination }: Pick<TestStack, "destination">, key: string): Promise<void> {
  const lease: Lease = {
    ...{ version: 1, key: destination.prefix + key, execution: "earlier", snapshotId: "earlier", leaseUntilMs: 1 },
    ...{ stop: false, pace: { hasBegun: true }, outcome: { result: "continue" }, reported: false },
  };
  const name = `${controlPrefix("dev")}leases/${createHash("sha256").update(lease.key).digest("hex")}`;
  await put({ ...destination, prefix: "" }, name, JSON.stringify(lease), { ContentType: "application/json" });
}
