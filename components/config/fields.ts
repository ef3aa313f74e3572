/**
 * Schemas of single settings. Each error says which values are allowed, and `meta({ allowed })` gives the same words to
 * docs/configuration.md. The sentence of a setting (`describe`) and its default stand where the setting is declared. `meta({ fallback })`
 * is the default in words, where it follows from other settings.
 */
import { z } from "zod";
import { LIMITS } from "./limits";

export const MIB = 1024 * 1024;

/** Both ends are allowed values. */
interface Bounds {
  min: number;
  max: number;
}

export const whole = ({ min, max }: Bounds, unit: string) => {
  const allowed = `${min} to ${max}`;
  const because = (why: string) => ({ error: `${why}; allowed: ${allowed}` });
  const notWhole = because(`not a whole number of ${unit}`);
  return z.number(notWhole).int(notWhole).min(min, because("too small")).max(max, because("too large")).meta({ allowed });
};

export const choice = <const T extends readonly [string, ...string[]]>(values: T) => {
  const allowed = values.join(", ");
  return z.enum(values, { error: `not one of the choices; allowed: ${allowed}` }).meta({ allowed });
};

/** One of the given numbers. Every other value gets the same error. */
export const numberChoice = (values: readonly number[], refused: string) => {
  const allowed = values.join(", ");
  const error = `${refused}; allowed: ${allowed}`;
  return z
    .number({ error })
    .refine((value) => values.includes(value), { error })
    .meta({ allowed });
};

export const flag = () => z.boolean({ error: "not a boolean; allowed: true, false" }).meta({ allowed: "true, false" });

export const text = (pattern: RegExp, allowed: string) => {
  const error = `not valid; allowed: ${allowed}`;
  return z.string({ error }).regex(pattern, { error }).meta({ allowed });
};

/** Text whose form a rule checks, because it depends on other settings. */
export const anyText = (what: string, allowed: string) =>
  z.string({ error: `not ${what}; allowed: ${allowed}` }).meta({ allowed });

/** `what` completes the errors. */
export const list = <T extends z.ZodType>(element: T, { what, max }: { what: string; max: number }) => {
  const allowed = `a list of at most ${max} ${what}`;
  const because = (why: string) => ({ error: `${why}; allowed: ${allowed}` });
  return z
    .array(element, because(`not a list of ${what}`))
    .max(max, because(`too many ${what}`))
    .meta({ allowed })
    .default([]);
};

const MAX_KEY_BYTES = LIMITS.s3Key.most;
const fitsKey = (value: string): boolean => Buffer.byteLength(value) <= MAX_KEY_BYTES;

/** Part of a key: any Unicode text that is not longer than a key. */
export const keyPart = (what: string) => {
  const error = `not a ${what}; allowed: 1 to ${MAX_KEY_BYTES} bytes of text`;
  return z.string({ error }).min(1, { error }).refine(fitsKey, { error });
};

const withinCharacters = (text: string, { min, max }: Bounds): boolean => {
  const { length } = [...text];
  return length >= min && length <= max;
};

const tagText = (what: string, bounds: Bounds) => {
  const error = `not a ${what}; allowed: ${bounds.min} to ${bounds.max} characters of text`;
  return z.string({ error }).refine((text) => withinCharacters(text, bounds), { error });
};

/** Tags that an object must have, each with its value. */
export const tags = () => {
  const most = LIMITS.s3Tags.most;
  const allowed = `at most ${most} tag names, each with a tag value`;
  const name = tagText("tag name", { min: 1, max: LIMITS.tagName.most });
  const value = tagText("tag value", { min: 0, max: LIMITS.tagValue.most });
  return z
    .record(name, value, { error: `not a map; allowed: ${allowed}` })
    .refine((wanted) => Object.keys(wanted).length <= most, {
      error: `more tags than an object can have, so no object is in scope; allowed: ${allowed}`,
    })
    .meta({ allowed })
    .default({});
};

/** The characters that each service of both clouds takes. https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html */
const TAG_CHARACTERS = /^[\p{L}\p{N}\p{Z}_.:/=+@-]*$/u;
/** The clouds keep these names for tags of their own. An address is refused by Alibaba Cloud. */
const RESERVED_TAG_NAME = /^(?:aws:|acs|aliyun|https?:\/\/)/i;
/** Alarms in Alibaba Cloud have them: the notifications read them. */
export const OWN_TAG_NAMES: readonly string[] = ["bridge", "runbook"];

const fits = (text: string, mostBytes: number): boolean =>
  TAG_CHARACTERS.test(text) && !/https?:\/\//i.test(text) && Buffer.byteLength(text) <= mostBytes;

/** Tags of resources, as every service of both clouds takes them. */
export const resourceTags = () => {
  const [count, nameBytes, valueBytes] = [LIMITS.resourceTags.most, LIMITS.resourceTagName.most, LIMITS.resourceTagValue.most];
  const characters = "letters, digits, spaces and _ . : / = + - @, no address";
  const names = `1 to ${nameBytes} bytes of ${characters}; not bridge or runbook, not beginning with aws:, acs or aliyun`;
  const values = `at most ${valueBytes} bytes of ${characters}`;
  const allowed = `at most ${count} names, each with a value`;
  const isName = (text: string) =>
    text !== "" && fits(text, nameBytes) && !RESERVED_TAG_NAME.test(text) && !OWN_TAG_NAMES.includes(text.toLowerCase());
  const nameError = `not the name of a tag; allowed: ${names}`;
  const valueError = `not the value of a tag; allowed: ${values}`;
  const name = z.string({ error: nameError }).refine(isName, { error: nameError });
  const value = z.string({ error: valueError }).refine((text) => fits(text, valueBytes), { error: valueError });
  const differ = (wanted: object) =>
    new Set(Object.keys(wanted).map((one) => one.toLowerCase())).size === Object.keys(wanted).length;
  return z
    .record(name, value, { error: `not a map; allowed: ${allowed}` })
    .refine((wanted) => Object.keys(wanted).length <= count, { error: `too many tags; allowed: ${allowed}` })
    .refine(differ, { error: "two names differ only in capital letters, which IAM takes for one; allowed: one of them" })
    .meta({ allowed })
    .default({});
};

/** How keys begin; empty text matches every key. */
export const prefix = () => {
  const allowed = `at most ${MAX_KEY_BYTES} bytes of text`;
  const error = `not a prefix; allowed: ${allowed}`;
  return z.string({ error }).refine(fitsKey, { error }).meta({ allowed }).default("");
};

/** Id of a rule that S3 keeps. It is also part of the names of what the bridge creates for the rule. */
export const ruleId = () => text(/^[\w.-]{1,128}$/, "1 to 128 of letters, digits, _ . and -");

/** A name in the form that names must have, when a few replaced characters make it one. */
const asName = (value: unknown, form: RegExp): string => {
  if (typeof value !== "string") return "";
  const name = value.toLowerCase().replace(/[_ ]/g, "-");
  return form.test(name) ? ` did you mean ${name}?` : "";
};

const BRIDGE_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

export const bridgeName = () => {
  const allowed =
    "1 to 32 of a-z, 0-9 and -, not at either end (the default is the name of the stack, or of the component in a program; set name where it does not fit)";
  const error = `not a name; allowed: ${allowed}`;
  return z
    .string({ error })
    .regex(BRIDGE_NAME, { error: ({ input }) => `not a name;${asName(input, BRIDGE_NAME)} allowed: ${allowed}` })
    .meta({ allowed });
};

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** The bucket in a URL, an ARN or a path. */
const bucketIn = (value: unknown): unknown =>
  typeof value === "string" ? value.replace(/^(?:[a-z0-9]+:\/\/|arn:[\w-]+:s3:::)/i, "").replace(/\/.*$/s, "") : value;

export const bucketName = () => {
  const allowed = "3 to 63 of a-z, 0-9, - and ., beginning and ending with a letter or digit, no .., not an IP address";
  const error = `not a bucket name; allowed: ${allowed}`;
  return z
    .string({ error })
    .regex(BUCKET_NAME, {
      error: ({ input }) => `not a bucket name;${asName(bucketIn(input), BUCKET_NAME)} allowed: ${allowed}`,
    })
    .refine((name) => !name.includes("..") && !/^\d+\.\d+\.\d+\.\d+$/.test(name), { error })
    .meta({ allowed });
};

const DOMAIN_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The host in a URL, or in front of a port. */
const hostIn = (value: unknown): unknown =>
  typeof value === "string" ? value.replace(/^https?:\/\//i, "").replace(/[:/].*$/s, "") : value;

/** OSS binds no wildcard and no domain in Chinese characters. https://www.alibabacloud.com/help/en/oss/user-guide/access-buckets-via-custom-domain-names */
export const domainName = () => {
  const allowed = "a host name in lower case, such as oss.example.com, without https:// and without a port";
  const error = `not a domain name; allowed: ${allowed}`;
  return z
    .string({ error })
    .max(253, { error })
    .regex(DOMAIN_NAME, { error: ({ input }) => `not a domain name;${asName(hostIn(input), DOMAIN_NAME)} allowed: ${allowed}` })
    .meta({ allowed });
};

const networkOf = (address: number, bits: number): number => (bits === 0 ? 0 : (address & (-1 << (32 - bits))) >>> 0);

/** Whether an IPv4 network has no bit set behind its prefix: `203.0.113.7/24` would silently allow 255 more addresses. */
function isCanonicalCidr(value: string): boolean {
  const [address = "", bits = ""] = value.split("/");
  const number = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  return networkOf(number, Number(bits)) === number;
}

export const cidr = () => {
  const error = "not an IPv4 network; allowed: a.b.c.d/n with no bit set behind the prefix, such as 203.0.113.7/32";
  return z.cidrv4({ error }).refine(isCanonicalCidr, { error });
};

/**
 * Signing secrets in the form of the Standard Webhooks specification: base64 of 24 to 64 bytes, with or without `whsec_` in front.
 * During rotation there are several, newest first, separated by spaces.
 */
function isSigningToken(value: string): boolean {
  const secrets = value.split(" ");
  return secrets.every((secret) => {
    const base64 = secret.startsWith("whsec_") ? secret.slice("whsec_".length) : secret;
    const bytes = Buffer.from(base64, "base64");
    return bytes.length >= 24 && bytes.length <= 64 && bytes.toString("base64").replace(/=+$/, "") === base64.replace(/=+$/, "");
  });
}

export const signingToken = () => {
  const allowed = "base64 of 24 to 64 random bytes (openssl rand -base64 32), several separated by one space during rotation";
  const error = `not a signing secret; allowed: ${allowed}`;
  const { most } = LIMITS.secretValue;
  return z
    .string({ error })
    .refine(isSigningToken, { error })
    .max(most, {
      error: `longer than ${most} characters together, and a parameter of SSM or OOS holds no more; allowed: fewer secrets`,
    })
    .meta({ allowed });
};
