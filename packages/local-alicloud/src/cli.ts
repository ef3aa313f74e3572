#!/usr/bin/env node
/** `local-alicloud`: starts the local Alibaba Cloud, prints where it is, and stops it at Ctrl-C. */
import { readFileSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { CLOUDFLOW_REGIONS } from "./cloudflow/limits";
import { DEFAULT_ACCOUNT_ID, DEFAULT_REGIONS, type LocalAlicloud, startLocalAlicloud } from "./local-alicloud";

interface Options {
  regions?: string[];
  accountId?: string;
  accessKeyId?: string;
  accessKeySecret?: string;
  firstPort?: number;
  blockMainlandPublicData?: true;
  ownedDomains?: string[];
  dataDir?: string;
  cert?: string;
  key?: string;
  json?: true;
}

const { version, description } = JSON.parse(readFileSync(join(__dirname, "..", "package.json"), "utf8")) as {
  version: string;
  description: string;
};

function fitting(pattern: RegExp, rule: string) {
  return (text: string): string => {
    if (!pattern.test(text)) throw new InvalidArgumentError(`It must be ${rule}.`);
    return text;
  };
}

function regionsOf(text: string): string[] {
  const regions = text.split(",");
  if (regions.some((region) => !/^[a-z]{2,}-[a-z0-9-]+$/.test(region)) || new Set(regions).size < regions.length)
    throw new InvalidArgumentError("It must be different region ids, separated by commas, e.g. cn-shanghai,us-west-1.");
  return regions;
}

function domainsOf(text: string): string[] {
  const names = text.toLowerCase().split(",");
  if (names.some((name) => !/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(name)))
    throw new InvalidArgumentError("It must be domain names, separated by commas, e.g. example.com,test.");
  return names;
}

const ownerOf = (names: readonly string[]) => (domain: string) =>
  names.some((name) => domain === name || domain.endsWith(`.${name}`));

function portOf(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError("It must be a port number, 1 to 65535.");
  return port;
}

const program = new Command("local-alicloud")
  .description(description)
  .version(version)
  .option("--regions <ids>", `regions to serve, separated by commas (default: ${DEFAULT_REGIONS.join(",")})`, regionsOf)
  .option("--account-id <uid>", `uid of the account (default: ${DEFAULT_ACCOUNT_ID})`, fitting(/^\d{16}$/, "16 digits"))
  .option(
    "--access-key-id <id>",
    "access key ID of the account's root (default: random)",
    fitting(/^\w{1,64}$/, "1 to 64 letters and digits"),
  )
  .option(
    "--access-key-secret <secret>",
    "access key secret of the account's root (default: random)",
    fitting(/^\S+$/, "a text without spaces"),
  )
  .option("--first-port <port>", "take the ports from this one on, in a fixed order (default: free ports)", portOf)
  .option("--block-mainland-public-data", "refuse OSS data of mainland regions at the public endpoints (default: serve it)")
  .option("--owned-domains <names>", "domains that buckets may have, with all below them (default: test)", domainsOf)
  .option("--data-dir <folder>", "keep buckets and objects in this folder (default: they end with the process)")
  .option("--cert <file>", "PEM of the certificate, valid for localhost and 127.0.0.1 (default: one is made)")
  .option("--key <file>", "PEM of the certificate's key")
  .option("--json", "print one JSON line instead of the table")
  .allowExcessArguments(false);

async function main(options: Options): Promise<void> {
  const { accessKeyId, accessKeySecret, cert, key } = options;
  if ((accessKeyId === undefined) !== (accessKeySecret === undefined))
    throw new Error("--access-key-id and --access-key-secret go together: give both or neither");
  if ((cert === undefined) !== (key === undefined)) throw new Error("--cert and --key go together: give both or neither");
  for (const [name, path] of Object.entries({ cert, key })) if (path !== undefined) await assertReadable(`--${name}`, path);
  const interrupted = untilInterrupted();
  const cloud = await startLocalAlicloud({
    regions: options.regions,
    accountId: options.accountId,
    rootKey: accessKeyId === undefined || accessKeySecret === undefined ? undefined : { accessKeyId, accessKeySecret },
    firstPort: options.firstPort,
    blockMainlandPublicData: options.blockMainlandPublicData,
    ownsDomain: ownerOf(options.ownedDomains ?? ["test"]),
    dataDir: options.dataDir === undefined ? undefined : resolve(options.dataDir),
    certificate: cert === undefined || key === undefined ? undefined : { certPath: resolve(cert), keyPath: resolve(key) },
  });
  try {
    console.log(options.json ? JSON.stringify(described(cloud)) : table(cloud));
    await interrupted;
  } finally {
    await cloud.stop();
  }
}

async function assertReadable(option: string, path: string): Promise<void> {
  await access(path, constants.R_OK).catch(() => {
    throw new Error(`${option}: the file ${path} does not exist or cannot be read`);
  });
}

/** Ctrl-C, or `kill`. A second signal ends the process at once, as without a handler. */
const untilInterrupted = (): Promise<void> =>
  new Promise((stop) => {
    const onSignal = () => {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
      stop();
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  });

function described({ accountId, ram, caPath, regions, endpointsOf, endpoints }: LocalAlicloud): object {
  const { accessKeyId, accessKeySecret } = ram.root;
  const byRegion = Object.fromEntries(regions.map((region) => [region, endpointsOf(region)]));
  return { accountId, accessKeyId, accessKeySecret, caPath, regions: byRegion, endpoints };
}

function table({ accountId, ram, caPath, regions, endpointsOf }: LocalAlicloud): string {
  const line = (name: string, value: string) => `  ${name.padEnd(18)} ${value}`;
  const { accessKeyId, accessKeySecret } = ram.root;
  return [
    `local-alicloud ${version} is ready. Ctrl-C stops it.`,
    "",
    line("account", accountId),
    line("access key ID", accessKeyId),
    line("access key secret", accessKeySecret),
    line("CA certificate", caPath),
    ...regions.flatMap((region) => {
      const { oss, functionCompute, cloudFlow, messageService, oos, logService, control } = endpointsOf(region);
      return [
        "",
        region,
        line("OSS", oss.public),
        line("OSS internal", oss.internal),
        line("OSS accelerate", oss.accelerate),
        line("Function Compute", functionCompute),
        // CloudFlow is in some regions only.
        ...(CLOUDFLOW_REGIONS.includes(region) ? [line("CloudFlow", cloudFlow)] : []),
        line("SMQ", messageService),
        line("OOS", oos),
        line("Log service", logService),
        line("Control APIs", control),
      ];
    }),
    "",
    "Clients have to trust the CA certificate, or use http:// on the same ports. OSS is addressed path style: /<bucket>/<key>.",
  ].join("\n");
}

main(program.parse().opts<Options>()).catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
