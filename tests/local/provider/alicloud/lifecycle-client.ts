import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { decode, encode, type Properties } from "../../../../local/provider/values";
import { ProviderClient } from "../provider-client";

/** Private members of ProviderClient. */
interface Insides {
  client: Record<"read" | "update" | "delete", unknown>;
  ask<Q, A>(method: unknown, request: Q): Promise<A>;
}

const urnOf = (type: string) => `urn:pulumi:dev::project::${type}::thing`;

/** Also creates, reads, updates and deletes resources. */
export class LifecycleClient extends ProviderClient {
  private get insides(): Insides {
    return this as unknown as Insides;
  }

  /** Undefined when the resource does not exist. */
  async read(type: string, id: string, inputs: Properties, outputs: Properties): Promise<Properties | undefined> {
    const request = new proto.ReadRequest();
    request.setUrn(urnOf(type));
    request.setId(id);
    request.setInputs(encode(inputs));
    request.setProperties(encode(outputs));
    const answer = await this.insides.ask<proto.ReadRequest, proto.ReadResponse>(this.insides.client.read, request);
    return answer.getId() === "" ? undefined : decode(answer.getProperties());
  }

  async update(type: string, id: string, olds: Properties, news: Properties, outputs: Properties): Promise<Properties> {
    const request = new proto.UpdateRequest();
    request.setUrn(urnOf(type));
    request.setId(id);
    request.setOldInputs(encode(olds));
    request.setNews(encode(news));
    request.setOlds(encode(outputs));
    const answer = await this.insides.ask<proto.UpdateRequest, proto.UpdateResponse>(this.insides.client.update, request);
    return decode(answer.getProperties());
  }

  async delete(type: string, id: string, inputs: Properties): Promise<void> {
    const request = new proto.DeleteRequest();
    request.setUrn(urnOf(type));
    request.setId(id);
    request.setOldInputs(encode(inputs));
    await this.insides.ask(this.insides.client.delete, request);
  }
}
