import type { CallRecord, Ram, StsSession } from "../contracts";
import { accessDenied } from "./names";

export interface RoleSessionsOptions {
  ram: Ram;
  ttlMs: number;
  now: () => number;
  onCall: ((call: CallRecord) => void) | undefined;
}

/** How long a session for permission checks is reused. */
const CHECK_MS = 60_000;

/** Sessions of the roles that services assume. */
export class RoleSessions {
  private readonly sessions = new Map<string, { session: StsSession; renewAt: number }>();

  constructor(private readonly options: RoleSessionsOptions) {}

  /**
   * Credentials for one invocation. They are valid longer than the invocation can run, as the real ones are (36 h and 24 h), and are renewed
   * every `ttlMs`.
   * @throws ApiError when Function Compute may not assume the role
   */
  forRun(roleArn: string, functionName: string, timeoutMs: number): StsSession {
    const { ttlMs } = this.options;
    return this.assume(roleArn, "fc.aliyuncs.com", { sessionName: functionName, renewMs: ttlMs, holdMs: ttlMs + timeoutMs });
  }

  /** Checks that the service may do this as the role. @throws ApiError `AccessDenied`, or the reason why it may not assume the role */
  permit(roleArn: string, service: string, action: string, resource: string): void {
    const { ram, onCall } = this.options;
    const { accessKeyId } = this.assume(roleArn, service, { sessionName: "check", renewMs: CHECK_MS, holdMs: 2 * CHECK_MS });
    const principal = ram.find(accessKeyId)?.principal;
    const context = { conditions: { "acs:SecureTransport": "true" } };
    const allowed = principal !== undefined && ram.authorize(principal, action, resource, context) === "allow";
    onCall?.({ principal, action, resource, allowed });
    if (!allowed) throw accessDenied(`the role ${roleArn} does not allow ${action} on ${resource}`);
  }

  private assume(
    roleArn: string,
    service: string,
    { sessionName, renewMs, holdMs }: { sessionName: string; renewMs: number; holdMs: number },
  ): StsSession {
    const key = JSON.stringify([roleArn, service, sessionName, holdMs]);
    const now = this.options.now();
    const known = this.sessions.get(key);
    // The session of a deleted role is invalid, also when a new role has the same name.
    const alive = known !== undefined && this.options.ram.find(known.session.accessKeyId) !== undefined;
    if (alive && now < known.renewAt) return known.session;
    // STS requires at least two characters.
    const name = sessionName.padEnd(2, "-");
    const session = this.options.ram.assumeRole(roleArn, { service, sessionName: name, durationMs: holdMs });
    this.sessions.set(key, { session, renewAt: now + renewMs });
    return session;
  }
}
