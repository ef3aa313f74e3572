/** The progress of one object, in the words of S3 replication. Every mode uses them. */
export const REPLICATION_STATUSES = ["PENDING", "COMPLETED", "FAILED", "REPLICA"] as const;

/**
 * - `PENDING`: the destination does not have this state yet.
 * - `COMPLETED`: the destination has this state.
 * - `FAILED`: the bridge gave up, for a known reason.
 * - `REPLICA`: the object itself came from the other side.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
 */
export type ReplicationStatus = (typeof REPLICATION_STATUSES)[number];
