/** Valid configurations of every pair of clouds, to change one thing in. */
import { type BridgeConfig, ConfigInvalid, parseBridgeConfig } from "../../../components/config";

export const TOKEN = Buffer.alloc(32, 7).toString("base64");

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

/** Settings of a bridge, and the clouds of its sides. Settings of a side are added to those of `PLACES`. */
export interface Change extends Raw {
  from?: string;
  to?: string;
  source?: Raw;
  destination?: Raw;
}
const pair = ({ from = "alicloud", to = "alicloud", source, destination, ...settings }: Change): Raw => ({
  source: { ...PLACES[from]?.source, ...source },
  destination: { ...PLACES[to]?.destination, ...destination },
  allowedCidrs: ["198.51.100.0/24"],
  token: TOKEN,
  ...settings,
});

/** From AWS Global to AWS China, in the mode that is the default there. */
export const bridge = (change: Change = {}): Raw => pair({ from: "aws", to: "aws-cn", ...change });
/** From OSS to OSS, as `push` and `native` too, unless the change names other clouds. */
export const pull = (change: Change = {}): Raw => pair({ mode: "pull", ...change });
export const push = (change: Change = {}): Raw => pair({ token: undefined, allowedCidrs: [], mode: "push", ...change });
export const native = (change: Change = {}): Raw => push({ mode: "native", ...change });

/** By S3's own replication, inside AWS Global unless the change names another partition. */
export const s3 = (change: Change = {}): Raw => native({ from: "aws", to: "aws", ...change });
export const s3TwoWay = (change: Change = {}): Raw => s3({ direction: "two-way", ...change });

export const CANARY = { enabled: true, everyMinutes: 15 };
export const ACCOUNTS = { source: { accountId: "111111111111" }, destination: { accountId: "222222222222" } };
export const HERE = "arn:aws:kms:us-east-1:111111111111:key/here";
export const THERE = "arn:aws:kms:eu-west-1:222222222222:key/there";

/** A rule of S3's replication, and a bridge with such rules. */
export const rule = (id: string, priority: number, settings: Raw = {}): Raw => ({ id, priority, ...settings });
export const withRules = (rules: Raw[], change: Change = {}): Raw => s3({ replication: { rules }, ...change });

/** A destination in S3 with these lifecycle rules, or with one rule that makes these transitions. */
export const withLifecycle = (lifecycle: Raw[], destination: Raw = {}): Raw =>
  pull({ to: "aws", destination: { lifecycle, ...destination } });
export const moving = (settings: Raw, ...transitions: [days: number, storageClass: string][]): Raw =>
  withLifecycle([{ id: "a", ...settings, transitions: transitions.map(([days, storageClass]) => ({ days, storageClass })) }]);

export const parse = (raw: Raw, stack = "dev"): BridgeConfig =>
  parseBridgeConfig(JSON.parse(JSON.stringify(raw)) as Raw, { stack });
export function problemsOf(raw: Raw, stack?: string): readonly string[] {
  try {
    parse(raw, stack);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
  return [];
}

/** `problem` is the whole sentence behind `crossborderbridge:`. Where it ends with " ...", it is the beginning of a longer one. */
export interface Refusal {
  given: Raw;
  problem: string;
}

/** A test for each refusal: it has one problem, and this sentence. */
export function describeRefusals(subjects: [subject: string, refusals: Refusal[]][]): void {
  describe.each(subjects)("%s", (_, refusals) => {
    test.each(refusals)("refuses: $problem", ({ given, problem }) => {
      const sentence = `crossborderbridge:${problem}`;
      const problems = problemsOf(given);
      expect(problems).toHaveLength(1);
      if (sentence.endsWith(" ...")) expect(problems[0]?.startsWith(sentence.slice(0, -" ...".length))).toBe(true);
      else expect(problems[0]).toBe(sentence);
    });
  });
}
