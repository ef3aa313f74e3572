/**
 * Schemas of single settings. Each error says which values are allowed, and `meta({ allowed })` gives the same words to
 * docs/configuration.md. The sentence of a setting (`describe`) and its default stand where the setting is declared. `meta({ fallback })`
 * is the default in words, where it follows from other settings.
 */
import { z } from "zod";

export const MIB = 1024 * 1024;

/** Both ends are allowed values. */
interface Bounds {
  min: number;
  max: number;
}

export const whole = ({ min, max }: Bounds, unit: string) => {
  const allowed = `${min} to ${max}`;
  const error = `not a whole number of ${unit} in range; allowed: ${allowed}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error }).meta({ allowed });
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

/** `what` completes the error; a longer list or another type gets the same text. */
export const list = <T extends z.ZodType>(element: T, { what, max }: { what: string; max: number }) => {
  const allowed = `a list of at most ${max}`;
  const error = `not a list of ${what}; allowed: ${allowed}`;
  return z.array(element, { error }).max(max, { error }).meta({ allowed }).default([]);
};

/** The error of a list that is too long is zod's own. */
export const shortList = <T extends z.ZodType>(element: T, { what, max }: { what: string; max: number }) => {
  const allowed = `a list of ${what}`;
  return z
    .array(element, { error: `not a list; allowed: ${allowed}` })
    .max(max)
    .meta({ allowed })
    .default([]);
};

const MAX_KEY_BYTES = 1024;
const fitsKey = (value: string): boolean => Buffer.byteLength(value) <= MAX_KEY_BYTES;

/** Part of a key: any Unicode text that is not longer than a key. */
export const keyPart = (what: string) => {
  const error = `not a ${what}; allowed: 1 to ${MAX_KEY_BYTES} bytes of text`;
  return z.string({ error }).min(1, { error }).refine(fitsKey, { error });
};

/** Tags that an object must have, each with its value. */
export const tags = () => {
  const allowed = "tag name to tag value";
  return z
    .record(keyPart("tag name"), z.string({ error: "not text; allowed: the value the tag must have" }), {
      error: `not a map; allowed: ${allowed}`,
    })
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

export const bridgeName = () =>
  text(
    /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/,
    "1 to 32 of a-z, 0-9 and -, not at either end (the stack's name is the default; set crossborderbridge:name where it does not fit)",
  );

export const bucketName = () => {
  const allowed = "3 to 63 of a-z, 0-9, - and ., beginning and ending with a letter or digit, no .., not an IP address";
  const error = `not a bucket name; allowed: ${allowed}`;
  return z
    .string({ error })
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error })
    .refine((name) => !name.includes("..") && !/^\d+\.\d+\.\d+\.\d+$/.test(name), { error })
    .meta({ allowed });
};

/** OSS binds no wildcard and no domain in Chinese characters. https://www.alibabacloud.com/help/en/oss/user-guide/access-buckets-via-custom-domain-names */
export const domainName = () => {
  const allowed = "a host name in lower case, such as oss.example.com, without https:// and without a port";
  const error = `not a domain name; allowed: ${allowed}`;
  return z
    .string({ error })
    .max(253, { error })
    .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, { error })
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
  return z.string({ error }).refine(isSigningToken, { error }).meta({ allowed });
};
