/**
 * Fixes the seed of properties and simulations, so that every run draws the same examples and a new failure comes from a change.
 * `FAST_CHECK_SEED=random` draws other examples. `TEST_FACTOR=25` draws more. A failure prints its seed: set `FAST_CHECK_SEED` to it.
 */
import fc from "fast-check";

const { FAST_CHECK_SEED = "20261121" } = process.env;

if (FAST_CHECK_SEED !== "random") fc.configureGlobal({ seed: Number(FAST_CHECK_SEED) });
