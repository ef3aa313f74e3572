/** Starts the local SMQ with one queue. */

import type { CallRecord, QueueSpec, StsSession } from "local-alicloud";
import { createMessageService, createRam } from "local-alicloud";
import { localServices } from "../../runtime/platforms/alicloud-fc/support";

export const ACCOUNT = "3333333333333333";
export const REGION = "cn-shanghai";
export const QUEUE: QueueSpec = {
  queueName: "dead-letters",
  delaySeconds: 0,
  maximumMessageSize: 65_536,
  messageRetentionPeriod: 345_600,
  visibilityTimeout: 30,
  pollingWaitSeconds: 0,
};

export type Smq = Awaited<ReturnType<typeof startSmq>>;

export async function startSmq() {
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const ram = createRam({ accountId: ACCOUNT, now });
  const { tls, ca, remove } = await localServices();
  const calls: CallRecord[] = [];
  const service = await createMessageService({
    accountId: ACCOUNT,
    ram,
    tls,
    regions: [REGION],
    now,
    onCall: (call) => void calls.push(call),
  });
  service.createQueue(REGION, QUEUE);
  const { accessKeyId, accessKeySecret } = ram.root;
  return {
    service,
    calls,
    ca,
    now,
    advance(ms: number): void {
      aheadMs += ms;
    },
    origin: service.origins[REGION] ?? "",
    root: { accessKeyId, accessKeySecret },
    /** Credentials of a role that may perform these actions. */
    session(...actions: string[]): Pick<StsSession, "accessKeyId" | "accessKeySecret" | "securityToken"> {
      const document = (statement: object) => JSON.stringify({ Version: "1", Statement: [statement] });
      const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["fc.aliyuncs.com"] } };
      const { arn } = ram.createRole({ roleName: "operator", assumeRolePolicyDocument: document(trust) });
      const policyDocument = document({ Effect: "Allow", Action: actions, Resource: ["*"] });
      ram.createPolicy({ policyName: "operator", policyDocument });
      ram.attachPolicyToRole("operator", "operator");
      return ram.assumeRole(arn, { service: "fc.aliyuncs.com", sessionName: "test", durationMs: 900_000 });
    },
    async close() {
      await service.stop();
      await remove();
    },
  };
}
