import type { InvokerCredentials } from "../../roles/sender/sign-iam";

/** What Lambda gives the function. @throws Error that names the missing variables. */
export function ownCredentials(env: Readonly<Record<string, string | undefined>>): InvokerCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (!accessKeyId || !secretAccessKey) throw new Error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
