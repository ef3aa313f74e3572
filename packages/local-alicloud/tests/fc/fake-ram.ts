import { randomUUID } from "node:crypto";
import { ApiError, type Ram, type StsSession } from "../../src/contracts";
import type { Credential, Decision, Principal } from "../../src/oss/contracts";

interface FakeRole {
  /** The services that may assume the role. */
  services: string[];
  /** `<action> <resource>`. */
  allows: string[];
}

const unused = (): never => {
  throw new Error("Function Compute has no business with this part of RAM");
};

/** The part of RAM that Function Compute uses. */
export class FakeRam implements Ram {
  readonly root = { accessKeyId: "LTAIROOT", accessKeySecret: "root" };
  readonly roles = new Map<string, FakeRole>();
  readonly assumed: { roleArn: string; service: string; durationMs: number }[] = [];
  private readonly credentials = new Map<string, Credential>();

  constructor(
    readonly accountId: string,
    private readonly now: () => number,
  ) {}

  arnOf(roleName: string): string {
    return `acs:ram::${this.accountId}:role/${roleName}`;
  }

  /** Forgets a role and its sessions. */
  deleteRole(roleName: string): void {
    this.roles.delete(roleName);
    for (const [accessKeyId, { principal }] of this.credentials)
      if (principal.arn.includes(`:assumed-role/${roleName}/`)) this.credentials.delete(accessKeyId);
  }

  find(accessKeyId: string): Credential | undefined {
    return this.credentials.get(accessKeyId);
  }

  authorize = (principal: Principal, action: string, resource: string): Decision => {
    const name = /:assumed-role\/([^/]+)\//.exec(principal.arn)?.[1] ?? "";
    return this.roles.get(name)?.allows.includes(`${action} ${resource}`) ? "allow" : "none";
  };

  assumeRole(roleArn: string, { service, sessionName, durationMs }: Parameters<Ram["assumeRole"]>[1]): StsSession {
    const name = roleArn.split("/")[1] ?? "";
    const role = this.roles.get(name);
    if (role === undefined) throw new ApiError(404, "EntityNotExist.Role", `there is no role ${name}`);
    if (!role.services.includes(service)) throw new ApiError(403, "NoPermission", `${service} may not assume ${name}`);
    this.assumed.push({ roleArn, service, durationMs });
    const session = {
      accessKeyId: `STS.${randomUUID()}`,
      accessKeySecret: randomUUID(),
      securityToken: randomUUID(),
      expiresAt: this.now() + durationMs,
    };
    const arn = `acs:ram::${this.accountId}:assumed-role/${name}/${sessionName}`;
    this.credentials.set(session.accessKeyId, {
      secret: session.accessKeySecret,
      principal: { accountId: this.accountId, arn },
      sessionToken: session.securityToken,
      expiresAt: session.expiresAt,
    });
    return session;
  }

  createRole = unused;
  getRole = unused;
  updateRole = unused;
  createPolicy = unused;
  getPolicy = unused;
  updatePolicy = unused;
  updatePolicyDescription = unused;
  deletePolicy = unused;
  attachPolicyToRole = unused;
  detachPolicyFromRole = unused;
  policiesOfRole = unused;
}
