/**
 * Serves a package to the Pulumi engine over gRPC: https://www.pulumi.com/docs/reference/pulumi-internals/. The engine
 * attaches to it through `PULUMI_DEBUG_PROVIDERS=<package>:<port>`.
 */
import * as grpc from "@grpc/grpc-js";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as services from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Package } from "./resource-type";
import type { Failure } from "./schema";
import { parseConfig, Session } from "./session";
import { decode, encode, hasUnknown, type Properties, sameValue } from "./values";

export interface ServedProvider {
  /** On 127.0.0.1. */
  port: number;
  /** Closes every connection. Resolves once the port is free. */
  close(): Promise<void>;
}

export async function servePackage<C>(pack: Package<C>): Promise<ServedProvider> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(services.ResourceProviderService as unknown as grpc.ServiceDefinition, handlersOf(pack));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    close: () =>
      new Promise<void>((resolve, reject) => {
        server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
        // The engine keeps its connections open until it exits.
        server.forceShutdown();
      }),
  };
}

type Handler<Q, A> = (request: Q, peer: string) => A | Promise<A>;

/** Adapts a handler to gRPC. The engine shows the message of an error. */
function unary<Q, A>(handler: Handler<Q, A>): grpc.handleUnaryCall<Q, A> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handler(call.request, call.getPeer()))
      .then(
        (answer) => callback(null, answer),
        (error: unknown) => callback({ code: statusOf(error), details: textOf(error) }),
      );
  };
}

class Unimplemented extends Error {}

function statusOf(error: unknown): grpc.status {
  return error instanceof Unimplemented ? grpc.status.UNIMPLEMENTED : grpc.status.UNKNOWN;
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "Error" ? error.message : `${error.name}: ${error.message}`;
}

function handlersOf<C>(pack: Package<C>): grpc.UntypedServiceImplementation {
  // The engine opens one connection for each explicit provider of a program, so the peer identifies the provider.
  const sessions = new Map<string, Session<C>>();
  const sessionOf = (peer: string) => {
    const session = sessions.get(peer);
    if (session === undefined) throw new Error(`the ${pack.name} provider was not configured on this connection`);
    return session;
  };
  return {
    ...pluginHandlers(pack),
    ...configHandlers(pack, sessions),
    ...requestHandlers(sessionOf),
    ...resourceHandlers(sessionOf),
  };
}

function pluginHandlers<C>(pack: Package<C>): grpc.UntypedServiceImplementation {
  const unimplemented = unary(() => {
    throw new Unimplemented(`the local ${pack.name} provider does not have this method`);
  });
  return {
    handshake: unimplemented,
    parameterize: unimplemented,
    call: unimplemented,
    construct: unimplemented,
    getMapping: unimplemented,
    getMappings: unimplemented,
    attach: unary(() => new Empty()),
    cancel: unary(() => new Empty()),
    getSchema: unary(() => {
      const answer = new proto.GetSchemaResponse();
      answer.setSchema(JSON.stringify({ name: pack.name, version: pack.version }));
      return answer;
    }),
    getPluginInfo: unary(() => {
      const answer = new plugin.PluginInfo();
      answer.setVersion(pack.version);
      return answer;
    }),
  };
}

function configHandlers<C>(pack: Package<C>, sessions: Map<string, Session<C>>): grpc.UntypedServiceImplementation {
  return {
    checkConfig: unary((request: proto.CheckRequest) => {
      const news = decode(request.getNews());
      const failures = hasUnknown(news) ? [] : parseConfig(pack.config, news).failures;
      return checkResponse(news, failures);
    }),
    diffConfig: unary((request: proto.DiffRequest) => {
      const [olds, news] = [decode(request.getOldInputs() ?? request.getOlds()), decode(request.getNews())];
      const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
      const changed = names.filter((name) => !sameValue(olds[name], news[name]));
      // A provider in another region replaces its resources.
      return diffResponse({ changed, replaces: changed.filter((name) => name === "region"), deleteBeforeReplace: false });
    }),
    configure: unary(async (request: proto.ConfigureRequest, peer) => {
      const { config, failures } = parseConfig(pack.config, decode(request.getArgs()));
      if (failures.length > 0) throw new Error(failures.map((failure) => failure.reason).join("; "));
      sessions.set(peer, new Session(pack, await pack.configure(config)));
      const answer = new proto.ConfigureResponse();
      answer.setSupportspreview(true);
      answer.setSupportsAutonamingConfiguration(true);
      // Without these the engine sends plain values, and it marks the outputs of secret inputs as secret.
      answer.setAcceptsecrets(false);
      answer.setAcceptresources(false);
      answer.setAcceptoutputs(false);
      return answer;
    }),
  };
}

function requestHandlers<C>(sessionOf: (peer: string) => Session<C>): grpc.UntypedServiceImplementation {
  return {
    invoke: unary(async (request: proto.InvokeRequest, peer) => {
      const { result, failures } = await sessionOf(peer).invoke(request.getTok(), decode(request.getArgs()));
      const answer = new proto.InvokeResponse();
      answer.setReturn(encode(result));
      answer.setFailuresList(failures.map(checkFailure));
      return answer;
    }),
    check: unary((request: proto.CheckRequest, peer) => {
      const { inputs, failures } = sessionOf(peer).check(typeOf(request.getUrn()), {
        name: nameOf(request.getUrn()),
        inputs: decode(request.getNews()),
        olds: decode(request.getOlds()),
        seed: request.getRandomseed_asU8(),
        proposedName: request.getAutonaming()?.getProposedName(),
      });
      return checkResponse(inputs, failures);
    }),
    diff: unary(async (request: proto.DiffRequest, peer) => {
      const outputs = decode(request.getOlds());
      const change = { olds: decode(request.getOldInputs()), news: decode(request.getNews()), outputs };
      return diffResponse(await sessionOf(peer).diff(typeOf(request.getUrn()), request.getId(), change));
    }),
  };
}

function resourceHandlers<C>(sessionOf: (peer: string) => Session<C>): grpc.UntypedServiceImplementation {
  return {
    create: unary(async (request: proto.CreateRequest, peer) => {
      const inputs = decode(request.getProperties());
      const answer = new proto.CreateResponse();
      const token = typeOf(request.getUrn());
      if (request.getPreview()) {
        answer.setProperties(encode(sessionOf(peer).previewCreate(token, inputs)));
        return answer;
      }
      const { id, outputs } = await sessionOf(peer).create(token, inputs);
      answer.setId(id);
      answer.setProperties(encode(outputs));
      return answer;
    }),
    read: unary(async (request: proto.ReadRequest, peer) => {
      const answer = new proto.ReadResponse();
      const token = typeOf(request.getUrn());
      if (!request.hasInputs()) throw new Error(`${token}: the local cloud cannot import a resource`);
      const inputs = decode(request.getInputs());
      const read = await sessionOf(peer).read(token, request.getId(), inputs, decode(request.getProperties()));
      if (read === undefined) return answer;
      answer.setId(request.getId());
      answer.setProperties(encode(read.outputs));
      answer.setInputs(encode(read.inputs));
      return answer;
    }),
    update: unary(async (request: proto.UpdateRequest, peer) => {
      const [news, outputs] = [decode(request.getNews()), decode(request.getOlds())];
      const token = typeOf(request.getUrn());
      const answer = new proto.UpdateResponse();
      const session = sessionOf(peer);
      const properties = request.getPreview()
        ? session.previewUpdate(token, news, outputs)
        : await session.update(token, request.getId(), { news, olds: decode(request.getOldInputs()), outputs });
      answer.setProperties(encode(properties));
      return answer;
    }),
    delete: unary(async (request: proto.DeleteRequest, peer) => {
      const inputs = decode(request.getOldInputs() ?? request.getProperties());
      await sessionOf(peer).delete(typeOf(request.getUrn()), request.getId(), inputs);
      return new Empty();
    }),
  };
}

/** `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`. */
function typeOf(urn: string): string {
  const qualified = urn.split("::")[2] ?? "";
  return qualified.slice(qualified.lastIndexOf("$") + 1);
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

function checkFailure(failure: Failure): proto.CheckFailure {
  const one = new proto.CheckFailure();
  one.setProperty(failure.property);
  one.setReason(failure.reason);
  return one;
}

function checkResponse(inputs: Properties, failures: Failure[]): proto.CheckResponse {
  const answer = new proto.CheckResponse();
  answer.setInputs(encode(inputs));
  answer.setFailuresList(failures.map(checkFailure));
  return answer;
}

function diffResponse(diff: { changed: string[]; replaces: string[]; deleteBeforeReplace: boolean }): proto.DiffResponse {
  const answer = new proto.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
  answer.setChanges(diff.changed.length === 0 ? DIFF_NONE : DIFF_SOME);
  answer.setDiffsList(diff.changed);
  answer.setReplacesList(diff.replaces);
  answer.setDeletebeforereplace(diff.deleteBeforeReplace && diff.replaces.length > 0);
  return answer;
}
