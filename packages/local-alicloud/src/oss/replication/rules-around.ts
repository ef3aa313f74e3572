import type { Bucket } from "../store/bucket";
import type { DiskStore } from "../store/disk-store";
import type { ReplicationRule } from "../store/model";

/** The rules whose source or destination is the bucket. */
export const rulesAround = (store: DiskStore, bucket: Bucket): { source: Bucket; rule: ReplicationRule }[] =>
  store
    .all()
    .flatMap((source) => source.rules.map((rule) => ({ source, rule })))
    .filter(({ source, rule }) => source === bucket || rule.destination.bucket === bucket.name);
