/** Answers as Alibaba Cloud does: ARNs and endpoints of one account, in the region of each provider. */
import type * as pulumi from "@pulumi/pulumi";

export const ALICLOUD_ACCOUNT = "3333333333333333";

/** The buckets that exist and can be adopted. */
export const ADOPTABLE: Readonly<Record<string, { region: string; versioning?: string }>> = {
  "kept-shanghai": { region: "cn-shanghai", versioning: "Enabled" },
  "plain-shanghai": { region: "cn-shanghai" },
  "kept-silicon-valley": { region: "us-west-1", versioning: "Suspended" },
};

type Inputs = Record<string, string>;
type Computed = (inputs: Inputs, region: string) => Record<string, unknown>;

const endpoints = (region: string) => ({
  extranetEndpoint: `oss-${region}.aliyuncs.com`,
  intranetEndpoint: `oss-${region}-internal.aliyuncs.com`,
  location: `oss-${region}`,
});

const COMPUTED: Record<string, Computed> = {
  "alicloud:oss/bucket:Bucket": (_, region) => endpoints(region),
  "alicloud:oss/bucketCnameToken:BucketCnameToken": () => ({ token: "21a0" }),
  "alicloud:ram/role:Role": ({ roleName }) => ({ arn: `acs:ram::${ALICLOUD_ACCOUNT}:role/${roleName}` }),
  "alicloud:fc/v3Function:V3Function": ({ functionName }, region) => ({
    functionArn: `acs:fc:${region}:${ALICLOUD_ACCOUNT}:functions/${functionName}`,
  }),
  "alicloud:fc/v3Trigger:V3Trigger": ({ triggerType }, region) => ({
    httpTrigger: triggerType === "http" ? { urlInternet: `https://bridge-abc.${region}.fcapp.run` } : undefined,
  }),
};

/** The region of a provider. A mocked provider has its region as id. */
const regionBehind = (provider: string | undefined): string => {
  const region = provider?.split("::").at(-1) ?? "";
  if (region === "") throw new Error(`no explicit provider: ${provider ?? "(none)"}`);
  return region;
};

export function deploy(args: pulumi.runtime.MockResourceArgs): pulumi.runtime.MockResourceResult {
  const inputs = args.inputs as Inputs;
  if (args.type === "pulumi:providers:alicloud") return { id: inputs.region ?? "", state: inputs };
  const region = regionBehind(args.provider);
  return { id: `${args.name}-id`, state: { ...inputs, ...COMPUTED[args.type]?.(inputs, region) } };
}

export function answerInvoke(args: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  const region = regionBehind(args.provider);
  switch (args.token) {
    case "alicloud:index/getAccount:getAccount":
      return { id: ALICLOUD_ACCOUNT };
    case "alicloud:oss/getBuckets:getBuckets": {
      const pattern = new RegExp(String((args.inputs as Inputs).nameRegex));
      const buckets = Object.entries(ADOPTABLE)
        .filter(([name]) => pattern.test(name))
        .map(([name, { region: home, versioning }]) => ({
          name,
          location: `oss-${home}`,
          ...(home === region ? endpoints(region) : {}),
          ...(versioning === undefined ? {} : { versioning: { status: versioning } }),
        }));
      return { buckets };
    }
    default:
      throw new Error(`no answer for ${args.token}`);
  }
}
