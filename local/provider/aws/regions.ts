/** The `region` of a resource. It may differ from the provider's region within the partition. */
import type { LocalPartition } from "../../aws/local-aws";
import type { ResourceType } from "../resource-type";
import type { Failure } from "../schema";
import type { Properties } from "../values";
import { type Clients, makeClients } from "./clients";
import type { AwsContext } from "./context";
import { partitionOf } from "./partitions";

export function* regionFailures({ region }: Properties, context: AwsContext): Generator<Failure> {
  if (typeof region !== "string") return;
  const partition = partitionOf(region);
  if (partition !== context.partition) {
    const reason = `region ${region} is in the partition ${partition}, but this provider is in ${context.partition}`;
    yield { property: "region", reason };
  }
}

/** The same type, with the clients of the region that its inputs name. */
export function inItsRegion(type: ResourceType<AwsContext>): ResourceType<AwsContext> {
  const { check, update, verifyUnchanged } = type;
  return {
    ...type,
    check: check && ((inputs, context) => check(inputs, at(context, inputs))),
    create: (context, inputs) => type.create(at(context, inputs), inputs),
    read: (context, id, inputs) => type.read(at(context, inputs), id, inputs),
    update: update && ((context, id, news, olds) => update(at(context, news), id, news, olds)),
    delete: (context, id, inputs) => type.delete(at(context, inputs), id, inputs),
    verifyUnchanged:
      verifyUnchanged && ((context, id, inputs, outputs) => verifyUnchanged(at(context, inputs), id, inputs, outputs)),
  };
}

function at(context: AwsContext, { region }: Properties): AwsContext {
  if (typeof region !== "string" || region === context.region) return context;
  const { cloud } = context;
  return { ...context, region, cloud: cloud && { ...cloud, clients: clientsIn(cloud.partition, region) } };
}

const known = new WeakMap<LocalPartition, Map<string, Clients>>();

function clientsIn(partition: LocalPartition, region: string): Clients {
  const ofPartition = known.get(partition) ?? new Map<string, Clients>();
  known.set(partition, ofPartition);
  const clients = ofPartition.get(region) ?? makeClients(partition, region);
  ofPartition.set(region, clients);
  return clients;
}
