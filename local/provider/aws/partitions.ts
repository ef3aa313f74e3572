import type { Partition } from "../../aws/ministack";
import type { Failure } from "../schema";
import { mapStrings, type Properties } from "../values";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export const PARTITION_FACTS = {
  aws: { dnsSuffix: "amazonaws.com", reverseDnsPrefix: "com.amazonaws" },
  "aws-cn": { dnsSuffix: "amazonaws.com.cn", reverseDnsPrefix: "cn.com.amazonaws" },
} as const;

export function partitionOf(region: string): Partition {
  if (/^us-(gov|iso|isob|isof)-/.test(region) || /^eu-isoe-/.test(region)) {
    throw new Error(`region ${region}: the local cloud has the partitions aws and aws-cn only`);
  }
  return region.startsWith("cn-") ? "aws-cn" : "aws";
}

const prefixOf = (partition: Partition) => `arn:${partition}:`;
const EMULATED = prefixOf("aws");

/** The emulator has ARNs of one partition only. */
export function toEmulator<T>(value: T): T {
  return mapStrings(value, (text) => text.replaceAll(prefixOf("aws-cn"), EMULATED)) as T;
}

export function fromEmulator<T>(value: T, partition: Partition): T {
  if (partition === "aws") return value;
  return mapStrings(value, (text) => text.replaceAll(EMULATED, prefixOf(partition))) as T;
}

/** Inputs that are free text for AWS. They may contain an ARN of the other partition. */
const FREE_TEXT = new Set(["environment", "description", "tags", "tagsAll", "value", "insecureValue"]);

/** AWS refuses ARNs of another partition. The emulator sees translated ARNs, so it cannot check this. */
export function* foreignArns(inputs: Properties, partition: Partition): Iterable<Failure> {
  const other = partition === "aws" ? "aws-cn" : "aws";
  for (const [name, value] of Object.entries(inputs)) {
    if (FREE_TEXT.has(name)) continue;
    const found: string[] = [];
    mapStrings(value, (text) => {
      if (text.includes(prefixOf(other))) found.push(text);
      return text;
    });
    if (found.length > 0) {
      yield {
        property: name,
        reason: `${name} names an ARN of the partition ${other}, but this provider is in ${partition}: ${found[0]}`,
      };
    }
  }
}
