/** How the operator's own clients reach one side of a bridge. */
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { OriginOf } from "../runtime/platforms/alicloud-fc/endpoints";
import type { OssCredentialsProvider } from "../runtime/stores/oss/credentials";

interface Access {
  region: string;
  /** PEM of a certificate to trust, and no other. @default the bundle that Node brings */
  ca?: string;
}

export interface AwsAccess extends Access {
  cloud: "aws" | "aws-cn";
  credentials: NonNullable<S3ClientConfig["credentials"]>;
  /** The vendor's own when absent. */
  endpoint?: string;
}

export interface AlibabaAccess extends Access {
  cloud: "alicloud";
  credentials: OssCredentialsProvider;
  /** Where each of the vendor's hosts is. */
  originOf: OriginOf;
}

export type SideAccess = AwsAccess | AlibabaAccess;
