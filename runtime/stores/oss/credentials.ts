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
