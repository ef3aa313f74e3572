/** Sizes of the explorations and of the large copies. `npm run test:long` sets the factor; the kinds of cases stay the same. */
const FACTOR = Number(process.env.TEST_FACTOR ?? 1);

/** A number of examples. */
export const times = (count: number): number => Math.ceil(count * FACTOR);

/** The size of an end to end test. */
export const size = (normal: number, long: number): number => (FACTOR > 1 ? long : normal);
