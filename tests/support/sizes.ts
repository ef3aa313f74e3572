/** Sizes of explorations and of end-to-end tests. `npm run test:long` sets a larger factor. The cases stay the same. */
const FACTOR = Number(process.env.TEST_FACTOR ?? 1);

/** Scales a number of examples. */
export const times = (count: number): number => Math.ceil(count * FACTOR);

/** Selects the size of an end-to-end test. */
export const size = (normal: number, long: number): number => (FACTOR > 1 ? long : normal);
