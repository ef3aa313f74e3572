import { randomBytes } from "node:crypto";
import type { Infer } from "../../schema";
import type { Properties } from "../../values";
import { unlessMissing } from "../api-failure";
import { badTags, notNamedAs, notOneOf } from "../checks";
import { assertFree, bucketEndpoints, cloudOf, resource } from "../context";
import { badRules, LIFECYCLE_RULE, lifecycleDocument } from "../lifecycle";
import type { OssApi } from "../oss-api";

const inputs = {
  bucket: "string",
  acl: "string",
  forceDestroy: "boolean",
  lifecycleRules: [LIFECYCLE_RULE],
  redundancyType: "string",
  storageClass: "string",
  tags: "map",
} as const;
type Inputs = Infer<typeof inputs>;

export const bucket = resource({
  token: "alicloud:oss/bucket:Bucket",
  inputs,
  computed: ["acl", "bucket", "creationDate", "extranetEndpoint", "intranetEndpoint", "location", "owner"],
  defaults: { forceDestroy: false, redundancyType: "LRS", storageClass: "Standard" },
  replaceOn: ["bucket", "redundancyType", "storageClass"],
  kept: ["acl", "bucket"],
  check: function* (given) {
    if (given.bucket !== undefined) {
      yield* notNamedAs("bucket", given.bucket, /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, "3 to 63 of a-z, 0-9 and hyphen");
    }
    yield* notOneOf("acl", given.acl, ["private", "public-read", "public-read-write"]);
    yield* notOneOf("redundancyType", given.redundancyType, ["LRS", "ZRS"]);
    yield* notOneOf("storageClass", given.storageClass, ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"]);
    yield* badRules(given.lifecycleRules ?? []);
    yield* badTags(given.tags);
  },
  create: async (context, given) => {
    const { oss } = cloudOf(context);
    // The provider generates this name itself: Pulumi generates names only for an input called `name`.
    const name = given.bucket ?? `tf-oss-bucket-${randomBytes(13).toString("hex")}`;
    // OSS answers success when the owner creates a bucket again. Pulumi would then manage a bucket that it did not create.
    assertFree(
      `the bucket ${name}`,
      (await oss.buckets(name)).find((one) => one.name === name),
    );
    const { storageClass: StorageClass = "Standard", redundancyType: DataRedundancyType = "LRS" } = given;
    await oss.createBucket(name, given.acl ?? "private", { StorageClass, DataRedundancyType });
    await putSettings(oss, name, given);
    return name;
  },
  read: async (context, id) => {
    const found = await unlessMissing(() => cloudOf(context).oss.get(id, "bucketInfo"));
    return found && { ...describe(found), ...bucketEndpoints(context) };
  },
  update: async (context, id, news, olds) => {
    const { oss } = cloudOf(context);
    if (news.acl !== undefined && news.acl !== olds.acl) await oss.putAcl(id, news.acl);
    await putSettings(oss, id, news);
  },
  delete: async (context, id, { forceDestroy }) => {
    const { oss } = cloudOf(context);
    await unlessMissing(async () => {
      await (forceDestroy ? oss.emptyAndDelete(id) : oss.deleteBucket(id));
    });
  },
});

async function putSettings(oss: OssApi, name: string, { lifecycleRules = [], tags = {} }: Inputs): Promise<void> {
  if (lifecycleRules.length === 0) await oss.remove(name, "lifecycle");
  else await oss.put(name, "lifecycle", { root: "LifecycleConfiguration", fields: lifecycleDocument(lifecycleRules) });
  const Tag = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  if (Tag.length === 0) await oss.remove(name, "tagging");
  else await oss.put(name, "tagging", { root: "Tagging", fields: { TagSet: { Tag } } });
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketinfo */
function describe(found: Properties): Properties {
  const info = found.Bucket as {
    Name: string;
    Location: string;
    CreationDate: string;
    Owner: { ID: string };
    AccessControlList: { Grant: string };
  };
  return {
    acl: info.AccessControlList.Grant,
    bucket: info.Name,
    creationDate: info.CreationDate.slice(0, 10),
    location: info.Location,
    owner: info.Owner.ID,
  };
}
