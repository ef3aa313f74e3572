/** HTTP triggers. https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/http-triggers-overview */
import * as z from "zod";
import type { TriggerSpec } from "../contracts";
import { invalidArgument } from "./names";
import { parseJson } from "./oss-trigger";

const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"] as const;

const configSchema = z.strictObject({
  authType: z.enum(["anonymous", "function", "jwt"]),
  methods: z.array(z.enum(METHODS)).min(1),
  disableURLInternet: z.boolean().default(false),
});

export interface HttpTrigger {
  methods: ReadonlySet<string>;
  disableUrlInternet: boolean;
}

/** @throws ApiError `InvalidArgument`, also for kinds of authentication that are not served here */
export function parseHttpTrigger(spec: TriggerSpec): HttpTrigger {
  const refuse = (message: string) => invalidArgument(`trigger '${spec.triggerName}': ${message}`);
  const parsed = configSchema.safeParse(parseJson(spec.triggerConfig, refuse));
  if (!parsed.success) throw refuse(`triggerConfig: ${z.prettifyError(parsed.error)}`);
  const { authType, methods, disableURLInternet } = parsed.data;
  if (authType !== "anonymous") throw refuse(`authType '${authType}' is not served here: only anonymous is`);
  return { methods: new Set(methods), disableUrlInternet: disableURLInternet };
}
