/** Which of a stack's resources the local Alibaba Cloud still has. */
import type { LocalAlicloud } from "local-alicloud";
import type { StackExport } from "../../../local/engine";
import { ossAgent, ossClient } from "../../../local/oss-client";

type Resources = NonNullable<StackExport["deployment"]["resources"]>;
/** Those of the local cloud that have CloudFlow. */
const FLOW_REGIONS = ["cn-shanghai", "cn-hangzhou", "us-west-1", "ap-southeast-1"];
type Finder = (cloud: LocalAlicloud, region: string, name: string) => unknown;

/** The input with the name, and how to find the resource, by type. Triggers and configs end with their function. */
const FINDERS: Record<string, [input: string, find: Finder]> = {
  "alicloud:ram/role:Role": ["roleName", ({ ram }, _region, name) => ram.getRole(name)],
  "alicloud:ram/policy:Policy": ["policyName", ({ ram }, _region, name) => ram.getPolicy(name)],
  "alicloud:fc/v3Function:V3Function": ["functionName", ({ fc }, region, name) => fc.getFunction(region, name)],
  "alicloud:fnf/flow:Flow": [
    "name",
    ({ flow }, region, name) => (FLOW_REGIONS.includes(region) ? flow.getFlow(region, name) : undefined),
  ],
  "alicloud:message/serviceQueue:ServiceQueue": ["queueName", ({ messages }, region, name) => messages.getQueue(region, name)],
  "alicloud:oos/secretParameter:SecretParameter": [
    "secretParameterName",
    ({ secrets }, region, name) => secrets.get(region, name),
  ],
  "alicloud:log/project:Project": ["projectName", ({ records }, region, name) => records.logProjects.get(region, name)],
};

/** @param resources of the stack's state before the destroy */
export async function leftInAlicloud(cloud: LocalAlicloud, resources: Resources): Promise<string[]> {
  const left = resources.flatMap(({ type, inputs = {} }) => {
    const [input, find] = FINDERS[type] ?? [];
    if (input === undefined || find === undefined) return [];
    const name = inputs[input];
    if (typeof name !== "string") throw new Error(`${type} has no ${input} in the state: ${JSON.stringify(inputs[input])}`);
    return cloud.regions.some((region) => find(cloud, region, name) !== undefined) ? [`${type} ${name}`] : [];
  });
  const kept = cloud.regions.flatMap((region) =>
    Object.entries({ ...cloud.records }).flatMap(([kind, records]) => records.names(region).map((name) => `${kind} ${name}`)),
  );
  return [...left, ...kept, ...(await buckets(cloud)).map((name) => `bucket ${name}`)];
}

async function buckets({ endpointsOf, regions: [region = ""], caPath, ram: { root } }: LocalAlicloud): Promise<string[]> {
  const agent = ossAgent(caPath);
  try {
    const credentials = { accessKeyId: root.accessKeyId, secretAccessKey: root.accessKeySecret };
    const client = ossClient({ endpoint: endpointsOf(region).oss.public, region, caPath, credentials, agent });
    // Its type is not what ali-oss returns.
    const page = (await client.listBuckets({ "max-keys": 1000 }, {})) as unknown as { buckets: { name: string }[] | null };
    return (page.buckets ?? []).map(({ name }) => name);
  } finally {
    agent.destroy();
  }
}
