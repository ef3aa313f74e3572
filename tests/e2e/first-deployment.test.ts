/**
 * First deployments in clouds that need time until all of their services know a new role, user, policy or log store: every example stack, from
 * nothing to nothing. PROPAGATION_MS=20000 makes the delay longer.
 */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { type CloudName, type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { cloudsOf, listStacks, readSettings, sourceRegion, startLocalStack } from "../../local/local-stack";
import type { CommandError } from "../../local/run-command";
import { forEachBounded } from "../../operator/concurrency";
import { leftInAlicloud } from "./support/alicloud-left";
import { type Inventory, inventory, using } from "./support/aws-inventory";
import { START_MS, UP_MS } from "./support/stack";

const PROPAGATION_MS = Number(process.env.PROPAGATION_MS ?? 5000);
/** Deployments that run side by side: they mostly wait. */
const AT_ONCE = 3;
const STACKS = 16;
const REMOVED = { "crossborderbridge:retainBuckets": false, "crossborderbridge:forceDestroy": true };

type Settings = Record<string, unknown>;

interface Side {
  cloud: CloudName;
  region: string;
  bucket: string;
  adopt?: boolean;
}

test(
  "every example is deployed at the first try, a second deployment changes nothing, and a destroy removes everything",
  async () => {
    const stacks = await listStacks();
    const lives: Record<string, unknown> = {};
    await forEachBounded(stacks, { limit: AT_ONCE }, async (stack) => {
      lives[stack] = await lifeOf(stack).catch((error: Error) => error.message);
    });
    expect(lives).toEqual(Object.fromEntries(stacks.map((stack) => [stack, { first: ["create"], second: ["same"], left: [] }])));
  },
  STACKS * (START_MS + UP_MS),
);

test(
  "without a rest Function Compute refuses the first deployment",
  async () => {
    const settings = { ...REMOVED, "crossborderbridge:settleSeconds": 0 };
    const first = startLocalStack({ stack: "oss-to-aws", propagationMs: PROPAGATION_MS, settings });
    const printed = await first.then(
      () => "deployed",
      ({ stdout, stderr }: CommandError) => stdout + stderr,
    );
    // The role, its policy or the log store is the first that is not known yet.
    expect(printed).toMatch(/does not know the role|does not allow fc:InvokeFunction|project '[^']+' does not exist/);
  },
  START_MS,
);

async function lifeOf(stack: string) {
  const settings = await readSettings(stack);
  const regions = sourceRegion(settings);
  const clouds = await startLocalClouds({ clouds: cloudsOf(settings), regions, propagationMs: PROPAGATION_MS });
  try {
    await createAdopted(clouds, settings);
    const before = await awsNames(clouds, settings);
    const local = await startLocalStack({ stack, clouds, settings: REMOVED });
    try {
      const second = await local.up();
      const { deployment } = await local.engine.exportStack({ stack });
      await local.destroy();
      const left = (await awsNames(clouds, settings)).filter((name) => !before.includes(name));
      if (clouds.has("alicloud")) left.push(...(await leftInAlicloud(clouds.alicloud, deployment.resources ?? [])));
      return { first: Object.keys(local.changes), second: Object.keys(second), left };
    } finally {
      await local.stop();
    }
  } finally {
    await clouds.stop();
  }
}

const sidesOf = (settings: Settings): Side[] =>
  ["source", "destination"].map((side) => settings[`crossborderbridge:${side}`] as Side);

/** The buckets that the operator has before the bridge. */
async function createAdopted(clouds: LocalClouds, settings: Settings): Promise<void> {
  for (const { cloud, region, bucket: Bucket, adopt } of sidesOf(settings)) {
    if (!adopt) continue;
    if (cloud === "alicloud") throw new Error(`this test cannot make the bucket ${Bucket} of OSS`);
    const place = region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region as never } };
    await using(S3Client, { ...clouds[cloud], region }, (client) => client.send(new CreateBucketCommand({ Bucket, ...place })));
  }
}

/** Names of everything in the regions of both sides, but for the parameter that the operator makes. */
async function awsNames(clouds: LocalClouds, settings: Settings): Promise<string[]> {
  const { tokenParameter } = (settings["crossborderbridge:auth"] ?? {}) as { tokenParameter?: string };
  const namesIn = (place: string, found: Inventory) =>
    Object.entries(found).flatMap(([kind, names]) =>
      names.filter((name) => name !== tokenParameter).map((name) => `${place} ${kind} ${name}`),
    );
  const inventories = sidesOf(settings).map(async ({ cloud, region }) =>
    cloud === "alicloud" ? [] : namesIn(`${cloud} ${region}`, await inventory(clouds[cloud], region)),
  );
  return (await Promise.all(inventories)).flat();
}
