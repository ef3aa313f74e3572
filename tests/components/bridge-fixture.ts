/** A bridge to vary: AWS Global to AWS China by default, with handlers that need no build. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as alicloud from "@pulumi/alicloud";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { CrossBorderBridgeArgs, DestinationArgs, SourceArgs } from "../../components/args";
import type { Cloud } from "../../components/config";
import { CrossBorderBridge } from "../../components/cross-border-bridge";
import { type Recording, type RecordOptions, recordResources } from "../support/record-resources";

export const TOKEN = Buffer.alloc(32, 7).toString("base64");

const handler = new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset("exports.handler = () => {};") });

/** Function Compute takes the bytes of a zip; what is in them is nobody's business here. */
const zipPath = join(mkdtempSync(join(tmpdir(), "bridge-fixture-")), "handler.zip");
writeFileSync(zipPath, "PK");
afterAll(() => rmSync(dirname(zipPath), { recursive: true }));
const zip = new pulumi.asset.FileArchive(zipPath);

export interface Variation extends Partial<Omit<CrossBorderBridgeArgs, "source" | "destination">> {
  source?: Partial<SourceArgs>;
  destination?: Partial<DestinationArgs>;
}

export interface Built extends Recording {
  bridge: CrossBorderBridge;
}

/** Names of the outputs that every bridge in mode pull has, sorted. */
export const PULL_OUTPUTS = [
  "copierFunctionName",
  "dashboardUrls",
  "deadLetterQueueUrl",
  "destinationBucket",
  "estimatedCost",
  "kmsKeyPolicyStatements",
  "notices",
  "outageQueueUrl",
  "queueUrl",
  "receiverFunctionName",
  "receiverUrl",
  "senderFunctionName",
  "sourceBucket",
];

let plain: Promise<Built> | undefined;

/** Records the bridge `b`; the unvaried one once. A `token` of undefined leaves the default one out. */
export function build(variation?: Variation, options?: RecordOptions): Promise<Built> {
  if (variation !== undefined) return record(variation, options);
  plain ??= record({});
  return plain;
}

/** Declares a bridge in the program that is being recorded. */
export function declare(name: string, { source, destination, ...settings }: Variation): CrossBorderBridge {
  const from = { cloud: "aws", region: "us-east-1", bucket: "from-here", ...source } as const;
  const to = { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there", ...destination } as const;
  const at = (side: { cloud: Cloud }) => (side.cloud === "alicloud" ? zip : handler);
  const providers = name === "b" ? "" : `${name}-`;
  return new CrossBorderBridge(name, {
    token: TOKEN,
    mode: "pull",
    allowedCidrs: ["198.51.100.0/24"],
    bundles: { sender: at(from), receiver: at(to), copier: at(to), dispatcher: zip, pusher: zip, prober: zip, notifier: handler },
    ...settings,
    source: { provider: provider(`${providers}source`, from), ...from },
    destination: { provider: provider(`${providers}destination`, to), ...to },
  });
}

async function record(variation: Variation, options?: RecordOptions): Promise<Built> {
  let bridge: CrossBorderBridge | undefined;
  const recording = await recordResources(() => {
    bridge = declare("b", variation);
  }, options);
  if (bridge === undefined) throw new Error("no bridge");
  return { ...recording, bridge };
}

const provider = (name: string, { cloud, region }: { cloud: Cloud; region: string }) =>
  cloud === "alicloud" ? new alicloud.Provider(name, { region }) : new aws.Provider(name, { region });

/** A policy as the document that is sent. */
export const policyOf = (recording: Recording, name: string, field = "policy"): unknown =>
  JSON.parse(String(recording.get(name).inputs[field]));

/** Notices are warnings while deploying; they are asserted by value, not on the console. */
export function quietly(): void {
  jest.spyOn(console, "warn").mockImplementation(() => undefined);
}
