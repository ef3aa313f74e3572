/** https://www.alibabacloud.com/help/en/ram/ */
import { rpcApi } from "../api/rpc-api";
import { ApiError, type ApiHandler, type CallRecord, type Ram } from "../contracts";
import type { Authorize, Credential } from "../oss/contracts";
import { evaluatePolicies } from "./evaluate";
import { assertSessionName } from "./names";
import { Policies, toRamPolicy } from "./policies";
import { ramApi } from "./ram-api";
import { type KeptRole, Roles, toRamRole } from "./roles";
import { createSessions, randomKey } from "./sessions";
import { stsApi } from "./sts-api";
import { trustsService } from "./trust-policy";

export interface RamOptions {
  accountId: string;
  /** The access key of the root. @default a random one */
  rootKey?: { accessKeyId: string; accessKeySecret: string } | undefined;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
  /** How long, in ms, a new role or attachment stays unknown to other services. @default 0 */
  propagationMs?: number | undefined;
  /** Called for every attempt of a service to assume a role. */
  onCall?: (call: CallRecord) => void;
}

export interface LocalRam extends Ram {
  /** The control API, version 2015-05-01. */
  readonly api: ApiHandler;
  /** The control API of STS, version 2015-04-01. */
  readonly stsApi: ApiHandler;
}

/** The identities and policies of one account: its root, and roles that services assume. There are no users. */
export function createRam({ accountId, rootKey, now = Date.now, propagationMs = 0, onCall }: RamOptions): LocalRam {
  const root = rootKey ?? { accessKeyId: `LTAI5t${randomKey(15)}`, accessKeySecret: randomKey(24) };
  const rootCredential: Credential = {
    secret: root.accessKeySecret,
    principal: { accountId, arn: `acs:ram::${accountId}:root` },
  };
  const roles = new Roles(accountId, now);
  const policies = new Policies(now);
  const isKnown = (sinceMs: number) => now() - sinceMs >= propagationMs;
  const sessions = createSessions(now);

  const roleOfSession = (arn: string): KeptRole | undefined => {
    const [, name] = /^acs:ram::\d+:assumed-role\/([^/]+)\/[^/]+$/.exec(arn) ?? [];
    return name === undefined ? undefined : roles.find(name);
  };

  const authorize: Authorize = (principal, action, resource, { conditions, sessionPolicy }) => {
    if (principal.accountId !== accountId) return "none";
    if (sessionPolicy !== undefined) throw new Error("no session of this account has a policy of its own");
    if (principal.arn === rootCredential.principal.arn) return "allow";
    const attached = [...(roleOfSession(principal.arn)?.attached ?? [])];
    const documents = attached.filter(([, atMs]) => isKnown(atMs)).map(([{ document }]) => document);
    return evaluatePolicies(documents, { action, resource, conditions });
  };

  const ram: Ram = {
    accountId,
    root,
    authorize,
    find: (accessKeyId) => (accessKeyId === root.accessKeyId ? rootCredential : sessions.find(accessKeyId)),

    assumeRole: (roleArn, { service, sessionName, durationMs }) => {
      assertSessionName(sessionName);
      const role = roles.findByArn(roleArn);
      if (role === undefined) throw new ApiError(404, "EntityNotExist.Role", `The role ${roleArn} does not exist.`);
      if (!isKnown(role.createdAt))
        throw new ApiError(403, "AccessDenied", `${service} does not know the role ${role.arn} yet, which is new: try again.`);
      const allowed = trustsService(role.trust, service);
      onCall?.({ principal: undefined, action: "sts:AssumeRole", resource: role.arn, allowed });
      if (!allowed)
        throw new ApiError(403, "NoPermission", `The trust policy of ${role.arn} does not let ${service} assume the role.`);
      const principal = { accountId, arn: `acs:ram::${accountId}:assumed-role/${role.roleName}/${sessionName}` };
      // A role that is created later with the same name is a different role.
      return sessions.open(principal, durationMs, () => roles.find(role.roleName) === role);
    },

    createRole: (settings) => toRamRole(roles.create(settings)),
    getRole: (roleName) => {
      const role = roles.find(roleName);
      return role === undefined ? undefined : toRamRole(role);
    },
    updateRole: (roleName, changes) => toRamRole(roles.update(roleName, changes)),
    deleteRole: (roleName) => roles.delete(roleName),

    createPolicy: (settings) => toRamPolicy(policies.create(settings)),
    getPolicy: (policyName) => {
      const policy = policies.find(policyName);
      return policy === undefined ? undefined : toRamPolicy(policy);
    },
    updatePolicy: (policyName, policyDocument) => toRamPolicy(policies.update(policyName, policyDocument)),
    updatePolicyDescription: (policyName, description) => toRamPolicy(policies.describe(policyName, description)),
    deletePolicy: (policyName) => {
      const [role] = roles.withPolicy(policies.get(policyName));
      if (role !== undefined)
        throw new ApiError(
          409,
          "DeleteConflict.Policy.Role",
          `The policy ${policyName} is attached to the role ${role.roleName}: detach it first.`,
        );
      policies.delete(policyName);
    },

    attachPolicyToRole: (policyName, roleName) => {
      const { attached } = roles.get(roleName);
      const policy = policies.get(policyName);
      if (attached.has(policy))
        throw new ApiError(409, "EntityAlreadyExists.Role.Policy", `${policyName} is already attached to ${roleName}.`);
      attached.set(policy, now());
    },
    detachPolicyFromRole: (policyName, roleName) => {
      if (!roles.get(roleName).attached.delete(policies.get(policyName)))
        throw new ApiError(404, "EntityNotExist.Role.Policy", `${policyName} is not attached to ${roleName}.`);
    },
    policiesOfRole: (roleName) => [...roles.get(roleName).attached.keys()].map(toRamPolicy),
  };
  return { ...ram, api: rpcApi(ramApi({ ram, roles, policies })), stsApi: rpcApi(stsApi(ram)) };
}
