/**
 * The operator's own credentials for Alibaba Cloud, as a deployment takes them: a named profile of `~/.aliyun/config.json`, or else the
 * environment, the current profile and so on.
 * https://www.alibabacloud.com/help/en/terraform/terraform-authentication
 */
import Credential, { CLIProfileCredentialsProvider } from "@alicloud/credentials";
import { BridgeError } from "../../runtime/stores/errors";
import type { OssCredentials, OssCredentialsProvider } from "../../runtime/stores/oss/credentials";

type Env = Readonly<Record<string, string | undefined>>;

export function operatorCredentials(profile: string | undefined, env: Env): OssCredentialsProvider {
  // The deployment knows these names too, the vendor's client for Node does not.
  const named = profile ?? (env.ALICLOUD_PROFILE || undefined);
  const given = profile === undefined ? givenBy(env) : undefined;
  if (given !== undefined) return async () => given;
  const credential =
    named === undefined
      ? new Credential()
      : new Credential(null, CLIProfileCredentialsProvider.builder().withProfileName(named).build());
  return async () => {
    const found = await credential.getCredential().catch((cause: unknown) => {
      // The client's own message may quote the file.
      throw missing(named, cause);
    });
    const { accessKeyId, accessKeySecret, securityToken } = found;
    if (!accessKeyId || !accessKeySecret) throw missing(named);
    return { accessKeyId, accessKeySecret, ...(securityToken ? { securityToken } : {}) };
  };
}

function givenBy(env: Env): OssCredentials | undefined {
  const { ALICLOUD_ACCESS_KEY: accessKeyId, ALICLOUD_SECRET_KEY: accessKeySecret, ALICLOUD_SECURITY_TOKEN: securityToken } = env;
  if (!accessKeyId || !accessKeySecret) return undefined;
  return { accessKeyId, accessKeySecret, ...(securityToken ? { securityToken } : {}) };
}

function missing(profile: string | undefined, cause?: unknown): BridgeError {
  const where =
    profile === undefined
      ? "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or run aliyun configure"
      : `the profile ${JSON.stringify(profile)} of ~/.aliyun/config.json gives none; run aliyun configure --profile ${profile}`;
  return new BridgeError("PermissionDenied", "credentials", `there are no credentials for Alibaba Cloud: ${where}`, { cause });
}
