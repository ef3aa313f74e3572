/** Where the provider finds the services of an account, and the key that it signs with. */
export interface AlicloudAccount {
  /** Origin by the vendor's host name, e.g. `oss-cn-shanghai.aliyuncs.com`. A custom domain of a bucket has an entry once it is bound. */
  endpoints: Readonly<Record<string, string>>;
  /** PEM of the certificate that all endpoints show. */
  caPath: string;
  credentials: { accessKeyId: string; accessKeySecret: string };
}

/** @throws Error that names the host */
export function originOf({ endpoints }: AlicloudAccount, host: string): string {
  const origin = endpoints[host];
  if (origin === undefined) throw new Error(`the local Alibaba Cloud has no endpoint for ${host}`);
  return origin;
}

/** The regions that have an OSS, sorted. */
export const regionsOf = ({ endpoints }: AlicloudAccount): string[] =>
  Object.keys(endpoints)
    .flatMap((host) => /^oss-([a-z]{2}-[a-z0-9-]+)-internal\.aliyuncs\.com$/.exec(host)?.[1] ?? [])
    .sort();
