import { randomInt } from "node:crypto";
import { ApiError, type RamRole } from "../contracts";
import { assertDescription, assertMaxSessionDuration, assertRoleName, isoSeconds } from "./names";
import type { KeptPolicy } from "./policies";
import { parseTrustPolicy, type TrustPolicy } from "./trust-policy";

export interface KeptRole extends RamRole {
  trust: TrustPolicy;
  /** When each policy was attached, in ms since the epoch. */
  attached: Map<KeptPolicy, number>;
  tags: Map<string, string>;
  /** Ms since the epoch, like all times here. */
  createdAt: number;
  updatedAt: number;
}

export interface RoleSettings {
  assumeRolePolicyDocument?: string;
  description?: string;
  maxSessionDuration?: number;
}

const DEFAULT_SESSION_SECONDS = 3600;

/** The roles of an account. Their names are case-insensitive. */
export class Roles {
  private readonly kept = new Map<string, KeptRole>();

  constructor(
    private readonly accountId: string,
    private readonly now: () => number,
  ) {}

  create({ roleName, assumeRolePolicyDocument, ...more }: RoleSettings & { roleName: string; assumeRolePolicyDocument: string }) {
    assertRoleName(roleName);
    const key = roleName.toLowerCase();
    if (this.kept.has(key)) throw new ApiError(409, "EntityAlreadyExists.Role", `The role ${roleName} already exists.`);
    const createdAt = this.now();
    const role: KeptRole = {
      roleName,
      roleId: `3${String(randomInt(2 ** 47)).padStart(17, "0")}`,
      arn: `acs:ram::${this.accountId}:role/${roleName}`,
      assumeRolePolicyDocument,
      trust: parseTrustPolicy(assumeRolePolicyDocument),
      description: "",
      maxSessionDuration: DEFAULT_SESSION_SECONDS,
      createDate: isoSeconds(createdAt),
      attached: new Map(),
      tags: new Map(),
      createdAt,
      updatedAt: createdAt,
    };
    applySettings(role, more);
    this.kept.set(key, role);
    return role;
  }

  find(roleName: string): KeptRole | undefined {
    return this.kept.get(roleName.toLowerCase());
  }

  findByArn(arn: string): KeptRole | undefined {
    const prefix = `acs:ram::${this.accountId}:role/`;
    return arn.startsWith(prefix) ? this.find(arn.slice(prefix.length)) : undefined;
  }

  /** @throws ApiError 404 `EntityNotExist.Role` */
  get(roleName: string): KeptRole {
    const found = this.find(roleName);
    if (found === undefined) throw new ApiError(404, "EntityNotExist.Role", `The role ${roleName} does not exist.`);
    return found;
  }

  update(roleName: string, changes: RoleSettings): KeptRole {
    const role = this.get(roleName);
    applySettings(role, changes);
    role.updatedAt = this.now();
    return role;
  }

  delete(roleName: string): void {
    const role = this.get(roleName);
    if (role.attached.size > 0)
      throw new ApiError(409, "DeleteConflict.Role.Policy", `The role ${roleName} still has policies: detach them first.`);
    this.kept.delete(roleName.toLowerCase());
  }

  all(): KeptRole[] {
    return [...this.kept.values()];
  }

  withPolicy(policy: KeptPolicy): KeptRole[] {
    return [...this.kept.values()].filter(({ attached }) => attached.has(policy));
  }
}

/** Checks all settings before it changes one. */
function applySettings(role: KeptRole, { assumeRolePolicyDocument, description, maxSessionDuration }: RoleSettings): void {
  const trust = assumeRolePolicyDocument === undefined ? undefined : parseTrustPolicy(assumeRolePolicyDocument);
  if (description !== undefined) assertDescription(description);
  if (maxSessionDuration !== undefined) assertMaxSessionDuration(maxSessionDuration);
  role.description = description ?? role.description;
  role.maxSessionDuration = maxSessionDuration ?? role.maxSessionDuration;
  if (trust === undefined || assumeRolePolicyDocument === undefined) return;
  role.trust = trust;
  role.assumeRolePolicyDocument = assumeRolePolicyDocument;
}

export const toRamRole = (role: KeptRole): RamRole => {
  const { roleName, roleId, arn, assumeRolePolicyDocument, description, maxSessionDuration, createDate } = role;
  return { roleName, roleId, arn, assumeRolePolicyDocument, description, maxSessionDuration, createDate };
};
