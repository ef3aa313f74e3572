/** Concurrent Lambda executions that a mocked account allows, by region: a number, or the error of the call. 1,000 where there is none. */
export const lambdaQuotas = new Map<string, number | Error>();
