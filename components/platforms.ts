/** Which implementation serves which cloud. A new cloud does not compile until it has its line here. */
import { alicloudPlatform } from "./alicloud/platform";
import { awsPlatform } from "./aws/platform";
import type { Cloud } from "./config";
import type { Platform } from "./platform";

export const PLATFORMS: Readonly<Record<Cloud, Platform>> = {
  aws: awsPlatform,
  "aws-cn": awsPlatform,
  alicloud: alicloudPlatform,
};
