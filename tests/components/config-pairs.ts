/** Configurations of every pair of clouds, to vary. */
import { type BridgeConfig, ConfigInvalid, parseBridgeConfig } from "../../components/config";

const TOKEN = Buffer.alloc(32, 7).toString("base64");

export type Raw = Record<string, unknown>;
export const PLACES: Record<string, { source: Raw; destination: Raw }> = {
  aws: {
    source: { cloud: "aws", region: "us-east-1", bucket: "from-here" },
    destination: { cloud: "aws", region: "eu-west-1", bucket: "to-there" },
  },
  "aws-cn": {
    source: { cloud: "aws-cn", region: "cn-north-1", bucket: "from-here" },
    destination: { cloud: "aws-cn", region: "cn-northwest-1", bucket: "to-there" },
  },
  alicloud: {
    source: { cloud: "alicloud", region: "cn-shanghai", bucket: "from-here" },
    destination: { cloud: "alicloud", region: "us-west-1", bucket: "to-there" },
  },
};

interface Pair {
  from?: string;
  to?: string;
  source?: Raw;
  destination?: Raw;
}
/** From OSS to OSS where nothing else is said; requests are signed and let in, for modes that send any. */
export const pair = ({ from = "alicloud", to = "alicloud", source = {}, destination = {} }: Pair, settings: Raw = {}): Raw => ({
  source: { ...PLACES[from]?.source, ...source },
  destination: { ...PLACES[to]?.destination, ...destination },
  allowedCidrs: ["198.51.100.0/24"],
  token: TOKEN,
  ...settings,
});
export const pull = (sides: Pair, settings: Raw = {}): Raw => pair(sides, { mode: "pull", ...settings });
export const push = (sides: Pair = {}, settings: Raw = {}): Raw =>
  pair(sides, { token: undefined, allowedCidrs: [], mode: "push", ...settings });
export const native = (sides: Pair = {}, settings: Raw = {}): Raw => push(sides, { mode: "native", ...settings });

/** By S3's own replication, inside AWS Global where nothing else is said. */
export const s3 = (sides: Pair = {}, settings: Raw = {}): Raw => native({ from: "aws", to: "aws", ...sides }, settings);
export const s3TwoWay = (sides: Pair = {}, settings: Raw = {}): Raw => s3(sides, { direction: "two-way", ...settings });

export const parse = (raw: Raw): BridgeConfig => parseBridgeConfig(JSON.parse(JSON.stringify(raw)) as Raw, { stack: "dev" });
export function problemsOf(raw: Raw): readonly string[] {
  try {
    parse(raw);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
  return [];
}
