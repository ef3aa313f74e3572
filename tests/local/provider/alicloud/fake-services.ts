/** Fakes of the local cloud's services in memory, with the same errors. They have only the methods that the provider uses. */
import {
  ApiError,
  type AsyncInvokeConfig,
  type CloudFlow,
  createRecords,
  type FlowSpec,
  type FunctionCompute,
  type FunctionRecord,
  type FunctionSpec,
  type MessageService,
  type QueueSpec,
  type Ram,
  type RamPolicy,
  type RamRole,
  type SecretParameters,
  type TriggerRecord,
} from "local-alicloud";

export const ACCOUNT = "3333333333333333";
const ROOT = { accessKeyId: "LTAIROOT", accessKeySecret: "root-secret" };
const EVERYWHERE = "global";

export function fakeRam(): Ram {
  const roles = createRecords<RamRole>("Role");
  const policies = createRecords<RamPolicy>("Policy");
  const attached = new Map<string, Set<string>>();
  const of = (roleName: string) => attached.get(roleName) ?? new Set<string>();
  const principal = { accountId: ACCOUNT, arn: `acs:ram::${ACCOUNT}:root` };
  return partial<Ram>({
    accountId: ACCOUNT,
    root: ROOT,
    authorize: (who) => (who.arn === principal.arn ? "allow" : "none"),
    find: (id) => (id === ROOT.accessKeyId ? { secret: ROOT.accessKeySecret, principal } : undefined),
    createRole: (role) =>
      roles.create(EVERYWHERE, role.roleName, {
        description: "",
        maxSessionDuration: 3600,
        ...role,
        roleId: `3${role.roleName.length}`,
        createDate: "2026-01-01T00:00:00Z",
        arn: `acs:ram::${ACCOUNT}:role/${role.roleName}`,
      }),
    getRole: (name) => roles.get(EVERYWHERE, name),
    updateRole: (name, changes) => roles.update(EVERYWHERE, name, changes),
    deleteRole: (name) => {
      if (of(name).size > 0) throw new ApiError(409, "DeleteConflict.Role.Policy", `${name} still has policies.`);
      roles.delete(EVERYWHERE, name);
    },
    createPolicy: (policy) =>
      policies.create(EVERYWHERE, policy.policyName, { description: "", createDate: "2026-01-01T00:00:00Z", ...policy }),
    getPolicy: (name) => policies.get(EVERYWHERE, name),
    updatePolicy: (name, policyDocument) => policies.update(EVERYWHERE, name, { policyDocument }),
    updatePolicyDescription: (name, description) => policies.update(EVERYWHERE, name, { description }),
    deletePolicy: (name) => {
      if ([...attached.values()].some((names) => names.has(name))) {
        throw new ApiError(409, "DeleteConflict.Policy.Role", `${name} is attached.`);
      }
      policies.delete(EVERYWHERE, name);
    },
    attachPolicyToRole: (policy, role) => void attached.set(role, of(role).add(policy)),
    detachPolicyFromRole: (policy, role) => {
      if (!of(role).delete(policy)) throw new ApiError(404, "EntityNotExist.Role.Policy", `${policy} is not attached.`);
    },
    policiesOfRole: (role) => {
      if (roles.get(EVERYWHERE, role) === undefined) throw new ApiError(404, "EntityNotExist.Role", `${role} does not exist.`);
      return [...of(role)].flatMap((name) => policies.get(EVERYWHERE, name) ?? []);
    },
  });
}

export interface FakeFunctionCompute extends FunctionCompute {
  /** The deployed code of a function. */
  codeOf(functionName: string): string;
}

export function fakeFunctionCompute(): FakeFunctionCompute {
  const functions = createRecords<FunctionRecord>("Function");
  const triggers = createRecords<TriggerRecord>("Trigger");
  const asyncConfigs = createRecords<{ config: AsyncInvokeConfig }>("AsyncConfig");
  const concurrency = createRecords<{ reserved: number }>("Concurrency");
  const codes = new Map<string, Buffer>();
  const triggersOf = new Map<string, Set<string>>();
  const put = <T extends object>(records: ReturnType<typeof createRecords<T>>, region: string, name: string, value: T) => {
    if (functions.get(region, name) === undefined) throw new ApiError(404, "FunctionNotFound", `${name} does not exist`);
    if (records.get(region, name) === undefined) records.create(region, name, value);
    else records.update(region, name, value);
  };
  const told = ({ code, ...spec }: FunctionSpec, region: string): FunctionRecord => ({
    ...spec,
    functionArn: `acs:fc:${region}:${ACCOUNT}:functions/${spec.functionName}`,
    functionId: `id-of-${spec.functionName}`,
    codeSize: code.length,
    codeChecksum: "0",
    createdTime: "2026-01-01T00:00:00Z",
    lastModifiedTime: "2026-01-01T00:00:00Z",
  });
  return partial<FakeFunctionCompute>({
    codeOf: (name) => codes.get(name)?.toString("base64") ?? "",
    createFunction: async (region, spec) => {
      const made = functions.create(region, spec.functionName, told(spec, region));
      codes.set(spec.functionName, spec.code);
      return made;
    },
    updateFunction: async (region, name, { code, ...changes }) => {
      const made = functions.update(region, name, changes);
      if (code !== undefined) codes.set(name, code);
      return made;
    },
    getFunction: (region, name) => functions.get(region, name),
    deleteFunction: async (region, name) => {
      if ((triggersOf.get(name)?.size ?? 0) > 0) throw new ApiError(412, "FunctionNotEmpty", `${name} still has triggers`);
      functions.delete(region, name);
    },
    createTrigger: (region, name, spec) => {
      const id = `${name}:${spec.triggerName}`;
      const http = { urlInternet: `https://localhost:1/${id}`, urlIntranet: `https://localhost:2/${id}` };
      const extra = spec.triggerType === "http" ? { httpTrigger: http } : {};
      const made = triggers.create(region, id, { ...spec, functionName: name, triggerId: `id-of-${id}`, ...extra });
      triggersOf.set(name, (triggersOf.get(name) ?? new Set()).add(spec.triggerName));
      return made;
    },
    updateTrigger: (region, name, trigger, changes) => triggers.update(region, `${name}:${trigger}`, changes),
    getTrigger: (region, name, trigger) => triggers.get(region, `${name}:${trigger}`),
    deleteTrigger: (region, name, trigger) => {
      triggers.delete(region, `${name}:${trigger}`);
      triggersOf.get(name)?.delete(trigger);
    },
    putAsyncInvokeConfig: (region, name, config) => put(asyncConfigs, region, name, { config }),
    getAsyncInvokeConfig: (region, name) => asyncConfigs.get(region, name)?.config,
    deleteAsyncInvokeConfig: (region, name) => asyncConfigs.delete(region, name),
    putConcurrency: (region, name, reserved) => put(concurrency, region, name, { reserved }),
    getConcurrency: (region, name) => concurrency.get(region, name)?.reserved,
    deleteConcurrency: (region, name) => concurrency.delete(region, name),
  });
}

export function fakeFlows(): CloudFlow {
  const flows = createRecords<FlowSpec & { id: string; createdTime: string; lastModifiedTime: string }>("Flow");
  const times = { createdTime: "2026-01-01T00:00:00Z", lastModifiedTime: "2026-01-01T00:00:00Z" };
  return partial<CloudFlow>({
    createFlow: (region, spec) => flows.create(region, spec.name, { ...spec, id: `id-of-${spec.name}`, ...times }),
    updateFlow: (region, name, changes) => void flows.update(region, name, changes),
    getFlow: (region, name) => flows.get(region, name),
    deleteFlow: async (region, name) => flows.delete(region, name),
  });
}

export function fakeMessages(): MessageService {
  const queues = createRecords<QueueSpec>("Queue");
  return partial<MessageService>({
    createQueue: (region, queue) => void queues.create(region, queue.queueName, queue),
    getQueue: (region, name) => queues.get(region, name),
    updateQueue: (region, name, changes) => void queues.update(region, name, changes),
    deleteQueue: (region, name) => queues.delete(region, name),
  });
}

export function fakeSecrets(): SecretParameters {
  const secrets = createRecords<{ name: string; value: string; description: string }>("Parameter");
  return partial<SecretParameters>({
    put: (region, { name, value, description = "" }) => {
      if (secrets.get(region, name) === undefined) secrets.create(region, name, { name, value, description });
      else secrets.update(region, name, { value, description });
    },
    get: (region, name) => secrets.get(region, name),
    delete: (region, name) => secrets.delete(region, name),
  });
}

/** A call of a missing method throws, because it is undefined. */
function partial<T extends object>(part: Partial<T>): T {
  return part as T;
}
