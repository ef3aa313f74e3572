import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Credential } from "local-alicloud";
import type { ControlAnswer, ControlApi, ControlCall } from "../../../../runtime/platforms/alicloud-fc/control-api";
import { testCertificate } from "../../support/https-server";

export const KEY = { accessKeyId: "STS.key", accessKeySecret: "very-secret", securityToken: "very-secret-token" };

/** A service of the local cloud that knows `KEY` and allows it everything. */
export async function localServices() {
  const folder = await mkdtemp(join(tmpdir(), "local-services-"));
  const { private: key, cert } = await testCertificate();
  const tls = { certPath: join(folder, "cert.pem"), keyPath: join(folder, "key.pem") };
  await Promise.all([writeFile(tls.certPath, cert), writeFile(tls.keyPath, key)]);
  const principal = { accountId: "3333333333333333", arn: "acs:ram::3333333333333333:assumed-role/bridge/session" };
  const known: Credential = { secret: KEY.accessKeySecret, principal, sessionToken: KEY.securityToken };
  return {
    tls,
    ca: cert,
    ram: {
      accountId: principal.accountId,
      find: (id: string) => (id === KEY.accessKeyId ? known : undefined),
      authorize: () => "allow" as const,
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A control API that records the calls and returns the answers in order. It repeats the last answer. */
export function fakeApi(...answers: (ControlAnswer | Error)[]): ControlApi & { calls: ControlCall[] } {
  const calls: ControlCall[] = [];
  return {
    calls,
    async call(call) {
      calls.push(call);
      const answer = answers[Math.min(calls.length, answers.length) - 1];
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("no answer was given");
      return answer;
    },
  };
}
