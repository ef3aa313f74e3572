/** One Alibaba Cloud account on this machine: OSS, Function Compute, CloudFlow, RAM, Simple Message Queue, logs and secret parameters. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { locationApi } from "./api/location-api";
import { productsApi, rpcApi } from "./api/rpc-api";
import { serveApi } from "./api/serve-api";
import { type Certificate, ensureCertificate } from "./certificate";
import { createCloudFlow } from "./cloudflow/cloud-flow";
import { cloudMonitorApi } from "./cms/cloud-monitor";
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
import { FC_VERSION } from "./fc/control-api";
import { startFunctionCompute } from "./fc/function-compute";
import { serveLogs } from "./log-service/log-service";
import { createMessageService } from "./message-service/message-service";
import { createSecretParameters } from "./oos/secret-parameters";
import type { EndpointKind, Principal } from "./oss/contracts";
import { type LocalOss, startLocalOss } from "./oss/local-oss";
import { createRam } from "./ram/ram";
import { createSettingRecords, type SettingRecords } from "./records";

export const DEFAULT_ACCOUNT_ID = "3333333333333333";
export const DEFAULT_REGIONS: readonly string[] = ["cn-shanghai", "cn-hangzhou", "us-west-1", "ap-southeast-1", "eu-central-1"];

export interface LocalAlicloudOptions {
  /** The account's uid, 16 digits. @default DEFAULT_ACCOUNT_ID */
  accountId?: string | undefined;
  /** Each region takes nine ports. @default DEFAULT_REGIONS */
  regions?: readonly string[] | undefined;
  /** Access key of the account's root. @default a random one */
  rootKey?: { accessKeyId: string; accessKeySecret: string } | undefined;
  /** PEM files that all endpoints use; they must be valid for `localhost` and 127.0.0.1. @default a self-signed certificate is made */
  certificate?: Certificate | undefined;
  /**
   * Keeps OSS's buckets and objects, and the certificate, across restarts. One process at a time may use it. Functions, roles, queues and
   * flows always end with the process. @default nothing is kept
   */
  dataDir?: string | undefined;
  /** For code of functions and everything temporary. `stop` removes it. @default a new folder in the system's temporary folder */
  runDir?: string | undefined;
  /**
   * The first of the ports, which are taken in this order: OSS's accelerate endpoint; then for each region OSS public, OSS internal, HTTP
   * triggers, Function Compute, CloudFlow, OOS, SMQ, the log service and the address of all control APIs. @default free ports
   */
  firstPort?: number | undefined;
  /** Keep every permission that a call needed in `calls`. @default false */
  recordCalls?: boolean | undefined;
  /**
   * How long, in ms, a new role, a new attachment of a policy and a new log store stay unknown to other services. The control APIs of RAM
   * and of the log service know them at once. @default 0
   */
  propagationMs?: number | undefined;
  /** How long the credentials of a function are used before it gets new ones. @default 15 minutes */
  credentialTtlMs?: number | undefined;
  /**
   * Refuse data of buckets in the Chinese mainland at OSS's public endpoints, as for accounts that activated OSS on or after 2025-03-20.
   * Internal endpoints, acceleration and custom domains serve the data. @default false
   */
  blockMainlandPublicData?: boolean | undefined;
  /** Whether a new private bucket of OSS blocks public access, as buckets that are created today. @default true */
  newBucketsBlockPublicAccess?: boolean | undefined;
  /** Whether the ownership of a custom domain of OSS is verified. @default only names that end with `.test` */
  ownsDomain?: ((domain: string) => boolean) | undefined;
  /** The real length of a minute of `@every` in time triggers, so that a bridge ticks faster. @default 60_000 */
  scheduleMinuteMs?: number | undefined;
  /**
   * More environment variables for every process that runs a function, worked out when the process starts.
   * All of them have `LOCAL_ALICLOUD_ENDPOINTS`, the JSON of `endpoints`.
   */
  functionEnvironment?: ((endpoints: Readonly<Record<string, string>>) => Record<string, string>) | undefined;
}

/** Origins such as `https://localhost:41234`. The same ports answer plain http. */
export interface RegionEndpoints {
  /** Path style: `/bucket/key`. The accelerate endpoint is the same in all regions. */
  oss: Record<EndpointKind, string>;
  /** The control API. */
  functionCompute: string;
  cloudFlow: string;
  messageService: string;
  oos: string;
  /** Serves every project of the region. */
  logService: string;
  /**
   * Serves the control APIs of RAM, STS, Location, Function Compute, CloudFlow, SMQ, OOS and CloudMonitor at one address: the version of a
   * call names its service.
   */
  control: string;
}

export interface LocalAlicloud {
  readonly accountId: string;
  readonly regions: readonly string[];
  readonly ram: Ram;
  readonly fc: FunctionCompute;
  readonly flow: CloudFlow;
  readonly messages: MessageService;
  readonly secrets: SecretParameters;
  readonly oss: Pick<LocalOss, "endpoints" | "domains" | "settled">;
  readonly records: SettingRecords;
  /** @throws Error that names the regions there are */
  endpointsOf(region: string): RegionEndpoints;
  /**
   * Origin by the vendor's host name, e.g. `oss-cn-shanghai.aliyuncs.com`, as functions get it. OSS is under 127.0.0.1, because a presigned
   * URL must not depend on how a name is resolved. Change an entry to put a proxy in front of a service: function processes that start later
   * get the changed one. A custom domain of a bucket has an entry from the time when it is bound.
   */
  readonly endpoints: Record<string, string>;
  /** With `recordCalls`, oldest first. */
  readonly calls: readonly CallRecord[];
  /** PEM of the certificate that all endpoints show. */
  readonly caPath: string;
  readonly runDir: string;
  /** Resolves when the ports are closed, the processes of functions have ended and `runDir` is removed. */
  stop(): Promise<void>;
}

/** @throws Error when a port is taken or a folder cannot be written; what was started by then is stopped */
export async function startLocalAlicloud(options: LocalAlicloudOptions = {}): Promise<LocalAlicloud> {
  const runDir = options.runDir ?? (await mkdtemp(join(tmpdir(), "local-alicloud-")));
  await mkdir(runDir, { recursive: true });
  const cleanUp = new CleanUp();
  cleanUp.add(() => rm(runDir, { recursive: true, force: true }));
  try {
    return await startServices(options, runDir, cleanUp);
  } catch (error) {
    await cleanUp.run().catch((failure: unknown) => {
      throw new AggregateError([error, failure], `${textOf(error)}; then stopping failed: ${textOf(failure)}`);
    });
    throw error;
  }
}

async function startServices(options: LocalAlicloudOptions, runDir: string, cleanUp: CleanUp): Promise<LocalAlicloud> {
  const { accountId = DEFAULT_ACCOUNT_ID, regions = DEFAULT_REGIONS, dataDir, functionEnvironment } = options;
  const tls = options.certificate ?? (await ensureCertificate(join(dataDir ?? runDir, "tls")));
  const calls: CallRecord[] = [];
  const onCall = options.recordCalls ? { onCall: (call: CallRecord) => void calls.push(call) } : {};
  const ports = portsOf(regions, options.firstPort);
  const endpoints: Record<string, string> = {};
  const { propagationMs = 0 } = options;
  const ram = createRam({ accountId, rootKey: options.rootKey, propagationMs });
  const records = createSettingRecords();
  const secrets = createSecretParameters({ ram });
  const messages = await createMessageService({ accountId, ram, tls, regions, ports: ports.by("smq"), ...onCall });
  cleanUp.add(() => messages.stop());
  const fc = await startFunctionCompute({
    ram,
    accountId,
    regions,
    runDir: join(runDir, "functions"),
    tls,
    caPath: tls.certPath,
    ports: ports.by("triggers"),
    environment: () => ({ LOCAL_ALICLOUD_ENDPOINTS: JSON.stringify(endpoints), ...functionEnvironment?.(endpoints) }),
    findsLogStore: (region, project, logstore) => {
      const found = [records.logProjects.get(region, project), records.logStores.get(region, `${project}:${logstore}`)];
      return found.every((one) => one !== undefined && Date.now() - (one.createdAt ?? 0) >= propagationMs);
    },
    send: (region, queueName, body) => void messages.send(region, queueName, body),
    scheduleMinuteMs: options.scheduleMinuteMs,
    ...(options.credentialTtlMs === undefined ? {} : { credentialTtlMs: options.credentialTtlMs }),
    ...onCall,
  });
  cleanUp.add(() => fc.stop());
  const flow = createCloudFlow({ ram, accountId, fc, ...onCall });
  cleanUp.add(() => flow.stop());
  const oss = await startLocalOss({
    regions,
    dataDir: join(dataDir ?? runDir, "oss"),
    tls,
    credentials: ram,
    authorize: ram.authorize,
    assumeRole: (roleArn) => principalOf(ram, roleArn),
    ports: ports.ofOss(),
    blockMainlandPublicData: options.blockMainlandPublicData,
    newBucketsBlockPublicAccess: options.newBucketsBlockPublicAccess,
    ownsDomain: options.ownsDomain,
    onDomain: (domain, origin) => {
      if (origin === undefined) delete endpoints[domain];
      else endpoints[domain] = byAddress(origin);
    },
    onEvent: (event) => fc.deliver(event),
    onRequest: ({ principal, action, resource, allowed }) => onCall.onCall?.({ principal, action, resource, allowed }),
  });
  cleanUp.add(() => oss.stop());

  const serve = async (service: string, region: string, handler: ApiHandler) => {
    const served = await serveApi({ service, region, handler, ram, tls, port: ports.of(region, service), ...onCall });
    cleanUp.add(() => served.close());
    return served.origin;
  };
  const logs = async (region: string) => {
    const served = await serveLogs({ accountId, region, ram, fc, records, tls, port: ports.of(region, "sls"), ...onCall });
    cleanUp.add(() => served.close());
    return served.origin;
  };
  const byRegion = new Map<string, RegionEndpoints>();
  const control = productsApi({
    "2015-05-01": ram.api,
    "2015-04-01": ram.stsApi,
    "2015-06-12": rpcApi(locationApi((region) => servicesOf(byRegion.get(region)))),
    [FC_VERSION]: fc.api,
    "2019-03-15": flow.api,
    "2022-01-19": messages.api,
    "2019-06-01": secrets.api,
    "2019-01-01": rpcApi(cloudMonitorApi({ accountId, records })),
  });
  for (const region of regions) {
    const own: RegionEndpoints = {
      oss: oss.endpoints[region] as RegionEndpoints["oss"],
      functionCompute: await serve("fc", region, fc.api),
      cloudFlow: await serve("fnf", region, flow.api),
      oos: await serve("oos", region, secrets.api),
      messageService: messages.origins[region] as string,
      logService: await logs(region),
      control: await serve("control", region, control),
    };
    byRegion.set(region, own);
    Object.assign(endpoints, vendorHosts(region, accountId, own));
  }
  return {
    accountId,
    regions,
    ...{ ram, fc, flow, messages, secrets, oss, records },
    endpointsOf: (region) => {
      const found = byRegion.get(region);
      if (found === undefined) throw new Error(`there is no region ${region}; there are ${regions.join(", ")}`);
      return found;
    },
    endpoints,
    calls,
    caPath: tls.certPath,
    runDir,
    stop: () => cleanUp.run(),
  };
}

const byAddress = (origin: string) => origin.replace("//localhost:", "//127.0.0.1:");

function vendorHosts(region: string, accountId: string, own: RegionEndpoints): Record<string, string> {
  return {
    [`fcv3.${region}.aliyuncs.com`]: own.functionCompute,
    [`${region}.fnf.aliyuncs.com`]: own.cloudFlow,
    [`oos.${region}.aliyuncs.com`]: own.oos,
    [`${region}.log.aliyuncs.com`]: own.logService,
    [`${accountId}.mns.${region}.aliyuncs.com`]: own.messageService,
    [`mns-open.${region}.aliyuncs.com`]: own.control,
    [`metrics.${region}.aliyuncs.com`]: own.control,
    [`sts.${region}.aliyuncs.com`]: own.control,
    "sts.aliyuncs.com": own.control,
    "ram.aliyuncs.com": own.control,
    "location.aliyuncs.com": own.control,
    [`oss-${region}.aliyuncs.com`]: byAddress(own.oss.public),
    [`oss-${region}-internal.aliyuncs.com`]: byAddress(own.oss.internal),
    "oss-accelerate.aliyuncs.com": byAddress(own.oss.accelerate),
    "oss-accelerate-overseas.aliyuncs.com": byAddress(own.oss.accelerate),
  };
}

/** `host:port` by the code that Location has for the service. */
function servicesOf(own: RegionEndpoints | undefined): Record<string, string> | undefined {
  if (own === undefined) return undefined;
  const hostOf = (origin: string) => new URL(origin).host;
  const control = hostOf(own.control);
  return {
    ...Object.fromEntries(
      ["ram", "sts", "location", "fc", "fnf", "oos", "cms", "mns", "mns-open", "mns_open"].map((code) => [code, control]),
    ),
    oss: hostOf(own.oss.public).replace("localhost", "127.0.0.1"),
    log: hostOf(own.logService),
    sls: hostOf(own.logService),
  };
}

/** The role that OSS replicates as; undefined when the role does not trust OSS. */
function principalOf(ram: Ram, roleArn: string): Principal | undefined {
  try {
    const session = ram.assumeRole(roleArn, { service: "oss.aliyuncs.com", sessionName: "oss-replication", durationMs: 900_000 });
    return ram.find(session.accessKeyId)?.principal;
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

const PORTS_OF_REGION = ["public", "internal", "triggers", "fc", "fnf", "oos", "smq", "sls", "control"];

/** Port numbers in the order that `firstPort` documents; all undefined without it. */
function portsOf(regions: readonly string[], firstPort: number | undefined) {
  const of = (region: string, service: string): number | undefined => {
    const at = regions.indexOf(region) * PORTS_OF_REGION.length + PORTS_OF_REGION.indexOf(service);
    return firstPort === undefined ? undefined : firstPort + 1 + at;
  };
  const by = (service: string) => Object.fromEntries(regions.map((region) => [region, of(region, service)]));
  const ofOss = () => ({
    accelerate: firstPort,
    regions: Object.fromEntries(
      regions.map((region) => [region, { public: of(region, "public"), internal: of(region, "internal") }]),
    ),
  });
  return { of, by, ofOss };
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Steps to undo what was started. */
class CleanUp {
  private steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.steps.push(step);
  }

  /** Runs every step, the last added first, also after one has failed. @throws AggregateError with all failures */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(textOf).join("; "));
  }
}
