/** Checks the accounts of a replication. Across accounts it needs more permissions; without them, every single object would fail. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { assertAccount } from "../../cloud";
import { ConfigInvalid } from "../../config";
import { AWS_PARTITIONS } from "../../config/clouds";
import { checkedFor } from "../../config/errors";

/** One end of a replication: the configured account, and the provider, whose credentials belong to the real one. */
export interface AccountedEnd {
  accountId?: string | undefined;
  provider: pulumi.ProviderResource;
}

export interface Found {
  source: string;
  destination: string;
}

export const isCrossAccount = (source: Pick<AccountedEnd, "accountId">, destination: Pick<AccountedEnd, "accountId">): boolean =>
  source.accountId !== undefined && destination.accountId !== undefined && source.accountId !== destination.accountId;

/** @throws ConfigInvalid when the credentials do not belong to the configured accounts. */
export function assertAccounts(found: Found, expected: { source?: string | undefined; destination?: string | undefined }): void {
  for (const side of ["source", "destination"] as const) {
    const account = expected[side];
    if (account !== undefined) assertAccount(side, found[side], account);
  }
  const named = expected.source !== undefined && expected.destination !== undefined;
  if (found.source !== found.destination && !named)
    throw new ConfigInvalid([
      `source.accountId and destination.accountId are not set: the source is in account ${found.source} and the destination in account ${found.destination}; ` +
        "allowed: accountId on both sides, so that replication gets the permissions it needs across accounts",
    ]);
}

/** Fails the deployment with the reason. A resource that must wait for the check depends on the result. */
export function verifiedAccounts(
  source: AccountedEnd,
  destination: AccountedEnd,
  { component, parent }: { component: string; parent: pulumi.Resource },
): pulumi.Output<Found> {
  const accountOf = ({ provider }: AccountedEnd) => aws.getCallerIdentityOutput({}, { parent, provider }).accountId;
  return pulumi.all([accountOf(source), accountOf(destination)]).apply(([from, to]) => {
    const found = { source: from, destination: to };
    checkedFor(component, () => assertAccounts(found, { source: source.accountId, destination: destination.accountId }));
    return found;
  });
}

/** S3 replication does not cross partitions. */
export function partitionProblems(source: string, destination: string): string[] {
  const partitionOf = (region: string) => Object.values(AWS_PARTITIONS).find((one) => one.region.test(region))?.partition;
  const [from, to] = [partitionOf(source), partitionOf(destination)];
  if (from === to) return [];
  return [`destination.region: ${destination} is not in the partition of ${source}, and S3 replication does not leave it`];
}
