/**
 * Properties and simulations draw the same examples on every run, so that a failure is a change's own. `FAST_CHECK_SEED=random` draws
 * others, and with `SIMULATION_RUNS` many more; a failure names its seed, which can be given here.
 */
import fc from "fast-check";

const { FAST_CHECK_SEED = "20261121" } = process.env;

if (FAST_CHECK_SEED !== "random") fc.configureGlobal({ seed: Number(FAST_CHECK_SEED) });
