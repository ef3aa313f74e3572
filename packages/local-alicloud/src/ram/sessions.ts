import { randomBytes } from "node:crypto";
import type { StsSession } from "../contracts";
import type { Credential, Principal } from "../oss/contracts";

/** Expired credentials are remembered for this time: a request gets "expired", and later "unknown". */
const REMEMBERED_MS = 60 * 60 * 1000;
const SWEEP_EVERY_MS = 60 * 1000;

export interface Sessions {
  /** `isAlive` is called at each use: a session ends when its role is deleted. */
  open(principal: Principal, durationMs: number, isAlive: () => boolean): StsSession;
  /** Finds also credentials that expired recently. */
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
      // Like the vendor's tokens, it has characters that need escaping in a URL.
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
