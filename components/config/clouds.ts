/** What the configuration must know about each cloud: its partition, its regions and its storage classes. */

export const CLOUDS = ["aws", "aws-cn", "alicloud"] as const;
export type Cloud = (typeof CLOUDS)[number];

/** The clouds that this release can deploy to. */
export const SUPPORTED_CLOUDS = ["aws", "aws-cn"] as const satisfies readonly Cloud[];
export type SupportedCloud = (typeof SUPPORTED_CLOUDS)[number];

export interface AwsPartition {
  /** Second field of every ARN of this partition. */
  partition: string;
  /** Matches every region of the partition, also those that open after this release. */
  region: RegExp;
  /** The choices, in words for an error text. */
  regions: string;
}

export const AWS_PARTITIONS: Readonly<Record<SupportedCloud, AwsPartition>> = {
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

/** Classes that a PUT of a general purpose bucket may name, in both partitions. */
export const S3_STORAGE_CLASSES = [
  "STANDARD",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
  "GLACIER",
  "DEEP_ARCHIVE",
] as const;

/** Days that CloudWatch Logs accepts. */
export const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653] as const;

export function isSupportedCloud(cloud: string | undefined): cloud is SupportedCloud {
  return (SUPPORTED_CLOUDS as readonly (string | undefined)[]).includes(cloud);
}
