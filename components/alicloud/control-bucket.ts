import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { type BucketFacts, createBucket } from "./bucket";
import { controlBucketName, leaseLogsPrefix, type Place } from "./names";

/** Beyond the longest run of any function (a day), so that whoever read a log before it went has ended. */
const LEASE_LOG_DAYS = 3;

/**
 * `crossborder:alicloud:ControlBucket`: where the copiers' leases are, in the region of the functions that take them. Its records
 * matter only while a copy runs, so it goes with the bridge, whatever becomes of the other buckets.
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
      bucketName: controlBucketName(config[args.side].bucket, config.name),
      rules: [
        {
          id: "expire-lease-logs",
          enabled: true,
          prefix: leaseLogsPrefix(config.name),
          expirations: [{ days: LEASE_LOG_DAYS }],
        },
      ],
      // A log is appended to, which versions do not allow; an expired one leaves no delete marker without them.
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
