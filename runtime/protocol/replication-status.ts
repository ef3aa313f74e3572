/** How far one object is, in the words that S3 replication uses, for every mode. */
export const REPLICATION_STATUSES = ["PENDING", "COMPLETED", "FAILED", "REPLICA"] as const;

/**
 * - `PENDING`: not there yet, or not in this state.
 * - `COMPLETED`: the destination has this very state.
 * - `FAILED`: given up; the reason is known.
 * - `REPLICA`: the object itself came from the other side.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
 */
export type ReplicationStatus = (typeof REPLICATION_STATUSES)[number];
