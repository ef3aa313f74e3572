import type { Deadline, Logger } from "../protocol/ports";
import { type ProbeRequest, probeRequestSchema } from "../protocol/probe";
import type { ProbeAnswer, Prober } from "../roles/prober/prober";

export interface ProberHandlerDeps {
  prober: Prober;
  /** When a schedule was due; undefined for an event that no schedule sent. Throws an Error that names what does not fit. */
  scheduledMs(event: unknown): number | undefined;
  logger: Logger;
  flush(): void;
}

/**
 * Takes a request, or what the platform's schedule sends, as text or as what JSON.parse made of it. What it throws is the answer to who
 * asked; a schedule's event comes back.
 */
export function createProberHandler({ prober, scheduledMs, logger, flush }: ProberHandlerDeps) {
  return async (received: unknown, context: Deadline): Promise<ProbeAnswer | undefined> => {
    try {
      const event = typeof received === "string" ? parseJson(received) : received;
      const dueMs = scheduledMs(event);
      if (dueMs === undefined) return await prober.handle(parseRequest(event), context);
      await prober.canary(dueMs, context);
      return undefined;
    } catch (error) {
      logger.error("the prober failed", { error });
      throw error;
    } finally {
      flush();
    }
  };
}

function parseRequest(event: unknown): ProbeRequest {
  const parsed = probeRequestSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "(root)"}: ${message}`);
  throw new Error(`the prober's request does not fit: ${problems.join("; ")}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("the prober's event is not JSON");
  }
}
