/** Clients from the registries, each with scenarios of ours. */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import OSS from "ali-oss";
import { ensurePinned, PINNED } from "../../bench/tools";
import { readAll } from "../../runtime/stores/read-all";
import { withCommand } from "./command";
import { goProgram } from "./go";
import { type JudgedS3, startJudgedS3 } from "./local-s3";
import { pinnedVersion, pythonProgram, pythonSuite, scenarioFolder } from "./python-suite";
import { scenarioSuite } from "./scenario-suite";
import { ALI_OSS, type AliOss } from "./scenarios/ali-oss";
import { AWSCLI, type Client, OSSUTIL, RCLONE } from "./scenarios/commands";
import type { Suite } from "./suite";
import { ENDPOINT, REGION, startVendorCloud, type VendorCloud } from "./vendor-cloud";
import { startVendorProxy } from "./vendor-proxy";

const MAX_ANSWER_BYTES = 1024 ** 2;

export function aliOssClient(): Suite {
  const folder = dirname(require.resolve("ali-oss/package.json"));
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return scenarioSuite({
    id: "ali-oss-client",
    version,
    scenarios: ALI_OSS,
    async start() {
      const cloud = await startVendorCloud();
      const agent = new VendorAgent(cloud.ports[ENDPOINT] as number);
      const stop = async () => {
        agent.destroy();
        await cloud.stop();
      };
      return { context: aliOss(cloud, agent), stop };
    },
  });
}

/** Connects to one port, whatever the host is. */
class VendorAgent extends Agent {
  constructor(readonly port: number) {
    super({ keepAlive: true });
  }
  override createConnection() {
    return connect(this.port, "127.0.0.1");
  }
}

function aliOss({ accessKeyId, accessKeySecret }: VendorCloud, agent: VendorAgent): AliOss {
  const client: AliOss["client"] = (bucket, options) =>
    new OSS({
      accessKeyId,
      accessKeySecret,
      bucket,
      region: `oss-${REGION}`,
      endpoint: `http://${ENDPOINT}`,
      authorizationV4: true,
      agent,
      ...options,
    } as OSS.Options) as unknown as ReturnType<AliOss["client"]>;
  let buckets = 0;
  return {
    client,
    async fresh(options) {
      const name = `from-ali-oss-${++buckets}`;
      const oss = client(name, options);
      await oss.putBucket(name);
      return oss;
    },
    fetch: (url, put) =>
      new Promise((resolve, reject) => {
        const call = request(url, { agent, method: put === undefined ? "GET" : "PUT" }, (response) => {
          readAll(response, MAX_ANSWER_BYTES).then(
            (body) => resolve({ status: response.statusCode ?? 0, body: String(body) }),
            reject,
          );
        });
        call.once("error", reject);
        call.end(put);
      }),
  };
}

const ossEnvironment = ({ accessKeyId, accessKeySecret, ports }: VendorCloud) => ({
  JUDGED_PORTS: JSON.stringify(ports),
  OSS_PORT: String(ports[ENDPOINT]),
  OSS_ENDPOINT: `http://${ENDPOINT}`,
  OSS_REGION: REGION,
  OSS_ACCESS_KEY_ID: accessKeyId,
  OSS_ACCESS_KEY_SECRET: accessKeySecret,
});

const s3Environment = ({ endpoint, region, caPath, accessKeyId, secretAccessKey }: JudgedS3) => ({
  JUDGED_PORTS: "{}",
  AWS_CA_BUNDLE: caPath,
  REQUESTS_CA_BUNDLE: caPath,
  SSL_CERT_FILE: caPath,
  S3_ENDPOINT: endpoint,
  S3_REGION: region,
  S3_ACCESS_KEY_ID: accessKeyId,
  S3_SECRET_ACCESS_KEY: secretAccessKey,
});

type Stoppable = Pick<VendorCloud, "stop">;
const both = (first: Stoppable, second: Stoppable) => async () => {
  await first.stop();
  await second.stop();
};

/** Scenarios in Python, in one process. @param names modules, or classes of modules */
function pythonScenarios(id: string, name: string, names: readonly string[], cloud: "oss" | "s3"): Suite {
  return pythonSuite({
    id,
    version: pinnedVersion(name),
    folder: scenarioFolder,
    modules: () => [...names],
    workers: 1,
    casesPerChunk: Number.POSITIVE_INFINITY,
    async start() {
      if (cloud === "oss") {
        const oss = await startVendorCloud();
        const proxy = await startVendorProxy(oss);
        return { environment: { ...ossEnvironment(oss), OSS_PROXY: proxy.environment.http_proxy ?? "" }, stop: both(proxy, oss) };
      }
      const s3 = await startJudgedS3();
      return { environment: s3Environment(s3), stop: s3.stop };
    },
  });
}

export const ossV2Client = (): Suite =>
  pythonScenarios("alibabacloud-oss-v2-client", "alibabacloud-oss-v2", ["oss_v2_client"], "oss");
export const boto3Client = (): Suite => pythonScenarios("boto3-client", "boto3", ["boto3_client"], "s3");
export const openDalOss = (): Suite => pythonScenarios("opendal-oss-client", "opendal", ["opendal_clients.Oss"], "oss");
export const openDalS3 = (): Suite => pythonScenarios("opendal-s3-client", "opendal", ["opendal_clients.S3"], "s3");

async function clientOf(prefix: string, options: Parameters<typeof withCommand>[0], cloud: { stop(): Promise<void> }) {
  const { command, stop } = await withCommand(options);
  let names = 0;
  const context: Client = { command, freshName: () => `${prefix}-${++names}` };
  const stopBoth = async () => {
    await stop();
    await cloud.stop();
  };
  return { context, stop: stopBoth };
}

export const awsCommand = (): Suite =>
  scenarioSuite({
    id: "awscli-client",
    version: pinnedVersion("awscli"),
    scenarios: AWSCLI,
    async start() {
      const s3 = await startJudgedS3();
      const { python, program } = await pythonProgram("aws");
      const env = {
        AWS_ACCESS_KEY_ID: s3.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
        AWS_ENDPOINT_URL: s3.endpoint,
        AWS_DEFAULT_REGION: s3.region,
        AWS_CA_BUNDLE: s3.caPath,
        LANG: "C.UTF-8",
      };
      return clientOf("from-aws", { program: python, args: [program], env }, s3);
    },
  });

export const rclone = (): Suite =>
  scenarioSuite({
    id: "rclone-client",
    version: PINNED.rclone.version,
    scenarios: RCLONE,
    async start() {
      const { path } = await ensurePinned("rclone", () => undefined);
      const s3 = await startJudgedS3();
      const remote = {
        type: "s3",
        provider: "AWS",
        endpoint: s3.endpoint,
        region: s3.region,
        access_key_id: s3.accessKeyId,
        secret_access_key: s3.secretAccessKey,
        force_path_style: "true",
      };
      const env = Object.entries(remote).map(([name, value]) => [`RCLONE_CONFIG_S3_${name.toUpperCase()}`, value]);
      return clientOf("from-rclone", { program: path, args: ["--ca-cert", s3.caPath], env: Object.fromEntries(env) }, s3);
    },
  });

/** OSS by its API for clients of S3, with the bucket in the host, as OSS demands it. */
export const rcloneOss = (): Suite =>
  scenarioSuite({
    id: "rclone-oss-client",
    version: PINNED.rclone.version,
    scenarios: RCLONE,
    async start() {
      const { path } = await ensurePinned("rclone", () => undefined);
      const oss = await startVendorCloud();
      const proxy = await startVendorProxy(oss);
      const remote = {
        type: "s3",
        provider: "Alibaba",
        endpoint: `http://${ENDPOINT}`,
        access_key_id: oss.accessKeyId,
        secret_access_key: oss.accessKeySecret,
      };
      const named = Object.entries(remote).map(([name, value]) => [`RCLONE_CONFIG_S3_${name.toUpperCase()}`, value]);
      const env = { ...proxy.environment, ...Object.fromEntries(named) };
      return clientOf("from-rclone", { program: path, env }, { stop: both(proxy, oss) });
    },
  });

const OSSUTIL_VERSION = "1.7.19";

export const ossutil = (): Suite =>
  scenarioSuite({
    id: "ossutil-client",
    version: OSSUTIL_VERSION,
    scenarios: OSSUTIL,
    async start() {
      const program = await goProgram("ossutil", "github.com/aliyun/ossutil");
      const oss = await startVendorCloud();
      const where = ["-e", `http://127.0.0.1:${oss.ports[ENDPOINT]}`, "-i", oss.accessKeyId, "-k", oss.accessKeySecret];
      return clientOf("from-ossutil", { program, args: [...where, "--sign-version", "v4", "--region", REGION], env: {} }, oss);
    },
  });
