import { randomBytes } from "node:crypto";
import type { StsSession } from "../contracts";
import type { Credential, Principal } from "../oss/contracts";

/** Whoever comes with credentials that ended this long ago is told that they are unknown, not that they have expired. */
const REMEMBERED_MS = 60 * 60 * 1000;
const SWEEP_EVERY_MS = 60 * 1000;

export interface Sessions {
  /** `isAlive` is asked at each use: a session ends with its role. */
  open(principal: Principal, durationMs: number, isAlive: () => boolean): StsSession;
  /** Also what has expired, for a while. */
  find(accessKeyId: string): Credential | undefined;
}

export const randomKey = (bytes: number): string => randomBytes(bytes).toString("base64url").replaceAll(/[-_]/g, "x");

export function createSessions(now: () => number): Sessions {
  const sessions = new Map<string, { credential: Credential; expiresAt: number; isAlive: () => boolean }>();
  let sweptAt = now();
  const sweep = () => {
    if (now() - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = now();
    for (const [accessKeyId, { expiresAt }] of sessions) if (now() - expiresAt > REMEMBERED_MS) sessions.delete(accessKeyId);
  };
  return {
    open: (principal, durationMs, isAlive) => {
      sweep();
      const accessKeyId = `STS.${randomKey(18)}`;
      const accessKeySecret = randomKey(33);
      // As the vendor's, it needs escaping in a URL.
      const securityToken = `CAIS${randomBytes(150).toString("base64")}+/=`;
      const expiresAt = now() + durationMs;
      const credential = { secret: accessKeySecret, principal, sessionToken: securityToken, expiresAt };
      sessions.set(accessKeyId, { credential, expiresAt, isAlive });
      return { accessKeyId, accessKeySecret, securityToken, expiresAt };
    },
    find: (accessKeyId) => {
      sweep();
      const session = sessions.get(accessKeyId);
      return session?.isAlive() ? session.credential : undefined;
    },
  };
}
