import type { CallRecord, Ram, StsSession } from "../contracts";
import { accessDenied } from "./names";

export interface RoleSessionsOptions {
  ram: Ram;
  ttlMs: number;
  now: () => number;
  onCall: ((call: CallRecord) => void) | undefined;
}

/** How long a session for a single check may be used again. */
const CHECK_MS = 60_000;

/** What services may do in the name of a role. */
export class RoleSessions {
  private readonly sessions = new Map<string, { session: StsSession; renewAt: number }>();

  constructor(private readonly options: RoleSessionsOptions) {}

  /**
   * Credentials for a function's run. They outlive the run, as the real ones do (36 h against 24 h), and are new ones every `ttlMs`.
   * @throws ApiError when Function Compute may not assume the role
   */
  forRun(roleArn: string, functionName: string, timeoutMs: number): StsSession {
    const { ttlMs } = this.options;
    return this.assume(roleArn, "fc.aliyuncs.com", { sessionName: functionName, renewMs: ttlMs, holdMs: ttlMs + timeoutMs });
  }

  /** @throws ApiError `AccessDenied`, or why the service may not assume the role */
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
    // A session ends with its role, also when one of the same name comes after it.
    const alive = known !== undefined && this.options.ram.find(known.session.accessKeyId) !== undefined;
    if (alive && now < known.renewAt) return known.session;
    // A name of one letter would be too short for STS.
    const name = sessionName.padEnd(2, "-");
    const session = this.options.ram.assumeRole(roleArn, { service, sessionName: name, durationMs: holdMs });
    this.sessions.set(key, { session, renewAt: now + renewMs });
    return session;
  }
}
