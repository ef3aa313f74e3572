/** Calls a provider over gRPC, as the engine does. */
import * as grpc from "@grpc/grpc-js";
import * as services from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { decode, encode, type Properties } from "../../../local/provider/values";

type Method<Q, A> = (request: Q, callback: (error: grpc.ServiceError | null, answer: A) => void) => unknown;

export class ProviderClient {
  private readonly client: services.ResourceProviderClient;

  /** Opens a new connection, as the engine does for each explicit provider. */
  constructor(port: number) {
    this.client = new services.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  close(): void {
    this.client.close();
  }

  async configure(config: Properties): Promise<void> {
    const request = new proto.ConfigureRequest();
    request.setArgs(encode(config));
    await this.ask<proto.ConfigureRequest, proto.ConfigureResponse>(this.client.configure, request);
  }

  async check(type: string, news: Properties, options: { name?: string; olds?: Properties; seed?: string } = {}) {
    const request = new proto.CheckRequest();
    request.setUrn(urnOf(type, options.name));
    request.setNews(encode(news));
    request.setOlds(encode(options.olds ?? {}));
    request.setRandomseed(Buffer.from(options.seed ?? "seed"));
    const answer = await this.ask<proto.CheckRequest, proto.CheckResponse>(this.client.check, request);
    return {
      inputs: decode(answer.getInputs()),
      failures: answer.getFailuresList().map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() })),
    };
  }

  async diff(type: string, oldInputs: Properties, news: Properties) {
    const request = new proto.DiffRequest();
    request.setUrn(urnOf(type));
    request.setId("id");
    request.setOldInputs(encode(oldInputs));
    request.setOlds(encode(oldInputs));
    request.setNews(encode(news));
    const answer = await this.ask<proto.DiffRequest, proto.DiffResponse>(this.client.diff, request);
    return {
      changes: answer.getChanges(),
      diffs: answer.getDiffsList(),
      replaces: answer.getReplacesList(),
      deleteBeforeReplace: answer.getDeletebeforereplace(),
    };
  }

  async create(type: string, inputs: Properties, preview: boolean) {
    const request = new proto.CreateRequest();
    request.setUrn(urnOf(type));
    request.setProperties(encode(inputs));
    request.setPreview(preview);
    const answer = await this.ask<proto.CreateRequest, proto.CreateResponse>(this.client.create, request);
    return { id: answer.getId(), outputs: decode(answer.getProperties()) };
  }

  async invoke(token: string, args: Properties) {
    const request = new proto.InvokeRequest();
    request.setTok(token);
    request.setArgs(encode(args));
    const answer = await this.ask<proto.InvokeRequest, proto.InvokeResponse>(this.client.invoke, request);
    return { result: decode(answer.getReturn()), failures: answer.getFailuresList().map((one) => one.getReason()) };
  }

  private ask<Q, A>(method: unknown, request: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      (method as Method<Q, A>).call(this.client, request, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
  }
}

function urnOf(type: string, name = "thing"): string {
  return `urn:pulumi:dev::project::crossborder:index:CrossBorderBridge$${type}::${name}`;
}
