/** Every workload of the benchmark, with what must hold for it. */
import { LOCAL_STACK } from "./local-stack-report";
import type { PeerName } from "./peers";
import { STARTUP } from "./startup-report";
import type { DataWorkload, Own, Target, Workload } from "./workload";

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** A bad day between two continents, with the window that Linux and most stores allow. */
const WAN = { roundTripMs: 150, windowBytes: 4 * MIB };

const VERIFIED = "the source's CRC-64/NVME, in a conditional PUT: the destination verifies it";
const VERIFIED_WHOLE = "the source's CRC-64/NVME of the whole object: the destination verifies it at the end";
const VERIFIED_ACROSS = "the source's checksum, verified by the product; the destination verifies its own kind";

const COPIER: Own = {
  name: "copier",
  label: "receiver and copier",
  integrity: VERIFIED,
  driver: "copier",
  inlineLimitBytes: 0,
};
const COPIER_PARTS: Own = {
  ...COPIER,
  name: "copier-parts",
  label: "receiver and copier, in parts",
  integrity: VERIFIED_WHOLE,
  mayStream: false,
};
/** 10 invocations at the same time with 10 keys each: what SQS hands to the senders. */
const BATCHES = { batchSize: 10, concurrency: 10 };
const RECEIVER: Own = { name: "receiver", label: "receiver", integrity: VERIFIED, driver: "receiver", ...BATCHES };
const READ_AND_WRITE: Own = {
  name: "read-and-write",
  label: "its read-and-write path alone",
  integrity: VERIFIED,
  driver: "read-and-write",
  ...BATCHES,
};
const SENDER: Own = { name: "sender", label: "sender and receiver", integrity: VERIFIED, driver: "sender", ...BATCHES };
const PUSHER: Own = { name: "pusher", label: "pusher", integrity: VERIFIED, driver: "pusher", batchSize: 1, concurrency: 50 };

const LARGE_PEERS: readonly PeerName[] = ["rclone-put", "rclone-default", "s5cmd-pipe", "curl"];
const MANY_PEERS: readonly PeerName[] = ["s5cmd-many", "rclone-many"];

const MOST_RSS_BYTES = 128 * MIB;
const LARGE_TARGETS: readonly Target[] = [
  { own: "copier", what: "time", atMost: 0.75, peer: "rclone-put" },
  { own: "copier", what: "time", atMost: 1, peer: "curl" },
  { own: "copier", what: "cpuPerGib", atMost: 1.5 },
  { own: "copier", what: "rss", atMostBytes: MOST_RSS_BYTES },
  { own: "copier-parts", what: "cpuPerGib", atMost: 2.5 },
  { own: "copier-parts", what: "rss", atMostBytes: MOST_RSS_BYTES },
];

const transports = ["tls", "plain"] as const;

function local(
  name: string,
  group: string,
  rest: Pick<DataWorkload, "objects" | "owns" | "peers" | "note" | "targets">,
): DataWorkload[] {
  return transports.map((transport) => ({
    kind: "data",
    name: `${name}-${transport}`,
    groups: [group, name, transport],
    source: "s3",
    destination: "s3",
    transport,
    ...rest,
  }));
}

const large = (name: string, sizeBytes: number): DataWorkload[] =>
  local(name, "large", {
    objects: { count: 1, sizeBytes },
    owns: [COPIER, COPIER_PARTS],
    peers: LARGE_PEERS,
    targets: LARGE_TARGETS,
  });

const small = (name: string, objects: DataWorkload["objects"], targets: readonly Target[]): DataWorkload[] =>
  local(name, "small", { objects, owns: [RECEIVER, READ_AND_WRITE, SENDER], peers: MANY_PEERS, note: TAGS_ARE_READ, targets });

const TAGS_ARE_READ =
  "An answer to HEAD has no number of tags where the object has none. The product relies on that at the vendor's own endpoint only, so here `sender and receiver` " +
  "reads the tags of each object twice. In the cloud it does not.";

const SMALL_TARGETS: readonly Target[] = [
  { own: "receiver", what: "rate", atLeast: 1, peer: "s5cmd-many" },
  { own: "receiver", what: "rate", atLeast: 1.3, peer: "rclone-many" },
  { own: "read-and-write", what: "rate", atLeast: 1.2, peer: "s5cmd-many" },
  { own: "read-and-write", what: "rate", atLeast: 1.6, peer: "rclone-many" },
  { own: "receiver", what: "rss", atMostBytes: MOST_RSS_BYTES },
];

const ACROSS_OBJECTS = { count: 1000, sizeBytes: 4 * KIB };

const across: DataWorkload[] = [
  {
    kind: "data",
    name: "s3-to-oss",
    groups: ["clouds"],
    objects: ACROSS_OBJECTS,
    source: "s3",
    destination: "oss",
    transport: "tls",
    owns: [{ ...RECEIVER, integrity: VERIFIED_ACROSS }],
    peers: [],
    targets: [],
  },
  {
    kind: "data",
    name: "oss-to-s3",
    groups: ["clouds"],
    objects: ACROSS_OBJECTS,
    source: "oss",
    destination: "s3",
    transport: "tls",
    owns: [{ ...RECEIVER, integrity: VERIFIED_ACROSS }],
    peers: [],
    targets: [],
  },
  {
    kind: "data",
    name: "oss-to-oss",
    groups: ["clouds"],
    objects: ACROSS_OBJECTS,
    source: "oss",
    destination: "oss",
    transport: "tls",
    owns: [
      { ...RECEIVER, integrity: "the source's CRC-64/XZ: the destination verifies it" },
      { ...PUSHER, integrity: "the source's CRC-64/XZ: the destination verifies it" },
    ],
    peers: [],
    targets: [],
  },
].map((workload) => ({
  ...(workload as DataWorkload),
  note: "No peer: rclone and s5cmd speak S3's protocol, which the OSS of this machine does not answer.",
}));

const wan: DataWorkload[] = [
  {
    kind: "data",
    name: "wan-large",
    groups: ["wan"],
    objects: { count: 1, sizeBytes: GIB },
    source: "s3",
    destination: "s3",
    transport: "tls",
    link: WAN,
    owns: [COPIER],
    peers: ["rclone-16", "s5cmd-pipe-16"],
    targets: [
      { own: "copier", what: "time", atMost: 1, peer: "rclone-16" },
      { own: "copier", what: "time", atMost: 1, peer: "s5cmd-pipe-16" },
      { own: "copier", what: "rss", atMostBytes: MOST_RSS_BYTES },
    ],
  },
  {
    kind: "data",
    name: "wan-small",
    groups: ["wan"],
    objects: { count: 500, sizeBytes: 4 * KIB },
    source: "s3",
    destination: "s3",
    transport: "tls",
    link: WAN,
    owns: [RECEIVER],
    peers: MANY_PEERS,
    targets: [
      { own: "receiver", what: "time", atMost: 1, peer: "s5cmd-many" },
      { own: "receiver", what: "time", atMost: 1, peer: "rclone-many" },
    ],
  },
];

export const WORKLOADS: readonly Workload[] = [
  ...large("1gib", GIB),
  ...large("4gib", 4 * GIB),
  ...small("200x4mib", { count: 200, sizeBytes: 4 * MIB }, [
    { own: "receiver", what: "rate", atLeast: 1.1, peer: "best" },
    { own: "receiver", what: "rss", atMostBytes: MOST_RSS_BYTES },
  ]),
  ...small("2000x4kib", { count: 2000, sizeBytes: 4 * KIB }, SMALL_TARGETS),
  ...small("2000x0b", { count: 2000, sizeBytes: 0 }, []),
  ...across,
  ...wan,
  STARTUP,
  LOCAL_STACK,
];

/** Sizes for a run of minutes. */
const QUICK_LARGE_BYTES = { here: 128 * MIB, far: 64 * MIB };
const QUICK_COUNT = 200;
const QUICK_COUNT_OF_LARGER = 20;

/** The same work with fewer and smaller objects. Its figures are no results. */
export function quickened(workload: DataWorkload): DataWorkload {
  const { count, sizeBytes } = workload.objects;
  const most = sizeBytes >= MIB ? QUICK_COUNT_OF_LARGER : QUICK_COUNT;
  const largest = workload.link === undefined ? QUICK_LARGE_BYTES.here : QUICK_LARGE_BYTES.far;
  return { ...workload, objects: { count: Math.min(count, most), sizeBytes: Math.min(sizeBytes, largest) } };
}

/** What a quick run measures where no workload is named: every kind of work once. */
export const QUICK_NAMES: readonly string[] = ["1gib-tls", "200x4mib-tls", "2000x4kib-tls", "clouds", "wan", "startup"];

/**
 * @param words names and groups; none selects all
 * @throws Error that names the word and the workloads
 */
export function selectWorkloads(words: readonly string[], all: readonly Workload[] = WORKLOADS): Workload[] {
  const isMeant = (word: string) => (workload: Workload) => workload.name === word || workload.groups.includes(word);
  for (const word of words) {
    if (all.some(isMeant(word))) continue;
    const known = [...new Set(all.flatMap(({ name, groups }) => [...groups, name]))];
    throw new Error(`there is no workload or group ${JSON.stringify(word)}; there are: ${known.join(", ")}`);
  }
  return words.length === 0 ? [...all] : all.filter((workload) => words.some((word) => isMeant(word)(workload)));
}
