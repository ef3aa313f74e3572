/**
 * What a program may configure on an `alicloud` provider. Region and account count; the rest says how to reach the real Alibaba
 * Cloud and has no meaning on one machine.
 */
export const CONFIG = {
  region: "string",
  accountId: "string",
  profile: "string",
  accessKey: "string",
  secretKey: "string",
  securityToken: "string",
  ecsRoleName: "string",
  sharedCredentialsFile: "string",
  assumeRole: { roleArn: "string", sessionName: "string", sessionExpiration: "number", policy: "string", externalId: "string" },
  configurationSource: "string",
  maxRetryTimeout: "number",
  skipRegionValidation: "boolean",
} as const;
