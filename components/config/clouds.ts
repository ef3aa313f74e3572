/** Facts about each cloud that the configuration checks: regions, storage classes, retention of logs. */

/** Cloud of one side. AWS Global (`aws`) and AWS China (`aws-cn`) are two clouds. */
export type Cloud = "aws" | "aws-cn" | "alicloud";
export const CLOUDS = ["aws", "aws-cn", "alicloud"] as const satisfies readonly Cloud[];

/** How objects travel: see `mode` of {@link BridgeSettings}. */
export type Mode = "pull" | "push" | "native";
export const MODES = ["pull", "push", "native"] as const satisfies readonly Mode[];

interface Regions {
  /** Matches every region of the cloud, also those that open after this release. */
  region: RegExp;
  /** The choices, in words for an error text. */
  regions: string;
}

export interface AwsPartition extends Regions {
  /** Second field of every ARN of this partition. */
  partition: string;
}

export type AwsCloud = "aws" | "aws-cn";

export const AWS_PARTITIONS: Readonly<Record<AwsCloud, AwsPartition>> = {
  aws: {
    partition: "aws",
    region: /^(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-\d$/,
    regions: "a region of AWS Global, such as us-east-1, eu-central-1 or ap-southeast-1",
  },
  "aws-cn": {
    partition: "aws-cn",
    region: /^cn-(?:north|northwest)-1$/,
    regions: "cn-north-1, cn-northwest-1",
  },
};

export const REGIONS: Readonly<Record<Cloud, Regions>> = {
  ...AWS_PARTITIONS,
  alicloud: {
    region:
      /^(?:cn-(?!north-1$|northwest-1$)[a-z]+(?:-[a-z0-9]+)*|(?:ap|eu|me|na|us)-(?:north|south|east|west|central|northeast|southeast)-\d)$/,
    regions: "a region of Alibaba Cloud, such as cn-shanghai, ap-southeast-1 or us-west-1, without oss- in front",
  },
};

/** https://www.alibabacloud.com/help/doc-detail/2869625.html */
export const CLOUDFLOW_REGIONS: readonly string[] = [
  "cn-beijing",
  "cn-hangzhou",
  "cn-qingdao",
  "cn-shanghai",
  "cn-shenzhen",
  "ap-southeast-1",
  "us-west-1",
];

/** Whether a region of Alibaba Cloud lies on the Chinese mainland. */
export const isMainland = (region: string): boolean => region.startsWith("cn-") && region !== "cn-hongkong";

/** Storage class that a PUT to a general purpose bucket may name, in both partitions of AWS. */
export type S3StorageClass =
  | "STANDARD"
  | "STANDARD_IA"
  | "ONEZONE_IA"
  | "INTELLIGENT_TIERING"
  | "GLACIER_IR"
  | "GLACIER"
  | "DEEP_ARCHIVE";
export const S3_STORAGE_CLASSES = [
  "STANDARD",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
  "GLACIER",
  "DEEP_ARCHIVE",
] as const satisfies readonly S3StorageClass[];

/** Objects of these classes must be restored before they can be read. */
export const S3_ARCHIVE_CLASSES: readonly string[] = ["GLACIER", "DEEP_ARCHIVE"];

/** Classes that a lifecycle rule may move objects to. S3 moves objects only in this order. https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html */
export const S3_TRANSITION_CLASSES = [
  "STANDARD_IA",
  "INTELLIGENT_TIERING",
  "ONEZONE_IA",
  "GLACIER_IR",
  "GLACIER",
  "DEEP_ARCHIVE",
] as const;

/** https://www.alibabacloud.com/help/doc-detail/90090.htm */
export const OSS_STORAGE_CLASSES = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"] as const;

export const STORAGE_CLASSES: Readonly<Record<Cloud, readonly string[]>> = {
  aws: S3_STORAGE_CLASSES,
  "aws-cn": S3_STORAGE_CLASSES,
  alicloud: OSS_STORAGE_CLASSES,
};

/** Alibaba Cloud's endpoints for transfer acceleration. */
export const ACCELERATIONS = ["none", "global", "overseas"] as const;
export type Acceleration = (typeof ACCELERATIONS)[number];

/** Days that CloudWatch Logs accepts; Simple Log Service takes any number. */
export const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653] as const;

export function isAws(cloud: Cloud | undefined): cloud is AwsCloud {
  return cloud === "aws" || cloud === "aws-cn";
}
