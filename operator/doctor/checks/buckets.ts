/** The two buckets: whether they are there, in the right region, and keep versions. */
import { GetBucketVersioningCommand, HeadBucketCommand } from "@aws-sdk/client-s3";
import { COMMAND } from "../../places";
import {
  alicloudOf,
  awsOf,
  bucketOf,
  bucketText,
  type Check,
  type CheckedStack,
  hasBucket,
  type Problem,
  SIDES,
  type SideName,
  settingsOf,
  Unchecked,
  type View,
} from "../check";
import { awsStatus } from "../clouds/aws";
import { awsCommand, configCommand, ossCommand, quoted, refreshCommand } from "../paste";

/** What the store says about a bucket. */
export type BucketState =
  | { is: "there" }
  | { is: "missing" }
  | { is: "elsewhere"; region: string }
  /** It exists, and these credentials may not see it: usually it belongs to another account. */
  | { is: "refused"; code: string };

export async function bucketState(view: View): Promise<BucketState> {
  return settingsOf(view).cloud === "alicloud" ? ossBucketState(view) : s3BucketState(view);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
async function s3BucketState(view: View): Promise<BucketState> {
  const { region } = settingsOf(view);
  try {
    const { BucketRegion = region } = await awsOf(view).s3.send(new HeadBucketCommand({ Bucket: bucketOf(view) }), {
      abortSignal: view.signal,
    });
    return BucketRegion === region ? { is: "there" } : { is: "elsewhere", region: BucketRegion };
  } catch (error) {
    const status = awsStatus(error);
    const headers = (error as { $response?: { headers?: Record<string, string> } }).$response?.headers;
    const found = headers?.["x-amz-bucket-region"];
    if (found !== undefined && found !== region) return { is: "elsewhere", region: found };
    if (status === 404) return { is: "missing" };
    if (status === 403) return { is: "refused", code: "HTTP 403" };
    throw error;
  }
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketinfo */
async function ossBucketState(view: View): Promise<BucketState> {
  const { region } = settingsOf(view);
  const { code, document, status } = await alicloudOf(view).bucket(bucketOf(view), { bucketInfo: null }, view.signal);
  if (code === undefined) {
    const location = document?.child("Bucket")?.textOf("Location")?.replace(/^oss-/, "") ?? region;
    return location === region ? { is: "there" } : { is: "elsewhere", region: location };
  }
  if (code === "NoSuchBucket") return { is: "missing" };
  // A request to the wrong region is refused with the right endpoint, `oss-cn-hangzhou.aliyuncs.com`.
  const elsewhere = /^oss-([\w-]+?)(?:-internal)?\.aliyuncs\.com$/.exec(document?.textOf("Endpoint") ?? "")?.[1];
  if (elsewhere !== undefined && elsewhere !== region) return { is: "elsewhere", region: elsewhere };
  if (status === 403) return { is: "refused", code };
  throw new Unchecked(`OSS answered ${code} about ${bucketText(view)}`);
}

const bucket: Check = {
  name: "bucket",
  looksAt: "the bucket: that it is there, or for a first deployment that its name is free; its region; its owner",
  why: "Without its bucket a side carries nothing, and `pulumi up` stops at a name that is taken.",
  when: "always",
  needs: ["reachable", "credentials"],
  sides: () => SIDES,
  async run(view) {
    const state = await bucketState(view);
    return hasBucket(view.stack, view.side) ? problemsOfExpected(view, state) : problemsOfNew(view, state);
  },
};

function problemsOfExpected(view: View, state: BucketState): Problem[] {
  const { stack, side } = view;
  const where = bucketText(view);
  switch (state.is) {
    case "there":
      return [];
    case "missing":
      return [
        stack.outputs === undefined
          ? { what: `${where} is to be adopted, and it is not there`, fix: configCommand(view, `${side}.adopt`, "false") }
          : {
              what: `${where} is gone`,
              why: "Objects wait until it is back, and their keys become dead letters after giveUpAfterHours.",
              fix: `${refreshCommand(view)}   # then: ${COMMAND} backfill --stack ${quoted(stack.name)}`,
            },
      ];
    case "elsewhere":
      return [{ what: `${where} is in ${state.region}`, fix: configCommand(view, `${side}.region`, state.region) }];
    case "refused":
      return [
        {
          what: `${where} refuses your credentials (${state.code}): it belongs to another account, or its policy denies you`,
          fix: `log in to the account of the bucket, or name another one: ${configCommand(view, `${side}.bucket`, "<name>")}`,
        },
      ];
  }
}

function problemsOfNew(view: View, state: BucketState): Problem[] {
  const { side } = view;
  const { bucket: name } = settingsOf(view);
  const another = configCommand(view, `${side}.bucket`, `${name}-2`);
  if (state.is === "missing") return [];
  if (state.is === "there")
    return [
      {
        what: `${bucketText(view)} is there already, in your account, and ${side}.adopt is false`,
        fix: configCommand(view, `${side}.adopt`, "true"),
      },
    ];
  const owner = state.is === "elsewhere" ? `it is in ${state.region}` : `it belongs to another account (${state.code})`;
  return [{ what: `the name ${name} is taken: ${owner}`, fix: another }];
}

/** Modes in which the store itself replicates need versions on both sides. */
const needsVersions = ({ config }: CheckedStack, side: SideName): boolean =>
  config[side].cloud === "alicloud" ? !config[side].adopt && (config[side].versioning ?? true) : keepsS3Versions(config, side);

function keepsS3Versions(config: CheckedStack["config"], side: SideName): boolean {
  const { adopt, versioning = true } = config[side];
  return config.mode === "native" || (!adopt && versioning);
}

const versioning: Check = {
  name: "versioning",
  looksAt: "versions of the bucket, where the settings or S3's replication need them",
  why: "S3 replicates nothing from or to a bucket that keeps no versions. Elsewhere an overwritten or deleted object cannot be brought back.",
  when: "always",
  needs: ["bucket"],
  sides: (stack) => SIDES.filter((side) => hasBucket(stack, side) && needsVersions(stack, side)),
  async run(view) {
    const isOss = settingsOf(view).cloud === "alicloud";
    const status = isOss ? await ossVersioning(view) : await s3Versioning(view);
    if (status === "Enabled") return [];
    const Bucket = bucketOf(view);
    return [
      {
        what: `${bucketText(view)} keeps no versions: versioning is ${status === undefined ? "not enabled" : status}`,
        fix: isOss
          ? ossCommand(view, "put-bucket-versioning", { bucket: Bucket, "versioning-configuration": '{"Status":"Enabled"}' })
          : awsCommand(view, "s3api put-bucket-versioning", { bucket: Bucket, "versioning-configuration": "Status=Enabled" }),
      },
    ];
  },
};

async function s3Versioning(view: View): Promise<string | undefined> {
  const command = new GetBucketVersioningCommand({ Bucket: bucketOf(view) });
  return (await awsOf(view).s3.send(command, { abortSignal: view.signal })).Status;
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketversioning */
async function ossVersioning(view: View): Promise<string | undefined> {
  const answer = await alicloudOf(view).setting(bucketOf(view), { versioning: null }, /^$/, view.signal);
  return answer?.document?.textOf("Status");
}

export const BUCKET_CHECKS: readonly Check[] = [bucket, versioning];
