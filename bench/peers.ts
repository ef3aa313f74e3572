/** The commands of the peers. */
import type { Pipeline } from "./measured";
import type { PlannedObject } from "./objects";
import { CHECKSUM_HEADER, signS3 } from "./servers/s3-request";
import type { BucketAccess } from "./servers/store-server";
import type { Tools } from "./tools";

export interface PeerTask {
  tools: Tools;
  source: BucketAccess;
  destination: BucketAccess;
  objects: readonly PlannedObject[];
  /** The checksum that the source keeps of its first object. */
  checksum: string | undefined;
  caPath: string;
  /** A folder in memory, for a peer that cannot copy from one server to another. */
  folder: string;
}

export interface Peer {
  label: string;
  /** Says which checksum the destination verifies. */
  integrity: string;
  /** The commands, one after the other. */
  steps(task: PeerTask): Pipeline[];
}

/** Large enough for every object that one PUT may carry. */
const ONE_PUT = "5G";

export const PEERS = {
  "rclone-put": {
    label: "rclone, one PUT",
    integrity: "the MD5 that the source reports as its etag, in Content-MD5: the destination verifies it",
    steps: (task) => [[rcloneCopyTo(task, ["--s3-upload-cutoff", ONE_PUT, "--multi-thread-streams", "0"])]],
  },
  "rclone-default": {
    label: "rclone, its defaults (parts)",
    integrity: "the MD5 of each part as rclone read it; nothing ties the parts to what the source stores",
    steps: (task) => [[rcloneCopyTo(task, [])]],
  },
  "rclone-16": {
    label: "rclone, 16 streams",
    integrity: "the MD5 of each part as rclone read it; nothing ties the parts to what the source stores",
    steps: (task) => [[rcloneCopyTo(task, ["--multi-thread-streams", "16", "--s3-upload-concurrency", "16"])]],
  },
  "rclone-many": {
    label: "rclone, 32 transfers",
    integrity: "the MD5 that the source reports as its etag, in Content-MD5: the destination verifies it",
    steps: (task) => [[rcloneCopy(task, ["--transfers", "32", "--checkers", "32"])]],
  },
  "s5cmd-pipe": {
    label: "s5cmd cat | pipe",
    integrity: "the MD5 and the SHA-256 of each part as s5cmd read it; nothing ties the parts to what the source stores",
    steps: (task) => [s5cmdPipe(task, [])],
  },
  "s5cmd-pipe-16": {
    label: "s5cmd cat | pipe, 16 streams",
    integrity: "the MD5 and the SHA-256 of each part as s5cmd read it; nothing ties the parts to what the source stores",
    steps: (task) => [s5cmdPipe(task, ["--concurrency", "16"])],
  },
  "s5cmd-many": {
    label: "s5cmd, through a folder",
    integrity: "the MD5 and the SHA-256 of each file as s5cmd read it; nothing ties the files to what the source stores",
    steps: (task) => s5cmdMany(task),
  },
  curl: {
    label: "curl GET | curl PUT",
    integrity: "the source's CRC-64/NVME, handed to curl: the destination verifies it",
    steps: (task) => [curlPipe(task)],
  },
} as const satisfies Record<string, Peer>;
export type PeerName = keyof typeof PEERS;

/** Copies of the first object. */
function rcloneCopyTo(task: PeerTask, options: readonly string[]): string[] {
  const { key } = onlyObject(task);
  return rclone(task, [
    "copyto",
    `source:${task.source.bucket}/${key}`,
    `destination:${task.destination.bucket}/${key}`,
    ...options,
  ]);
}

/** Copies of all objects. */
function rcloneCopy(task: PeerTask, options: readonly string[]): string[] {
  return rclone(task, ["copy", `source:${task.source.bucket}`, `destination:${task.destination.bucket}`, ...options]);
}

function rclone({ tools, source, destination }: PeerTask, args: readonly string[]): string[] {
  const remotes = { ...rcloneRemote("SOURCE", source), ...rcloneRemote("DESTINATION", destination) };
  // Without a configuration file rclone writes a notice, and with one of the user's it would read other remotes.
  return withEnvironment(remotes, [tools.rclone.path, ...args, "--config", "", "--s3-no-check-bucket", "--log-level", "ERROR"]);
}

/** https://rclone.org/docs/#environment-variables */
function rcloneRemote(name: string, { kind, region, endpoint, credentials }: BucketAccess): Record<string, string> {
  const settings: Record<string, string> = {
    TYPE: "s3",
    PROVIDER: kind === "oss" ? "Alibaba" : "Other",
    ACCESS_KEY_ID: credentials.accessKeyId,
    SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ENDPOINT: endpoint,
    REGION: region,
    FORCE_PATH_STYLE: "true",
  };
  return Object.fromEntries(Object.entries(settings).map(([setting, value]) => [`RCLONE_CONFIG_${name}_${setting}`, value]));
}

function s5cmd({ tools }: PeerTask, access: BucketAccess, args: readonly string[]): string[] {
  const { region, endpoint, credentials } = access;
  const environment = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
  };
  return withEnvironment(environment, [tools.s5cmd.path, "--endpoint-url", endpoint, "--log", "error", ...args]);
}

function s5cmdPipe(task: PeerTask, options: readonly string[]): Pipeline {
  const { source, destination } = task;
  const { key } = onlyObject(task);
  return [
    s5cmd(task, source, ["cat", ...options, `s3://${source.bucket}/${key}`]),
    s5cmd(task, destination, ["pipe", ...options, `s3://${destination.bucket}/${key}`]),
  ];
}

/** s5cmd knows one endpoint at a time, so it copies through a folder. */
function s5cmdMany(task: PeerTask): Pipeline[] {
  const { source, destination, folder } = task;
  return [
    [s5cmd(task, source, ["cp", `s3://${source.bucket}/*`, `${folder}/`])],
    [s5cmd(task, destination, ["cp", `${folder}/`, `s3://${destination.bucket}/`])],
  ];
}

/** Both requests are signed here, before the clock starts. */
function curlPipe(task: PeerTask): Pipeline {
  const { tools, source, destination, caPath, checksum } = task;
  const { key, sizeBytes } = onlyObject(task);
  if (checksum === undefined) throw new Error("the source keeps no checksum that curl could hand on");
  const read = signS3(source, { method: "GET", key });
  const write = signS3(destination, { method: "PUT", key, headers: { [CHECKSUM_HEADER]: checksum } });
  const common = [tools.curl.path, "--silent", "--show-error", "--fail", "--http1.1", "--cacert", caPath];
  return [
    [...common, ...headerOptions(read.headers), source.endpoint + read.path],
    [
      ...[...common, "--upload-file", "-", ...headerOptions(write.headers)],
      // The length is known, so the body needs no chunks; and waiting for "100 Continue" would cost a round trip.
      ...["--header", `content-length: ${sizeBytes}`, "--header", "transfer-encoding:", "--header", "expect:"],
      destination.endpoint + write.path,
    ],
  ];
}

const headerOptions = (headers: Readonly<Record<string, string>>): string[] =>
  Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);

/** `env` replaces itself with the command, so it is no process of its own in the measurement. */
const withEnvironment = (values: Readonly<Record<string, string>>, command: readonly string[]): string[] => [
  "env",
  ...Object.entries(values).map(([name, value]) => `${name}=${value}`),
  ...command,
];

function onlyObject({ objects }: PeerTask): PlannedObject {
  const [object, ...others] = objects;
  if (object === undefined || others.length > 0) throw new Error(`this peer copies one object, not ${objects.length}`);
  return object;
}
