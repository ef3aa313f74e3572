/** Queues over the control API. https://www.alibabacloud.com/help/en/mns/developer-reference/api-mns-open-2022-01-19-createqueue */
import type { RpcCall, RpcProduct } from "../api/rpc-api";
import { invalidParameter, type Parameters } from "../api/rpc-parameters";
import { ApiError, type MessageService, type QueueSpec } from "../contracts";
import { messageCounts } from "./operations";
import type { Queue } from "./queue";

/** https://www.alibabacloud.com/help/en/mns/developer-reference/createqueue */
const DEFAULTS: Omit<QueueSpec, "queueName"> = {
  delaySeconds: 0,
  maximumMessageSize: 65_536,
  messageRetentionPeriod: 345_600,
  visibilityTimeout: 30,
  pollingWaitSeconds: 0,
};
const PARAMETERS: Readonly<Record<string, keyof typeof DEFAULTS>> = {
  DelaySeconds: "delaySeconds",
  MaximumMessageSize: "maximumMessageSize",
  MessageRetentionPeriod: "messageRetentionPeriod",
  VisibilityTimeout: "visibilityTimeout",
  PollingWaitSeconds: "pollingWaitSeconds",
};

/** What only this API keeps. */
interface Details {
  loggingEnabled: boolean;
  tags: Map<string, string>;
}

export interface QueueApiOptions {
  accountId: string;
  messages: Pick<MessageService, "createQueue" | "updateQueue" | "deleteQueue">;
  find: (region: string, queueName: string) => Queue | undefined;
  queueNames: (region: string) => string[];
}

const succeeded = (data?: object) => ({
  ...{ Code: 200, Status: "Success", Success: true, Message: "operation success" },
  ...(data === undefined ? {} : { Data: data }),
});

export function queueApi({ accountId, messages, find, queueNames }: QueueApiOptions): RpcProduct {
  const details = new WeakMap<Queue, Details>();
  const detailsOf = (queue: Queue): Details => {
    const found = details.get(queue) ?? { loggingEnabled: false, tags: new Map<string, string>() };
    details.set(queue, found);
    return found;
  };
  const permit = (call: RpcCall, name: string) => {
    call.authorize(`mns:${call.action}`, `acs:mns:${call.region}:${accountId}:/queues/${name}`);
    return name;
  };
  const named = (call: RpcCall) => permit(call, call.parameters.required("QueueName"));
  const existing = (region: string, name: string): Queue => {
    const queue = find(region, name);
    if (queue === undefined) throw new ApiError(404, "QueueNotExist", "The queue name you provided is not exist.");
    return queue;
  };
  const describe = (queue: Queue) => {
    const { spec, createdAt, lastModifiedAt } = queue;
    const { loggingEnabled, tags } = detailsOf(queue);
    return {
      QueueName: spec.queueName,
      ...Object.fromEntries(Object.entries(PARAMETERS).map(([parameter, field]) => [parameter, spec[field]])),
      ...{ CreateTime: Math.floor(createdAt / 1000), LastModifyTime: Math.floor(lastModifiedAt / 1000) },
      ...messageCounts(queue),
      ...{ LoggingEnabled: loggingEnabled, QueueType: "normal", DlqPolicy: { Enabled: false } },
      Tags: [...tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    };
  };
  const targets = (call: RpcCall) => {
    const type = call.parameters.required("ResourceType");
    if (type !== "queue") throw invalidParameter("ResourceType", `${type} is not served here: only queue is`);
    return call.parameters.list("ResourceId").map((name) => ({ name, ...detailsOf(existing(call.region, permit(call, name))) }));
  };

  return {
    version: "2022-01-19",
    operations: {
      CreateQueue: (call) => {
        const { parameters, region } = call;
        const queueName = named(call);
        assertServed(parameters);
        const spec = { queueName, ...DEFAULTS, ...attributesOf(parameters) };
        const before = find(region, queueName);
        // As in the other API, the same queue can be created again.
        if (before !== undefined && Object.entries(spec).every(([name, value]) => before.spec[name as keyof QueueSpec] === value))
          return succeeded();
        messages.createQueue(region, spec);
        const created = detailsOf(existing(region, queueName));
        created.loggingEnabled = parameters.flag("EnableLogging") ?? false;
        for (const [key, value] of tagsOf(parameters)) created.tags.set(key, value);
        return succeeded();
      },
      GetQueueAttributes: (call) => succeeded(describe(existing(call.region, named(call)))),
      SetQueueAttributes: (call) => {
        const { parameters, region } = call;
        const name = named(call);
        assertServed(parameters);
        const queue = existing(region, name);
        messages.updateQueue(region, name, attributesOf(parameters));
        detailsOf(queue).loggingEnabled = parameters.flag("EnableLogging") ?? detailsOf(queue).loggingEnabled;
        return succeeded();
      },
      DeleteQueue: (call) => {
        const name = named(call);
        if (find(call.region, name) !== undefined) messages.deleteQueue(call.region, name);
        return succeeded();
      },
      ListQueue: (call) => {
        permit(call, "*");
        const part = call.parameters.text("QueueName") ?? "";
        const names = queueNames(call.region).filter((name) => name.includes(part));
        const [page, size] = [call.parameters.whole("PageNum") ?? 1, call.parameters.whole("PageSize") ?? 10];
        const PageData = names.slice((page - 1) * size, page * size).map((name) => describe(existing(call.region, name)));
        return succeeded({ PageData, PageNum: page, PageSize: size, Size: PageData.length, Total: names.length });
      },
      TagResources: (call) => {
        const added = tagsOf(call.parameters);
        for (const { tags } of targets(call)) for (const [key, value] of added) tags.set(key, value);
        return undefined;
      },
      UntagResources: (call) => {
        const keys = call.parameters.list("TagKey");
        for (const { tags } of targets(call)) for (const key of keys) tags.delete(key);
        return undefined;
      },
      ListTagResources: (call) => {
        const TagResource = targets(call).flatMap(({ name, tags }) =>
          [...tags].map(([TagKey, TagValue]) => ({ ResourceType: "queue", ResourceId: name, TagKey, TagValue })),
        );
        return { TagResources: { TagResource } };
      },
    },
  };
}

const attributesOf = (parameters: Parameters): Partial<typeof DEFAULTS> =>
  Object.fromEntries(
    Object.entries(PARAMETERS)
      .map(([parameter, field]) => [field, parameters.whole(parameter)])
      .filter(([, value]) => value !== undefined),
  );

function assertServed(parameters: Parameters): void {
  if ((parameters.text("QueueType") ?? "normal") !== "normal") throw invalidParameter("QueueType", "only normal is served here");
  if (/"Enabled"\s*:\s*"?true/i.test(parameters.text("DlqPolicy") ?? ""))
    throw invalidParameter("DlqPolicy", "dead letters of a queue are not served here");
}

const tagsOf = (parameters: Parameters): [string, string][] =>
  parameters.objects("Tag", ["Key", "Value"]).map(({ Key = "", Value = "" }) => [Key, Value]);
