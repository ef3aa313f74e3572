import { randomUUID } from "node:crypto";
import * as z from "zod";
import { ApiError, type TriggerRecord, type TriggerSpec } from "../contracts";
import type { OssEvent } from "../oss/contracts";
import type { DeployedFunction } from "./deployed-function";
import { invalidArgument, isName, notFound } from "./names";
import { fits, MAX_TRIGGERS_PER_BUCKET, type OssTrigger, overlap, parseJson, parseOssTrigger } from "./oss-trigger";
import type { RoleSessions } from "./role-sessions";
import { parseTimerTrigger, type TimerTrigger, timerEvent } from "./timer-trigger";
import { type Later, startTimer } from "./timers";

export interface TriggersOptions {
  accountId: string;
  sessions: RoleSessions;
  /** `https://localhost:PORT` of a region's HTTP triggers. */
  origin: (region: string) => string;
  /** Ms since the epoch. */
  now: () => number;
  later: Later;
  /** The real length of a minute of `@every`. */
  minuteMs: number | undefined;
  /** Invokes a function. Must not throw. */
  fire: (deployed: DeployedFunction, event: Buffer) => void;
}

interface Trigger {
  record: TriggerRecord;
  deployed: DeployedFunction;
  oss?: OssTrigger;
  http?: HttpTrigger;
  /** Stops the timer. */
  stop?: () => void;
}

export interface HttpTarget {
  deployed: DeployedFunction;
  trigger: HttpTrigger;
  triggerId: string;
  /** Whether the request used the intranet address. */
  intranet: boolean;
}

const INTRANET = "-vpc";

/** The triggers of all regions. */
export class Triggers {
  private readonly all = new Map<string, Trigger>();

  constructor(private readonly options: TriggersOptions) {}

  create(deployed: DeployedFunction, spec: TriggerSpec): TriggerRecord {
    if (!isName(spec.triggerName, 128))
      throw invalidArgument(`triggerName '${spec.triggerName}' must be 1 to 128 of letters, digits, _ and -`);
    if (this.find(deployed, spec.triggerName) !== undefined)
      throw new ApiError(409, "TriggerAlreadyExists", `trigger '${spec.triggerName}' already exists`);
    return this.put(deployed, spec, randomUUID());
  }

  update(deployed: DeployedFunction, triggerName: string, changes: Partial<TriggerSpec>): TriggerRecord {
    const { triggerId, functionName: _, httpTrigger: __, ...spec } = this.get(deployed, triggerName);
    for (const fixed of ["triggerName", "triggerType"] as const)
      if (changes[fixed] !== undefined && changes[fixed] !== spec[fixed]) throw invalidArgument(`${fixed} cannot be changed`);
    return this.put(deployed, { ...spec, ...changes }, triggerId);
  }

  find(deployed: DeployedFunction, triggerName: string): TriggerRecord | undefined {
    return this.all.get(keyOf(deployed, triggerName))?.record;
  }

  /** @throws ApiError `TriggerNotFound` */
  delete(deployed: DeployedFunction, triggerName: string): void {
    const key = keyOf(deployed, triggerName);
    this.all.get(key)?.stop?.();
    if (!this.all.delete(key)) throw notFound("Trigger", triggerName);
  }

  /** Stops all timers. The triggers stay. */
  stop(): void {
    for (const { stop } of this.all.values()) stop?.();
  }

  ofFunction(deployed: DeployedFunction): TriggerRecord[] {
    return [...this.all.values()].filter((trigger) => trigger.deployed === deployed).map(({ record }) => record);
  }

  /** The triggers that match an event of OSS. */
  fitting(event: OssEvent): { deployed: DeployedFunction; record: TriggerRecord }[] {
    return [...this.all.values()].filter(({ oss }) => oss !== undefined && fits(oss, event));
  }

  /** @throws ApiError `AccessDenied` when OSS may not invoke the function as the trigger's role */
  permit(deployed: DeployedFunction, invocationRole: string | undefined): void {
    if (invocationRole !== undefined)
      this.options.sessions.permit(invocationRole, "oss.aliyuncs.com", "fc:InvokeFunction", deployed.arn);
  }

  /** Finds an HTTP trigger by the first part of the URL's path. */
  findHttp(region: string, name: string): HttpTarget | undefined {
    for (const { record, deployed, http } of this.all.values()) {
      const { triggerId } = record;
      if (http === undefined || deployed.region !== region || (name !== triggerId && name !== triggerId + INTRANET)) continue;
      return { deployed, trigger: http, triggerId, intranet: name !== triggerId };
    }
    return undefined;
  }

  private get(deployed: DeployedFunction, triggerName: string): TriggerRecord {
    const record = this.find(deployed, triggerName);
    if (record === undefined) throw notFound("Trigger", triggerName);
    return record;
  }

  private put(deployed: DeployedFunction, spec: TriggerSpec, triggerId: string): TriggerRecord {
    const { record } = deployed;
    if (spec.qualifier !== "LATEST")
      throw invalidArgument(`qualifier '${spec.qualifier}' is not served here: a function has LATEST only`);
    const key = keyOf(deployed, spec.triggerName);
    const trigger = this.parse(deployed, spec, { ...spec, triggerId, functionName: record.functionName });
    this.all.get(key)?.stop?.();
    this.all.set(
      key,
      trigger.timer === undefined ? trigger : { ...trigger, ...this.start(deployed, trigger.timer, spec.triggerName) },
    );
    return trigger.record;
  }

  private parse(deployed: DeployedFunction, spec: TriggerSpec, record: TriggerRecord): Trigger & { timer?: TimerTrigger } {
    const { triggerId } = record;
    switch (spec.triggerType) {
      case "oss":
        return { record, deployed, oss: this.parseOss(deployed, spec, triggerId) };
      case "http": {
        if (deployed.record.customRuntimeConfig !== undefined)
          throw invalidArgument(`trigger '${spec.triggerName}': HTTP triggers of custom runtimes are not served here`);
        const origin = this.options.origin(deployed.region);
        const httpTrigger = { urlInternet: `${origin}/${triggerId}`, urlIntranet: `${origin}/${triggerId}${INTRANET}` };
        return { record: { ...record, httpTrigger }, deployed, http: this.parseHttp(deployed, spec, triggerId) };
      }
      case "timer":
        return { record, deployed, timer: parseTimerTrigger(spec, this.options.minuteMs) };
    }
  }

  /** Starts the timer. An interval counts from now, also after an update. */
  private start(
    deployed: DeployedFunction,
    { enabled, payload, next }: TimerTrigger,
    triggerName: string,
  ): Pick<Trigger, "stop"> {
    if (!enabled) return {};
    const { now, later, fire } = this.options;
    const sinceMs = now();
    return {
      stop: startTimer({
        next: (afterMs) => next(afterMs, sinceMs),
        now,
        later,
        fire: (dueMs) => fire(deployed, timerEvent(triggerName, payload, dueMs)),
      }),
    };
  }

  private parseOss(deployed: DeployedFunction, spec: TriggerSpec, triggerId: string): OssTrigger {
    const parsed = parseOssTrigger(spec, { region: deployed.region, accountId: this.options.accountId });
    const others = [...this.all.values()].filter(
      ({ record, oss }) => record.triggerId !== triggerId && oss?.bucket === parsed.bucket,
    );
    if (others.length >= MAX_TRIGGERS_PER_BUCKET)
      throw invalidArgument(`the bucket ${parsed.bucket} has ${MAX_TRIGGERS_PER_BUCKET} triggers, which is the limit`);
    const rival = others.find(({ oss }) => oss !== undefined && overlap(oss, parsed));
    if (rival !== undefined)
      throw invalidArgument(
        `trigger '${spec.triggerName}' and '${rival.record.triggerName}' of '${rival.record.functionName}' have an event type, prefix and suffix in common`,
      );
    this.permit(deployed, parsed.invocationRole);
    return parsed;
  }

  private parseHttp(deployed: DeployedFunction, spec: TriggerSpec, triggerId: string): HttpTrigger {
    const other = [...this.all.values()].find(
      ({ record, http, ...of }) => http !== undefined && of.deployed === deployed && record.triggerId !== triggerId,
    );
    if (other !== undefined)
      throw invalidArgument(
        `function '${deployed.record.functionName}' has the HTTP trigger '${other.record.triggerName}' already`,
      );
    return parseHttpTrigger(spec);
  }
}

const keyOf = ({ arn }: DeployedFunction, triggerName: string) => `${arn}/${triggerName}`;

/** HTTP triggers. https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/http-triggers-overview */

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
