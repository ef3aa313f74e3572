/**
 * Properties and simulations draw the same examples on every run, so that a failure comes from a change. `FAST_CHECK_SEED=random` draws
 * other examples, and `TEST_FACTOR=25` draws more. A failure prints its seed, which can be given here.
 */
import fc from "fast-check";

const { FAST_CHECK_SEED = "20261121" } = process.env;

if (FAST_CHECK_SEED !== "random") fc.configureGlobal({ seed: Number(FAST_CHECK_SEED) });
