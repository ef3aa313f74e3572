/** Which implementation serves which cloud. A cloud that becomes supported does not compile until it has its line here. */
import { awsPlatform } from "./aws/platform";
import type { SupportedCloud } from "./config";
import type { Platform } from "./platform";

export const PLATFORMS: Readonly<Record<SupportedCloud, Platform>> = {
  aws: awsPlatform,
  "aws-cn": awsPlatform,
};
