/** A day. A server that asks for more is asked again sooner. */
const LONGEST_SECONDS = 86_400;

/**
 * Reads the header `Retry-After`: seconds, or an HTTP date.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 * @returns whole seconds from now; undefined where the header is absent or is neither
 */
export function retryAfterSeconds(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - nowMs) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(LONGEST_SECONDS, Math.max(0, seconds));
}
