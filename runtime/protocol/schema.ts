/**
 * Schemas of everything that a function reads: zod's small form, with its English texts. The full form costs a function more time to start than all
 * other checks together.
 */
import { config, int, minimum, minLength, nonnegative, string } from "zod/mini";
import { en } from "zod/v4/locales";

config(en());

export * from "zod/mini";

/** A text that is not empty. */
export const filledText = string().check(minLength(1));
/** 0, 1, 2 and so on: a count, bytes, milliseconds. */
export const count = int().check(nonnegative());
export const atLeastOne = int().check(minimum(1));
