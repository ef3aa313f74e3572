/** Field schemas whose error texts say what is allowed, so that a reader needs no manual. */
import { z } from "zod";

export const MIB = 1024 * 1024;

export const whole = (min: number, max: number, unit: string) => {
  const error = `not a whole number of ${unit} in range; allowed: ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

export const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `not one of the choices; allowed: ${values.join(", ")}` });

export const flag = () => z.boolean({ error: "not a boolean; allowed: true, false" });

export const text = (pattern: RegExp, allowed: string) => {
  const error = `not valid; allowed: ${allowed}`;
  return z.string({ error }).regex(pattern, { error });
};

/** Something that is part of a key: any Unicode text up to the length of a key. */
export const keyPart = (what: string) => {
  const error = `not a ${what}; allowed: 1 to 1024 bytes of text`;
  return z
    .string({ error })
    .min(1, { error })
    .refine((value) => Buffer.byteLength(value) <= 1024, { error });
};

/** Every tag must be there with its value. */
export const tags = () =>
  z
    .record(keyPart("tag name"), z.string({ error: "not text; allowed: the value the tag must have" }), {
      error: "not a map; allowed: tag name to tag value",
    })
    .default({});

/** The beginning of keys; empty for all of them. */
export const prefix = () => {
  const error = "not a prefix; allowed: at most 1024 bytes of text";
  return z
    .string({ error })
    .refine((value) => Buffer.byteLength(value) <= 1024, { error })
    .default("");
};

/** Of a rule that S3 keeps; it is also in the names of what is made for the rule. */
export const ruleId = () => text(/^[\w.-]{1,128}$/, "1 to 128 of letters, digits, _ . and -");

export const bridgeName = () =>
  text(
    /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/,
    "1 to 32 of a-z, 0-9 and -, not at either end (the stack's name is the default; set crossborderbridge:name where it does not fit)",
  );

export const bucketName = () => {
  const error =
    "not a bucket name; allowed: 3 to 63 of a-z, 0-9, - and ., beginning and ending with a letter or digit, no .., not an IP address";
  return z
    .string({ error })
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error })
    .refine((name) => !name.includes("..") && !/^\d+\.\d+\.\d+\.\d+$/.test(name), { error });
};

const networkOf = (address: number, bits: number): number => (bits === 0 ? 0 : (address & (-1 << (32 - bits))) >>> 0);

/** True for an IPv4 network with no bit set behind its prefix: `203.0.113.7/24` would silently allow 255 more addresses. */
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
 * Signing secrets as the Standard Webhooks specification writes them: base64 of 24 to 64 bytes, `whsec_` in front or not;
 * several, newest first, separated by spaces, while one replaces another.
 */
export function isSigningToken(value: string): boolean {
  const secrets = value.split(" ");
  return secrets.every((secret) => {
    const base64 = secret.startsWith("whsec_") ? secret.slice("whsec_".length) : secret;
    const bytes = Buffer.from(base64, "base64");
    return bytes.length >= 24 && bytes.length <= 64 && bytes.toString("base64").replace(/=+$/, "") === base64.replace(/=+$/, "");
  });
}

export const signingToken = () => {
  const error =
    "not a signing secret; allowed: base64 of 24 to 64 random bytes (openssl rand -base64 32), several separated by one space during rotation";
  return z.string({ error }).refine(isSigningToken, { error });
};
