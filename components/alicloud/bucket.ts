/** Creates a bucket with its settings, or adopts a bucket and changes nothing in it. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { ConfigInvalid } from "../config";
import { checkedFor } from "../config/errors";
import { UNKNOWN_HOST } from "../mocked";
import { bucketArn } from "./names";
import { secureTransportPolicy } from "./policies";

export interface BucketFacts {
  name: pulumi.Output<string>;
  /** The host that serves the region to the public, as the provider reports it. */
  publicHost: pulumi.Output<string>;
  /** The domain that is bound to the bucket; undefined where the side has none. */
  customDomain?: pulumi.Output<string> | undefined;
  /** Whether the bucket keeps versions or once kept them. OSS treats both states alike. */
  versioned: pulumi.Output<boolean>;
  /** Resources that a trigger must wait for; empty for an adopted bucket. */
  settled: pulumi.Resource[];
}

export type LifecycleRule = alicloud.types.input.oss.BucketLifecycleRule;

/** Parts of an unfinished upload cost money and do not appear in a listing. The days are more than a key may wait (312 hours). */
export const ABANDONED_UPLOADS: LifecycleRule = {
  id: "abort-abandoned-uploads",
  enabled: true,
  prefix: "",
  abortMultipartUploads: [{ days: 14 }],
};

// These settings are resources of their own. Without this list the provider would remove them from the bucket.
const SET_APART = ["policy", "serverSideEncryptionRule", "versioning", "transferAcceleration"];
const TLS_VERSIONS = ["TLSv1.2", "TLSv1.3"];
/** OSS waits for the DNS record of the domain's owner. The provider asks again until then. */
const BINDING_TIMEOUT = "30m";

/** @throws ConfigInvalid, inside the outputs, when the account has no such bucket in the side's region. */
export function adoptBucket(context: BridgeContext, side: "source" | "destination", parent: pulumi.Resource): BucketFacts {
  const { bucket, customDomain, region } = context.config[side];
  const { buckets } = alicloud.oss.getBucketsOutput(
    { nameRegex: pulumi.interpolate`^${bucket}$` },
    { parent, provider: context.provider },
  );
  const found = pulumi
    .all([buckets, bucket])
    .apply(([all, name]) => checkedFor(context.component, () => foundBucket(all, side, { bucket: name, region })));
  return {
    name: found.name,
    publicHost: found.publicHost,
    ...(customDomain === undefined ? {} : { customDomain }),
    versioned: found.versioned,
    settled: [],
  };
}

interface FoundBucket {
  name: string;
  location: string;
  extranetEndpoint: string;
  versioning?: { status?: string };
}

/**
 * @param all undefined in a program's own tests, whose mocks may answer nothing
 * @throws ConfigInvalid when the bucket cannot be adopted. The text gives the reason.
 */
export function foundBucket(
  all: readonly FoundBucket[] | undefined,
  side: "source" | "destination",
  { bucket, region }: { bucket: string; region: string },
): { name: string; publicHost: string; versioned: boolean } {
  const refuse = (path: string, value: string, why: string): never => {
    throw new ConfigInvalid([`${side}.${path} = ${value}: ${why}`]);
  };
  if (all === undefined) return { name: bucket, publicHost: UNKNOWN_HOST, versioned: false };
  const [found] = all;
  if (found === undefined)
    return refuse(
      "bucket",
      bucket,
      "this account has no such bucket to adopt; allowed: a bucket of the account, or adopt: false",
    );
  const foundRegion = found.location.replace(/^oss-/, "");
  if (foundRegion !== region)
    return refuse(
      "region",
      region,
      `the bucket ${bucket}, which is to be adopted, is in ${foundRegion}; allowed: ${foundRegion}`,
    );
  return { name: found.name, publicHost: found.extranetEndpoint, versioned: Boolean(found.versioning?.status) };
}

export interface CreateBucketArgs {
  /** Logical name. */
  name: string;
  bucketName: pulumi.Output<string>;
  rules: LifecycleRule[];
  versioning: boolean;
  acceleration: boolean;
  /** Is bound to the bucket. */
  customDomain?: pulumi.Output<string> | undefined;
  kmsKeyId: pulumi.Output<string> | undefined;
  retain: boolean;
  forceDestroy: boolean;
  accountId: pulumi.Output<string>;
}

/**
 * Settings are retained with their bucket: a bucket that outlives the stack must keep its encryption, its versions and its
 * public access block.
 */
export function createBucket(context: BridgeContext, parent: pulumi.Resource, args: CreateBucketArgs): BucketFacts {
  const { name } = args;
  const opts = (...dependsOn: pulumi.Resource[]): pulumi.CustomResourceOptions => ({
    parent,
    provider: context.provider,
    retainOnDelete: args.retain,
    ...(dependsOn.length > 0 ? { dependsOn } : {}),
  });
  const created = new alicloud.oss.Bucket(
    name,
    { bucket: args.bucketName, forceDestroy: args.forceDestroy, lifecycleRules: args.rules },
    { ...opts(), ignoreChanges: SET_APART },
  );
  const bucket = created.bucket;
  // Without versions there is no resource: a suspended bucket would behave like one that keeps versions.
  const versioning = args.versioning
    ? [new alicloud.oss.BucketVersioning(`${name}-versioning`, { bucket, status: "Enabled" }, opts())]
    : [];
  const acceleration = args.acceleration
    ? [new alicloud.oss.BucketTransferAcceleration(`${name}-acceleration`, { bucket, enabled: true }, opts())]
    : [];
  const publicAccessBlock = new alicloud.oss.BucketPublicAccessBlock(
    `${name}-public-access-block`,
    { bucket, blockPublicAccess: true },
    opts(),
  );
  new alicloud.oss.BucketServerSideEncryption(
    `${name}-encryption`,
    args.kmsKeyId === undefined
      ? { bucket, sseAlgorithm: "AES256" }
      : { bucket, sseAlgorithm: "KMS", kmsMasterKeyId: args.kmsKeyId },
    opts(),
  );
  // Limits the versions of TLS. The bucket policy requires TLS itself.
  new alicloud.oss.BucketHttpsConfig(`${name}-https`, { bucket, enable: true, tlsVersions: TLS_VERSIONS }, opts());
  const policy = new alicloud.oss.BucketPolicy(
    `${name}-policy`,
    {
      bucket,
      policy: pulumi
        .all([args.accountId, bucket])
        .apply(([accountId, bucketName]) => JSON.stringify(secureTransportPolicy(bucketArn({ accountId }, bucketName)))),
    },
    opts(publicAccessBlock),
  );
  const binding = args.customDomain === undefined ? undefined : bindDomain(name, { bucket, domain: args.customDomain }, opts());
  return {
    name: bucket,
    publicHost: created.extranetEndpoint,
    ...(binding === undefined ? {} : { customDomain: binding.domain }),
    versioned: pulumi.output(args.versioning),
    settled: [...versioning, ...acceleration, policy, ...(binding === undefined ? [] : [binding])],
  };
}

/**
 * Binds a domain to a bucket. If the domain belongs to another account or registrar, OSS first wants to see a token in its DNS: the deployment
 * names the record, and waits for it. The certificate is not managed here, because its key would be in the state.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putcname
 */
function bindDomain(
  logicalName: string,
  { bucket, domain }: { bucket: pulumi.Output<string>; domain: pulumi.Output<string> },
  opts: pulumi.CustomResourceOptions,
): alicloud.oss.BucketCname {
  const token = new alicloud.oss.BucketCnameToken(`${logicalName}-domain-token`, { bucket, domain }, opts);
  pulumi
    .all([domain, bucket, token.token])
    .apply(([name, bucketName, value]) => void pulumi.log.info(recordsOf(name, bucketName, value), opts.parent));
  return new alicloud.oss.BucketCname(
    `${logicalName}-domain`,
    { bucket, domain },
    {
      ...opts,
      dependsOn: token,
      customTimeouts: { create: BINDING_TIMEOUT },
      // The certificate that is uploaded to OSS later.
      ignoreChanges: ["certificate"],
    },
  );
}

/** The steps of the domain's owner. A CNAME record that leads to OSS before the domain is bound can show the content of a stranger. */
export const recordsOf = (domain: string, bucket: string, token: string): string =>
  `To bind ${domain} to the bucket ${bucket}, OSS may want the DNS record TXT _dnsauth.${domain} with the value ${token}. Once it is bound, upload ` +
  "its certificate in OSS's console, and let its CNAME record lead to the bucket.";

/** The bucket of one side, created or adopted. */
export function sideBucket(
  context: BridgeContext,
  side: "source" | "destination",
  accountId: pulumi.Output<string>,
  parent: pulumi.Resource,
): BucketFacts {
  const { config } = context;
  const store = config[side];
  if (store.adopt) return adoptBucket(context, side, parent);
  return createBucket(context, parent, {
    name: `${context.name}-${side}`,
    bucketName: store.bucket,
    rules: [ABANDONED_UPLOADS],
    versioning: store.versioning ?? true,
    acceleration: (store.acceleration ?? "none") !== "none",
    customDomain: store.customDomain,
    kmsKeyId: store.kmsKeyId,
    retain: config.retainBuckets,
    forceDestroy: config.forceDestroy,
    accountId,
  });
}
