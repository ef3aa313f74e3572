import { systemClock } from "../../protocol/ports";
export interface OssCredentials {
  accessKeyId: string;
  accessKeySecret: string;
  /** Of temporary credentials. */
  securityToken?: string;
  /** When they end; absent for those that do not, or where nobody says. */
  expiresAt?: Date;
}

/** Asked before every request, so it may hand out new ones at any time. */
export type OssCredentialsProvider = () => Promise<OssCredentials>;

/** So much life must be left, for a request on its way to end before they do. */
const MARGIN_MS = 60_000;

/**
 * Keeps what `load` gave until shortly before its end, for a provider that costs a request. Callers at the same moment share one load,
 * and a load that failed is not kept.
 */
export function cacheOssCredentials(load: OssCredentialsProvider, now: () => number = systemClock.now): OssCredentialsProvider {
  let loading: Promise<OssCredentials> | undefined;
  let usableUntilMs = 0;
  return () => {
    if (loading !== undefined && now() < usableUntilMs) return loading;
    usableUntilMs = Number.POSITIVE_INFINITY;
    const current = load();
    loading = current;
    current.then(
      ({ expiresAt }) => {
        if (loading === current && expiresAt !== undefined) usableUntilMs = expiresAt.getTime() - MARGIN_MS;
      },
      () => {
        if (loading === current) loading = undefined;
      },
    );
    return current;
  };
}
