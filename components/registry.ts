/** The components of each cloud. A new cloud does not compile until it has a line here. */
import { alicloudComponents } from "./alicloud/cloud";
import { awsComponents } from "./aws/cloud";
import type { CloudComponents } from "./cloud";
import type { Cloud } from "./config";

export const CLOUD_COMPONENTS: Readonly<Record<Cloud, CloudComponents>> = {
  aws: awsComponents,
  "aws-cn": awsComponents,
  alicloud: alicloudComponents,
};
