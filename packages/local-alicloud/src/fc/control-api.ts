/** The control API of Function Compute 3.0, in ROA style. https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/developer-reference/api-fc-2023-03-30-overview */
import * as z from "zod";
import {
  type ApiAnswer,
  type ApiCall,
  ApiError,
  type ApiHandler,
  type FunctionCompute,
  type FunctionRecord,
  type TriggerRecord,
} from "../contracts";
import { asyncConfigFields, concurrencyFields, type Details, functionFields, triggerFields } from "./control-answers";
import {
  asyncConfigOf,
  concurrencyInput,
  functionChanges,
  functionSpec,
  parseBody,
  tagsInput,
  triggerChanges,
  triggerSpec,
} from "./control-inputs";
import { decodeName, invalidArgument, notFound } from "./names";

export const FC_VERSION = "2023-03-30";

type Service = Omit<
  FunctionCompute,
  "api" | "idle" | "stop" | "workers" | "logs" | "logEntries" | "deliver" | "invoke" | "invokeAsync"
>;

export interface ControlApiOptions {
  fc: Service;
  /** The ARN of a function in RAM. */
  arn: (region: string, functionName: string) => string;
  functionNames: (region: string) => string[];
  triggersOf: (region: string, functionName: string) => TriggerRecord[];
  /** Ms since the epoch. */
  now: () => number;
  /** Answers InvokeFunction. */
  invoke: ApiHandler;
}

/** Handles a request of a path's first and second name, e.g. of the function and the trigger. */
type Operation = (call: ApiCall, first: string, second: string) => ApiAnswer | Promise<ApiAnswer>;

interface Route {
  /** The part after the version; a group is a name. */
  path: RegExp;
  /** By method. The RAM action is `fc:<name>`. */
  operations: Readonly<Record<string, [name: string, Operation]>>;
}

const NO_CONTENT: ApiAnswer = { status: 204 };
const ok = (body: object): ApiAnswer => ({ status: 200, body });

export function controlApi(options: ControlApiOptions): ApiHandler {
  const details = new DetailStore(options.now);
  const routes = [
    ...functionRoutes(options, details),
    ...triggerRoutes(options, details),
    ...configRoutes(options, details),
    tagRoute(options, details),
  ];
  const prefix = `/${FC_VERSION}/`;
  return async (call) => {
    if (call.path.endsWith("/invocations")) return options.invoke(call);
    const tail = call.path.startsWith(prefix) ? call.path.slice(prefix.length) : "";
    for (const { path, operations } of routes) {
      const match = path.exec(tail);
      const found = match === null || !Object.hasOwn(operations, call.method) ? undefined : operations[call.method];
      if (match === null || found === undefined) continue;
      const [first, second] = [match[1] ?? "", match[2] ?? ""].map(decodeName) as [string, string];
      if (first !== "") call.authorize(`fc:${found[0]}`, options.arn(call.region, first));
      return found[1](call, first, second);
    }
    throw new ApiError(400, "PathNotSupported", `'${call.method}' against '${call.path}' is not supported`);
  };
}

const NAME = "([^/]+)";

function existing(fc: Service, region: string, name: string): FunctionRecord {
  const found = fc.getFunction(region, name);
  if (found === undefined) throw notFound("Function", name);
  return found;
}

function functionRoutes({ fc, arn, functionNames }: ControlApiOptions, details: DetailStore): Route[] {
  const answer = (region: string, name: string) => {
    const record = existing(fc, region, name);
    return ok(functionFields(record, details.of(record.functionId)));
  };
  return [
    {
      path: /^functions$/,
      operations: {
        POST: [
          "CreateFunction",
          async (call) => {
            const { spec, tags } = functionSpec(call.body);
            call.authorize("fc:CreateFunction", arn(call.region, spec.functionName));
            if (spec.role !== undefined) call.authorize("ram:PassRole", spec.role);
            const { functionId } = await fc.createFunction(call.region, spec);
            for (const [key, value] of tags) details.of(functionId).tags.set(key, value);
            return answer(call.region, spec.functionName);
          },
        ],
        GET: [
          "ListFunctions",
          ({ region, query, authorize }) => {
            authorize("fc:ListFunctions", arn(region, "*"));
            const prefix = query.get("prefix") ?? "";
            const names = functionNames(region)
              .filter((name) => name.startsWith(prefix))
              .sort();
            const { page, nextToken } = paged(names, query);
            return ok({ functions: page.map((name) => answer(region, name).body), ...nextToken });
          },
        ],
      },
    },
    {
      path: new RegExp(`^functions/${NAME}$`),
      operations: {
        GET: [
          "GetFunction",
          ({ region, query }, name) => {
            assertLatest(query);
            return answer(region, name);
          },
        ],
        PUT: [
          "UpdateFunction",
          async (call, name) => {
            const changes = functionChanges(call.body);
            if (changes.role !== undefined) call.authorize("ram:PassRole", changes.role);
            await fc.updateFunction(call.region, name, changes);
            return answer(call.region, name);
          },
        ],
        DELETE: [
          "DeleteFunction",
          async ({ region }, name) => {
            await fc.deleteFunction(region, name);
            return NO_CONTENT;
          },
        ],
      },
    },
  ];
}

function triggerRoutes({ fc, triggersOf }: ControlApiOptions, details: DetailStore): Route[] {
  const answer = (region: string, trigger: TriggerRecord) =>
    ok(triggerFields(trigger, existing(fc, region, trigger.functionName).functionArn, details.of(trigger.triggerId)));
  return [
    {
      path: new RegExp(`^functions/${NAME}/triggers$`),
      operations: {
        POST: ["CreateTrigger", ({ region, body }, name) => answer(region, fc.createTrigger(region, name, triggerSpec(body)))],
        GET: [
          "ListTriggers",
          ({ region, query }, name) => {
            const { page, nextToken } = paged(triggersOf(region, name), query);
            return ok({ triggers: page.map((trigger) => answer(region, trigger).body), ...nextToken });
          },
        ],
      },
    },
    {
      path: new RegExp(`^functions/${NAME}/triggers/${NAME}$`),
      operations: {
        GET: [
          "GetTrigger",
          ({ region }, name, triggerName) => {
            existing(fc, region, name);
            const found = fc.getTrigger(region, name, triggerName);
            if (found === undefined) throw notFound("Trigger", triggerName);
            return answer(region, found);
          },
        ],
        PUT: [
          "UpdateTrigger",
          ({ region, body }, name, triggerName) => {
            const changed = fc.updateTrigger(region, name, triggerName, triggerChanges(body));
            details.touch(changed.triggerId);
            return answer(region, changed);
          },
        ],
        DELETE: [
          "DeleteTrigger",
          ({ region }, name, triggerName) => {
            fc.deleteTrigger(region, name, triggerName);
            return NO_CONTENT;
          },
        ],
      },
    },
  ];
}

function configRoutes({ fc, arn }: ControlApiOptions, details: DetailStore): Route[] {
  const asyncId = (region: string, name: string) => `${existing(fc, region, name).functionId}/async`;
  const asyncAnswer = (region: string, name: string) => {
    existing(fc, region, name);
    const config = fc.getAsyncInvokeConfig(region, name);
    if (config === undefined)
      throw new ApiError(404, "AsyncConfigNotExists", `the function '${name}' has no asynchronous invocation configuration`);
    return ok(asyncConfigFields(config, arn(region, name), details.of(asyncId(region, name))));
  };
  const concurrencyAnswer = (region: string, name: string) => {
    existing(fc, region, name);
    const reserved = fc.getConcurrency(region, name);
    if (reserved === undefined)
      throw new ApiError(404, "OnDemandConfigNotFound", `the function '${name}' has no reserved concurrency`);
    return ok(concurrencyFields(reserved, arn(region, name)));
  };
  return [
    {
      path: new RegExp(`^functions/${NAME}/concurrency$`),
      operations: {
        PUT: [
          "PutConcurrencyConfig",
          ({ region, body }, name) => {
            fc.putConcurrency(region, name, parseBody(concurrencyInput, body).reservedConcurrency);
            return concurrencyAnswer(region, name);
          },
        ],
        GET: ["GetConcurrencyConfig", ({ region }, name) => concurrencyAnswer(region, name)],
        DELETE: [
          "DeleteConcurrencyConfig",
          ({ region }, name) => {
            fc.deleteConcurrency(region, name);
            return NO_CONTENT;
          },
        ],
      },
    },
    {
      path: new RegExp(`^functions/${NAME}/async-invoke-config$`),
      operations: {
        /** Replaces the whole configuration. */
        PUT: [
          "PutAsyncInvokeConfig",
          ({ region, query, body }, name) => {
            assertLatest(query);
            fc.putAsyncInvokeConfig(region, name, asyncConfigOf(body));
            details.touch(asyncId(region, name));
            return asyncAnswer(region, name);
          },
        ],
        GET: ["GetAsyncInvokeConfig", ({ region }, name) => asyncAnswer(region, name)],
        DELETE: [
          "DeleteAsyncInvokeConfig",
          ({ region }, name) => {
            fc.deleteAsyncInvokeConfig(region, name);
            return NO_CONTENT;
          },
        ],
      },
    },
  ];
}

/** Tags of functions, which are named by their ARNs. */
function tagRoute({ fc, arn }: ControlApiOptions, details: DetailStore): Route {
  const targets = (call: ApiCall, action: string, arns: readonly string[]) =>
    arns.map((one) => {
      const name = one.split(":functions/")[1] ?? "";
      if (one !== arn(call.region, name)) throw invalidArgument(`the resource ${one} is not a function of ${call.region}`);
      call.authorize(`fc:${action}`, one);
      return { arn: one, tags: details.of(existing(fc, call.region, name).functionId).tags };
    });
  const listed = (query: URLSearchParams, name: string) => parseBody(z.array(z.string()), Buffer.from(query.get(name) ?? "[]"));
  return {
    path: /^tags-v2$/,
    operations: {
      GET: [
        "ListTagResources",
        (call) => {
          const tagResources = targets(call, "ListTagResources", listed(call.query, "ResourceId")).flatMap(({ arn: id, tags }) =>
            [...tags].map(([TagKey, TagValue]) => ({ ResourceId: id, ResourceType: "function", TagKey, TagValue })),
          );
          return ok({ TagResources: tagResources });
        },
      ],
      POST: [
        "TagResources",
        (call) => {
          const { ResourceId, Tag } = parseBody(tagsInput, call.body);
          for (const { tags } of targets(call, "TagResources", ResourceId))
            for (const { Key, Value } of Tag) tags.set(Key, Value);
          return ok({});
        },
      ],
      DELETE: [
        "UntagResources",
        (call) => {
          const keys = listed(call.query, "TagKey");
          const all = call.query.get("All") === "true";
          for (const { tags } of targets(call, "UntagResources", listed(call.query, "ResourceId")))
            for (const key of all ? [...tags.keys()] : keys) tags.delete(key);
          return ok({});
        },
      ],
    },
  };
}

function assertLatest(query: URLSearchParams): void {
  const qualifier = query.get("qualifier") ?? "LATEST";
  if (qualifier !== "LATEST") throw invalidArgument(`qualifier '${qualifier}' is not served here: a function has LATEST only`);
}

const DEFAULT_LIMIT = 20;

/** The token is the index of the next one. */
function paged<T>(all: readonly T[], query: URLSearchParams): { page: T[]; nextToken: { nextToken?: string } } {
  const limit = Number(query.get("limit") ?? DEFAULT_LIMIT);
  const from = Number(query.get("nextToken") ?? 0);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) throw invalidArgument("limit must be 1 to 100");
  if (!Number.isInteger(from) || from < 0) throw invalidArgument("nextToken is not one of this list");
  const next = from + limit;
  return { page: all.slice(from, next), nextToken: next < all.length ? { nextToken: String(next) } : {} };
}

/** What only this API keeps, by the unique id of a function or trigger. */
class DetailStore {
  private readonly kept = new Map<string, Details>();

  constructor(private readonly now: () => number) {}

  of(id: string): Details {
    const at = new Date(this.now()).toISOString();
    const found = this.kept.get(id) ?? { tags: new Map<string, string>(), createdTime: at, lastModifiedTime: at };
    this.kept.set(id, found);
    return found;
  }

  touch(id: string): void {
    this.of(id).lastModifiedTime = new Date(this.now()).toISOString();
  }
}
