/** Lists the resources of a native bridge in a partition of AWS by the APIs of the services. */
import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { IAMClient, ListPoliciesCommand, ListRolePoliciesCommand, ListRolesCommand } from "@aws-sdk/client-iam";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalPartition } from "../../../local/aws/local-aws";

export interface Leftovers {
  buckets: string[];
  /** Inline policies by role. */
  roles: Record<string, string[]>;
  policies: string[];
  /** Alarms by region. */
  alarms: Record<string, string[]>;
}

/** No resources. The caller adds the regions of `alarms`. */
export const GONE: Leftovers = { buckets: [], roles: {}, policies: [], alarms: {} };

/** @param regions regions of the buckets; the alarms are in these regions */
export async function leftovers(cloud: LocalPartition, regions: readonly string[]): Promise<Leftovers> {
  const [s3, iam] = [new S3Client(clientConfig(cloud)), new IAMClient(clientConfig(cloud))];
  try {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    const { Roles = [] } = await iam.send(new ListRolesCommand({}));
    const { Policies = [] } = await iam.send(new ListPoliciesCommand({ Scope: "Local" }));
    const roles = Roles.map(async ({ RoleName = "" }): Promise<[string, string[]]> => {
      const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
      return [RoleName, PolicyNames];
    });
    return {
      buckets: Buckets.map(({ Name = "" }) => Name).sort(),
      roles: Object.fromEntries(await Promise.all(roles)),
      policies: Policies.map(({ PolicyName = "" }) => PolicyName),
      alarms: Object.fromEntries(await Promise.all(regions.map(async (region) => [region, await alarms(cloud, region)]))),
    };
  } finally {
    s3.destroy();
    iam.destroy();
  }
}

async function alarms(cloud: LocalPartition, region: string): Promise<string[]> {
  const client = new CloudWatchClient({ ...clientConfig(cloud), region });
  try {
    const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({}));
    return MetricAlarms.map(({ AlarmName = "" }) => AlarmName).sort();
  } finally {
    client.destroy();
  }
}
