/** One Alibaba Cloud account on this machine: OSS, Function Compute, CloudFlow, RAM, queues, secrets and what only keeps settings. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureCertificate } from "../../../local/aws/certificate";
import { createClosers } from "../../../local/closers";
import { DEFAULT_STATE_DIR, runsDir } from "../../../local/paths";
import { createRunDir } from "../../../local/run-dir";
import { serveApi } from "./api/serve-api";
import { createCloudFlow } from "./cloudflow/cloud-flow";
import {
  ApiError,
  type ApiHandler,
  type CallRecord,
  type CloudFlow,
  type FunctionCompute,
  type MessageService,
  type Ram,
  type SecretParameters,
} from "./contracts";
import { startFunctionCompute } from "./fc/function-compute";
import { createMessageService } from "./message-service/message-service";
import type { EndpointKind, OssEvent, Principal } from "./oss/contracts";
import { type LocalOss, startLocalOss } from "./oss/local-oss";
import { createRam } from "./ram/ram";
import { createSecretParameters } from "./secret-parameters";
import { createSettingRecords, type SettingRecords } from "./setting-records";

export const ACCOUNT_ID = "3333333333333333";
/** Each costs a few listeners; CloudFlow is in two of them. */
export const REGIONS = ["cn-shanghai", "cn-hangzhou", "us-west-1", "ap-southeast-1", "eu-central-1"] as const;

export interface LocalAlibabaOptions {
  /** @default `.local` at the repository root */
  stateDir?: string;
  /** @default REGIONS */
  regions?: readonly string[];
  /** Keep every permission that a call needed in `calls`. */
  recordCalls?: boolean;
  /** How long a function's credentials hold. @default 15 minutes */
  credentialTtlMs?: number;
}

export interface LocalAlibaba {
  readonly accountId: string;
  readonly regions: readonly string[];
  readonly ram: Ram;
  readonly fc: FunctionCompute;
  readonly flow: CloudFlow;
  readonly messages: MessageService;
  readonly secrets: SecretParameters;
  readonly oss: Pick<LocalOss, "endpoints" | "settled">;
  readonly records: SettingRecords;
  /** `https://localhost:PORT`, path style. @throws Error that names the regions there are */
  ossEndpoint(region: string): string;
  /** Where functions find each of the vendor's hosts. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** With `recordCalls`, oldest first. */
  readonly calls: readonly CallRecord[];
  /** PEM of the certificate that all endpoints show. */
  readonly caPath: string;
  readonly runDir: string;
  /** Resolves once every function's process is gone and the run's folder is. */
  stop(): Promise<void>;
}

export async function startLocalAlibaba(options: LocalAlibabaOptions = {}): Promise<LocalAlibaba> {
  const { stateDir = DEFAULT_STATE_DIR, regions = REGIONS } = options;
  const tls = await ensureCertificate(stateDir);
  const runDir = await createRunDir(runsDir(stateDir));
  const closers = createClosers();
  closers.add(() => rm(runDir, { recursive: true, force: true }));
  const calls: CallRecord[] = [];
  const onCall = options.recordCalls ? { onCall: (call: CallRecord) => void calls.push(call) } : {};
  const endpoints: Record<string, string> = {};
  try {
    const ram = createRam({ accountId: ACCOUNT_ID });
    const secrets = createSecretParameters({ ram });
    const messages = await createMessageService({ accountId: ACCOUNT_ID, ram, tls, regions, ...onCall });
    closers.add(() => messages.stop());
    const fc = await startFunctionCompute({
      ram,
      accountId: ACCOUNT_ID,
      regions,
      runDir: join(runDir, "functions"),
      tls,
      caPath: tls.certPath,
      endpoints: () => endpoints,
      send: (region, queueName, body) => void messages.send(region, queueName, body),
      ...(options.credentialTtlMs === undefined ? {} : { credentialTtlMs: options.credentialTtlMs }),
      ...onCall,
    });
    closers.add(() => fc.stop());
    const flow = createCloudFlow({ ram, accountId: ACCOUNT_ID, fc, ...onCall });
    closers.add(() => flow.stop());
    const oss = await startLocalOss({
      regions,
      dataDir: join(runDir, "oss"),
      tls,
      credentials: ram,
      authorize: ram.authorize,
      assumeRole: (roleArn) => principalOf(ram, roleArn),
      onEvent: (event: OssEvent) => fc.deliver(event),
      ...(options.recordCalls
        ? { onRequest: ({ principal, action, resource, allowed }) => calls.push({ principal, action, resource, allowed }) }
        : {}),
    });
    closers.add(() => oss.stop());

    const serve = async (service: string, region: string, host: string, handler: ApiHandler) => {
      const served = await serveApi({ service, region, handler, ram, tls, ...onCall });
      closers.add(() => served.close());
      endpoints[host] = served.origin;
    };
    for (const region of regions) {
      await serve("fc", region, `fcv3.${region}.aliyuncs.com`, fc.api);
      await serve("fnf", region, `${region}.fnf.aliyuncs.com`, flow.api);
      await serve("oos", region, `oos.${region}.aliyuncs.com`, secrets.api);
      endpoints[`${ACCOUNT_ID}.mns.${region}.aliyuncs.com`] = messages.origins[region] ?? "";
      const { public: open = "", internal = "", accelerate = "" } = byAddress(oss.endpoints[region]);
      endpoints[`oss-${region}.aliyuncs.com`] = open;
      endpoints[`oss-${region}-internal.aliyuncs.com`] = internal;
      endpoints["oss-accelerate.aliyuncs.com"] = accelerate;
      endpoints["oss-accelerate-overseas.aliyuncs.com"] = accelerate;
    }
    const ossEndpoint = (region: string) => {
      const found = oss.endpoints[region];
      if (found === undefined) throw new Error(`the local OSS has no region ${region}; it has ${regions.join(", ")}`);
      return found.public;
    };
    const services = { ram, fc, flow, messages, secrets, oss, records: createSettingRecords() };
    return {
      accountId: ACCOUNT_ID,
      regions,
      ...services,
      ossEndpoint,
      endpoints,
      calls,
      caPath: tls.certPath,
      runDir,
      stop: () => closers.closeAll(),
    };
  } catch (error) {
    return await closers.closeAfter(error);
  }
}

/** Who OSS is when it replicates; undefined where the role does not trust it. */
function principalOf(ram: Ram, roleArn: string): Principal | undefined {
  try {
    const session = ram.assumeRole(roleArn, { service: "oss.aliyuncs.com", sessionName: "oss-replication", durationMs: 900_000 });
    return ram.find(session.accessKeyId)?.principal;
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

/** A presigned URL is read by its address only: a name that leads to this machine could be anybody's. */
function byAddress(endpoints: Partial<Record<EndpointKind, string>> = {}): Partial<Record<EndpointKind, string>> {
  return Object.fromEntries(
    Object.entries(endpoints).map(([kind, origin]) => [kind, origin.replace("//localhost:", "//127.0.0.1:")]),
  );
}
