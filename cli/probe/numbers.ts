/** `12,345` */
export const grouped = (value: number): string => value.toLocaleString("en-US");

/** `1 object`, `2 objects` */
export const counted = (count: number, one: string, many = `${one}s`): string => `${grouped(count)} ${count === 1 ? one : many}`;
