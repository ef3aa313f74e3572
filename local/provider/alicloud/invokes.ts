import type { Properties } from "../values";
import { type AlicloudContext, bucketEndpoints, cloudOf, invoke } from "./context";

export const INVOKES = [
  invoke({
    token: "alicloud:index/getAccount:getAccount",
    args: {},
    call: ({ accountId }) => ({ id: accountId }),
  }),
  invoke({
    token: "alicloud:index/getCallerIdentity:getCallerIdentity",
    args: {},
    call: ({ accountId }) => ({
      id: accountId,
      accountId,
      arn: `acs:ram::${accountId}:root`,
      identityType: "Account",
    }),
  }),
  invoke({
    token: "alicloud:index/getRegions:getRegions",
    args: { current: "boolean", name: "string" },
    call: async ({ region, cloud }, { current = false, name }) => {
      if (current && name !== undefined && name !== region) throw new Error(`name ${name} is not the current region, ${region}`);
      // Without a cloud every region is assumed to exist.
      const all = (await cloud?.oss.regions()) ?? [name ?? region];
      const ids = current ? [region] : all.filter((one) => name === undefined || one === name);
      if (ids.length === 0) throw new Error(`there is no region ${name}; the local cloud has ${all.join(", ")}`);
      const regions = ids.map((id) => ({ id, regionId: id, localName: id }));
      return { id: ids.join(","), ids, regions, current, name: name ?? region };
    },
  }),
  invoke({
    token: "alicloud:oss/getBuckets:getBuckets",
    args: { nameRegex: "string" },
    call: async (context, { nameRegex = "" }) => {
      const buckets = context.cloud === undefined ? assumed(context, nameRegex) : await existing(context, nameRegex);
      const names = buckets.map(({ name }) => name);
      return { id: names.join(","), names, buckets, nameRegex: nameRegex || undefined };
    },
  }),
];

/** Without a cloud: the one bucket that `^its-name$` names is assumed to exist. */
function assumed(context: AlicloudContext, nameRegex: string): Properties[] {
  const name = /^\^([a-z0-9-]+)\$$/.exec(nameRegex)?.[1];
  return name === undefined ? [] : [{ name, location: `oss-${context.region}`, ...bucketEndpoints(context) }];
}

/** The buckets of the account. As in OSS, a bucket of another region has its name and region only. */
async function existing(context: AlicloudContext, nameRegex: string): Promise<Properties[]> {
  const { oss } = cloudOf(context);
  const pattern = new RegExp(nameRegex);
  const found = (await oss.buckets("")).filter(({ name }) => pattern.test(name));
  return Promise.all(
    found.map(async ({ name, region }) => {
      const known = { name, location: `oss-${region}` };
      return region === context.region ? { ...known, ...(await describe(context, name)) } : known;
    }),
  );
}

interface BucketInfo {
  CreationDate: string;
  DataRedundancyType: string;
  StorageClass: string;
  Versioning?: string;
  Owner: { ID: string };
  AccessControlList: { Grant: string };
  ServerSideEncryptionRule?: { SSEAlgorithm: string; KMSMasterKeyID?: string };
}

async function describe(context: AlicloudContext, name: string): Promise<Properties> {
  const info = (await cloudOf(context).oss.get(name, "bucketInfo")).Bucket as unknown as BucketInfo;
  const { SSEAlgorithm: sseAlgorithm = "None", KMSMasterKeyID: kmsMasterKeyId } = info.ServerSideEncryptionRule ?? {};
  return {
    ...bucketEndpoints(context),
    acl: info.AccessControlList.Grant,
    creationDate: info.CreationDate.slice(0, 10),
    owner: info.Owner.ID,
    redundancyType: info.DataRedundancyType,
    storageClass: info.StorageClass,
    versioning: info.Versioning === undefined ? undefined : { status: info.Versioning },
    serverSideEncryptionRule: sseAlgorithm === "None" ? undefined : { sseAlgorithm, kmsMasterKeyId },
  };
}
