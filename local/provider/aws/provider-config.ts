/**
 * What a program may configure on an `aws` provider. Region, default tags and allowed accounts count; the rest says how to
 * reach the real AWS and has no meaning on one machine.
 */
export const CONFIG = {
  region: "string",
  defaultTags: { tags: "map" },
  allowedAccountIds: ["string"],
  profile: "string",
  accessKey: "string",
  secretKey: "string",
  token: "string",
  assumeRoles: [{ roleArn: "string", externalId: "string", sessionName: "string", duration: "string" }],
  assumeRoleWithWebIdentity: {
    roleArn: "string",
    sessionName: "string",
    webIdentityToken: "string",
    webIdentityTokenFile: "string",
  },
  maxRetries: "number",
  skipCredentialsValidation: "boolean",
  skipMetadataApiCheck: "boolean",
  skipRegionValidation: "boolean",
  skipRequestingAccountId: "boolean",
} as const;
