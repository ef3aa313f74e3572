/** Says in a preview when an account cannot run the bridge's functions at once. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, Side } from "../cloud";
import { isCheckedAtSource, LAMBDA_QUOTA, lambdaQuotaNotices, unknownQuota } from "../config";

/** A quota that cannot be read stops no deployment: the permission to read it is not needed for anything else. */
export function warnOfQuota({ config, provider }: BridgeContext, parent: pulumi.Resource, side: Side): void {
  if (side === "destination" && isCheckedAtSource(config)) return;
  void aws.servicequotas.getServiceQuota({ ...LAMBDA_QUOTA }, { parent, provider }).then(
    ({ value }) => Promise.all(lambdaQuotaNotices(config, side, value).map((notice) => pulumi.log.warn(notice, parent))),
    () => pulumi.log.info(unknownQuota(config, side), parent),
  );
}
