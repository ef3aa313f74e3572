import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { type BucketFacts, createBucket } from "./bucket";
import { controlBucketName, leaseLogsPrefix, type Place } from "./names";

/**
 * Longer than a period of the slots (three days) and the longest run of any function (a day): every function that has read a log, and every copy that
 * has a slot in it, ends before the log expires.
 */
const LEASE_LOG_DAYS = 5;

/**
 * `crossborder:alicloud:ControlBucket`: holds the copiers' leases, in the region of the functions that take them. Its records matter
 * only while a copy runs. So it is deleted with the bridge, even when the other buckets are retained.
 */
export class ControlBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;
  readonly settled: pulumi.Resource[];

  constructor(
    context: BridgeContext,
    args: { side: "source" | "destination"; place: pulumi.Output<Place>; parent: pulumi.Resource },
  ) {
    const name = `${context.name}-control`;
    super("crossborder:alicloud:ControlBucket", name, {}, { parent: args.parent });
    const { config } = context;
    const bucket: BucketFacts = createBucket(context, this, {
      name,
      bucketName: config[args.side].bucket.apply((own) => controlBucketName(own, config.name)),
      rules: [
        {
          id: "expire-lease-logs",
          enabled: true,
          prefix: leaseLogsPrefix(config.name),
          expirations: [{ days: LEASE_LOG_DAYS }],
        },
      ],
      // OSS appends only to objects without versions. And without versions an expired log leaves no delete marker.
      versioning: false,
      acceleration: false,
      kmsKeyId: undefined,
      retain: false,
      forceDestroy: true,
      accountId: args.place.accountId,
    });
    this.bucketName = bucket.name;
    this.settled = bucket.settled;
    this.registerOutputs({ bucketName: this.bucketName });
  }
}
