import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureCertificate } from "../../src/certificate";
import type { CallRecord, QueueSpec, Ram, StsSession } from "../../src/contracts";
import { createMessageService, type LocalMessageService } from "../../src/message-service/message-service";
import { createRam } from "../../src/ram/ram";
import { createMnsClient, type MnsAnswer, type MnsClient, type MnsKeys } from "./mns-client";

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

export interface MnsFixture {
  service: LocalMessageService;
  ram: Ram;
  calls: CallRecord[];
  failures: unknown[];
  /** How far the server's clock is ahead of the system's. */
  clock: { aheadMs: number };
  client(keys?: MnsKeys, region?: string): MnsClient;
  /** Credentials of a role of Function Compute with these permissions. */
  session(actions: string[], resources: string[], durationMs?: number): StsSession;
  /** Resolves when the next call has been authorized. */
  nextCall(): Promise<unknown>;
  close(): Promise<void>;
}

export async function startMns(): Promise<MnsFixture> {
  const folder = await mkdtemp(join(tmpdir(), "local-mns-"));
  const tls = await ensureCertificate(folder);
  const ca = readFileSync(tls.certPath, "utf8");
  const clock = { aheadMs: 0 };
  const now = () => Date.now() + clock.aheadMs;
  const ram = createRam({ accountId: ACCOUNT, now });
  const calls: CallRecord[] = [];
  const failures: unknown[] = [];
  const told = new EventEmitter();
  const service = await createMessageService({
    accountId: ACCOUNT,
    ram,
    tls,
    regions: [REGION, "us-west-1"],
    now,
    onCall: (call) => {
      calls.push(call);
      told.emit("call");
    },
    onFailure: (error) => failures.push(error),
  });
  let roles = 0;
  return {
    service,
    ram,
    calls,
    failures,
    clock,
    client: (keys = ram.root, region = REGION) => createMnsClient({ origin: service.origins[region] ?? "", ca, keys }),
    session: (actions, resources, durationMs = 900_000) => {
      roles += 1;
      const roleName = `role${roles}`;
      const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: ["fc.aliyuncs.com"] } };
      const document = (statement: object) => JSON.stringify({ Version: "1", Statement: [statement] });
      const { arn } = ram.createRole({ roleName, assumeRolePolicyDocument: document(trust) });
      const policyDocument = document({ Effect: "Allow", Action: actions, Resource: resources });
      ram.createPolicy({ policyName: roleName, policyDocument });
      ram.attachPolicyToRole(roleName, roleName);
      return ram.assumeRole(arn, { service: "fc.aliyuncs.com", sessionName: "test", durationMs });
    },
    nextCall: () => once(told, "call"),
    close: async () => {
      await service.stop();
      await rm(folder, { recursive: true });
      // An answer of 500 is a bug of the server, whatever the test expected.
      expect(failures).toEqual([]);
    },
  };
}

/** Status and code of an answer. */
export const outcome = ({ status, element }: MnsAnswer) => ({ status, code: element("Code") });
