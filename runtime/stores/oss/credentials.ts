import { systemClock } from "../../protocol/ports";

export interface OssCredentials {
  accessKeyId: string;
  accessKeySecret: string;
  /** Temporary credentials have one. */
  securityToken?: string | undefined;
  /** Absent for credentials that do not expire, or whose end is unknown. */
  expiresAt?: Date | undefined;
}

/** Called before every request, so it may return new credentials at any time. */
export type OssCredentialsProvider = () => Promise<OssCredentials>;

/** Credentials are renewed this long before they end, so that a request under way still ends in time. */
const MARGIN_MS = 60_000;

/** Caches the credentials of `load` until shortly before their end. Concurrent callers share one load. A failed load is not cached. */
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
