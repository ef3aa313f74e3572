/** Rules about the beginnings and ends of keys: texts that select no object, or that a store cannot hold. */
import { CONTROL_PREFIX, inControlPrefix } from "../../runtime/protocol/control";
import { type Cloud, isAws } from "./clouds";
import { type Rule, type Violation, when } from "./define-rule";
import { LIMITS } from "./limits";
import type { LenientConfig } from "./schema";

interface KeyText {
  path: readonly PropertyKey[];
  text: string;
}

const prefixesOf = ({ scope, replication, destination }: LenientConfig): KeyText[] => [
  ...scope.prefixes.map((text, index) => ({ path: ["scope", "prefixes", index], text })),
  ...replication.rules.map(({ prefix }, index) => ({ path: ["replication", "rules", index, "prefix"], text: prefix })),
  { path: ["destination", "prefix"], text: destination?.prefix ?? "" },
  ...(destination?.lifecycle ?? []).map(({ prefix }, index) => ({
    path: ["destination", "lifecycle", index, "prefix"],
    text: prefix,
  })),
];

const suffixesOf = ({ scope }: LenientConfig): KeyText[] =>
  scope.suffixes.map((text, index) => ({ path: ["scope", "suffixes", index], text }));

/** The URL or the ARN of a bucket, up to the key. A host that begins with the service has the bucket in the path. */
const BUCKET_URL = new RegExp(
  [
    "(?:s3[an]?|oss)://[^/]*/?",
    "arn:[\\w-]+:s3:::[^/]*/?",
    "acs:oss:[^/]*/?",
    "https?://(?:s3|oss)[.-][^/]*(?:amazonaws|aliyuncs)\\.com[^/]*/[^/]*/?",
    "https?://[^/]*(?:amazonaws|aliyuncs)\\.com[^/]*/?",
  ]
    .map((form) => `^${form}`)
    .join("|"),
  "i",
);

/** A `*` inside a name may be part of a key. At these places it is a pattern. */
const PREFIX_PATTERN = /\*$|\*\*|\*\//;
const SUFFIX_PATTERN = /^\*|\*\*|\/\*/;

const meant = (text: string, [section]: readonly PropertyKey[], where: "begin" | "end"): string => {
  if (text !== "") return `did you mean ${JSON.stringify(text)}? allowed: the text that keys ${where} with`;
  return section === "scope" ? "allowed: leave it out, because every key is in scope without it" : "allowed: leave it out";
};

function misreadPrefix({ path, text }: KeyText): Violation[] {
  const rest = text.replace(BUCKET_URL, "");
  // A regular expression begins with ^, and .* in it is what * is in a pattern.
  const plain = rest.replace(/^\^(.*?)\.?\*.*$/s, "$1").replace(/\*.*$/s, "");
  if (rest !== text)
    return when(true, path, `it has the address of a bucket, which is no part of a key; ${meant(plain, path, "begin")}`);
  return when(
    PREFIX_PATTERN.test(text),
    path,
    `it looks like a pattern, but keys are compared with it as plain text; ${meant(plain, path, "begin")}`,
  );
}

const misreadSuffix = ({ path, text }: KeyText): Violation[] =>
  when(
    SUFFIX_PATTERN.test(text),
    path,
    `it looks like a pattern, but keys are compared with it as plain text; ${meant(text.replace(/^.*\*/s, ""), path, "end")}`,
  );

const plainText: Rule = (config) => [...prefixesOf(config).flatMap(misreadPrefix), ...suffixesOf(config).flatMap(misreadSuffix)];

const controlPrefix: Rule = (config) =>
  prefixesOf(config).flatMap(({ path, text }) =>
    when(
      inControlPrefix(text),
      path,
      `reserved for the bridge's own records; allowed: anything that does not begin with ${CONTROL_PREFIX}`,
    ),
  );

const storeOf = (cloud: Cloud | undefined) =>
  cloud === "alicloud" ? { name: "OSS", most: LIMITS.ossKey.most } : { name: "S3", most: LIMITS.s3Key.most };

const MAX_DESTINATION_PREFIX_BYTES = 512;

const lengths: Rule = ({ source, destination, scope }) => {
  const [from, to] = [storeOf(source?.cloud), storeOf(destination?.cloud)];
  const added = Buffer.byteLength(destination?.prefix ?? "");
  const tooLong = when(
    added > MAX_DESTINATION_PREFIX_BYTES,
    ["destination", "prefix"],
    `${added} bytes, which leave no room for keys; allowed: at most ${MAX_DESTINATION_PREFIX_BYTES} bytes`,
  );
  const prefixes = scope.prefixes.flatMap((prefix, index) => {
    const path = ["scope", "prefixes", index];
    const bytes = Buffer.byteLength(prefix);
    if (bytes > from.most)
      return when(
        true,
        path,
        `${bytes} bytes, and a key in ${from.name} has at most ${from.most}, so no object is in scope; allowed: a shorter prefix`,
        ["source", "cloud"],
      );
    return when(
      added <= MAX_DESTINATION_PREFIX_BYTES && bytes + added > to.most,
      path,
      `at the destination such a key has ${bytes + added} bytes or more, with destination.prefix, and a key in ${to.name} has at most ${to.most}; ` +
        `allowed: at most ${to.most - added} bytes, or a shorter destination.prefix`,
      ["destination", "prefix"],
      ["destination", "cloud"],
    );
  });
  return [...tooLong, ...prefixes];
};

const beginsAsNoOssKey = (text: string | undefined): boolean => text !== undefined && /^[/\\]/.test(text);

const ossBeginnings: Rule = ({ source, destination, scope }) => {
  const none = "OSS holds no key that begins with / or \\";
  const prefixed = (destination?.prefix ?? "") !== "";
  const [inScope, why, allowed] =
    source?.cloud === "alicloud"
      ? [true, "so no object is in scope", "the prefix without / or \\ in front"]
      : [
          destination?.cloud === "alicloud" && !prefixed,
          "so every object would be parked",
          "a destination.prefix in front of it",
        ];
  return [
    ...when(
      destination?.cloud === "alicloud" && beginsAsNoOssKey(destination.prefix),
      ["destination", "prefix"],
      `${none}; allowed: the prefix without / or \\ in front`,
      ["destination", "cloud"],
    ),
    ...scope.prefixes.flatMap((prefix, index) =>
      when(
        inScope && beginsAsNoOssKey(prefix),
        ["scope", "prefixes", index],
        `${none}, ${why}; allowed: ${allowed}`,
        ["source", "cloud"],
        ["destination", "cloud"],
      ),
    ),
  ];
};

/** Whether `..` in the complete segments of a prefix leads above its first segment, so that it does in every key that begins with it. */
function leadsOut(prefix: string): boolean {
  let depth = 0;
  for (const segment of prefix.split("/").slice(0, -1)) {
    if (segment === "..") depth -= 1;
    else if (segment !== "" && segment !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

const s3Paths: Rule = ({ source, destination, scope }) => {
  const none = "S3 holds no key in which .. leads above the first segment";
  const added = destination?.prefix ?? "";
  return [
    ...when(isAws(destination?.cloud) && leadsOut(added), ["destination", "prefix"], `${none}; allowed: the prefix without ..`, [
      "destination",
      "cloud",
    ]),
    ...scope.prefixes.flatMap((prefix, index) => {
      const fromS3 = isAws(source?.cloud) && leadsOut(prefix);
      const toS3 = isAws(destination?.cloud) && !leadsOut(added) && leadsOut(`${added}${prefix}`);
      return when(
        fromS3 || toS3,
        ["scope", "prefixes", index],
        `${none}, so ${fromS3 ? "no object is in scope" : "every object would be parked"}; allowed: the prefix without ..`,
        ["source", "cloud"],
        ["destination", "cloud"],
        ["destination", "prefix"],
      );
    }),
  ];
};

export const KEY_RULES: readonly Rule[] = [plainText, controlPrefix, lengths, ossBeginnings, s3Paths];
