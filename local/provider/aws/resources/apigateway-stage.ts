/** The deployment of a REST API, and the stage that serves it. */
import { createHash } from "node:crypto";
import {
  CreateDeploymentCommand,
  CreateStageCommand,
  DeleteDeploymentCommand,
  DeleteStageCommand,
  GetDeploymentCommand,
  GetIntegrationCommand,
  GetMethodCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  GetStageCommand,
  type PatchOperation,
  UpdateStageCommand,
} from "@aws-sdk/client-api-gateway";
import type { Infer } from "../../schema";
import { type AwsContext, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { invokeUrl } from "../endpoints";
import { putApiTags, tagsAllOf } from "../tags";

const apiOf = (context: AwsContext) => clientsOf(context).apigateway;

export const deployment = resource({
  token: "aws:apigateway/deployment:Deployment",
  inputs: { "restApi!": "string", description: "string", triggers: "map", variables: "map" },
  computed: ["createdDate"],
  create: async (context, { restApi: restApiId, description, variables }) => {
    const definitionHash = await definitionOf(context, restApiId);
    const made = await apiOf(context).send(new CreateDeploymentCommand({ restApiId, description, variables }));
    return { id: made.id ?? "", outputs: { definitionHash } };
  },
  read: async (context, id, { restApi: restApiId }) => {
    const call = new GetDeploymentCommand({ restApiId, deploymentId: id });
    const found = await unlessMissing(apiOf(context).send(call));
    return found && { createdDate: found.createdDate?.toISOString() };
  },
  delete: (context, id, { restApi: restApiId }) =>
    ignoreMissing(apiOf(context).send(new DeleteDeploymentCommand({ restApiId, deploymentId: id }))),
  // AWS serves the API as of its last deployment, the emulator the current one.
  verifyUnchanged: async (context, id, { restApi: restApiId }, outputs) => {
    if ((await definitionOf(context, restApiId)) === outputs.definitionHash) return;
    throw new Error(
      `the REST API ${restApiId} changed (policy, method or integration) but its deployment ${id} did not: AWS would keep ` +
        "serving the old one. Put a hash of what changed into the deployment's triggers",
    );
  },
});

/** A hash of everything that a deployment copies. @throws Error for an API that AWS would not deploy */
async function definitionOf(context: AwsContext, restApiId: string): Promise<string> {
  const api = apiOf(context);
  const { policy } = await api.send(new GetRestApiCommand({ restApiId }));
  const resources = await api.send(new GetResourcesCommand({ restApiId, limit: 500, embed: ["methods"] }));
  const definition: unknown[] = [policy ?? ""];
  let methods = 0;
  for (const item of [...(resources.items ?? [])].sort((a, b) => ((a.path ?? "") < (b.path ?? "") ? -1 : 1))) {
    for (const httpMethod of Object.keys(item.resourceMethods ?? {}).sort()) {
      const key = { restApiId, resourceId: item.id, httpMethod };
      const method = await api.send(new GetMethodCommand(key));
      const integration = await unlessMissing(api.send(new GetIntegrationCommand(key)));
      if (integration === undefined) {
        throw new Error(`No integration defined for ${httpMethod} ${item.path}: the deployment must depend on the integration`);
      }
      methods++;
      const { authorizationType, apiKeyRequired } = method;
      const { type, uri, timeoutInMillis } = integration;
      definition.push([item.path, httpMethod, authorizationType, apiKeyRequired, type, uri, timeoutInMillis]);
    }
  }
  if (methods === 0) throw new Error(`The REST API ${restApiId} doesn't contain any methods: the deployment must depend on them`);
  return createHash("sha256").update(JSON.stringify(definition)).digest("hex");
}

export const stage = resource({
  token: "aws:apigateway/stage:Stage",
  inputs: {
    "restApi!": "string",
    "deployment!": "string",
    "stageName!": "string",
    description: "string",
    variables: "map",
    tags: "map",
  },
  computed: ["arn", "executionArn", "invokeUrl"],
  replaceOn: ["restApi", "stageName", "variables", "region"],
  fixedIdentity: true,
  create: async (context, given) => {
    await apiOf(context).send(
      new CreateStageCommand({
        restApiId: given.restApi,
        deploymentId: given.deployment,
        stageName: given.stageName,
        description: given.description,
        variables: given.variables,
        tags: tagsAllOf(given),
      }),
    );
    return `ags-${given.restApi}-${given.stageName}`;
  },
  read: async (context, _id, { restApi: restApiId, stageName }) => {
    const found = await unlessMissing(apiOf(context).send(new GetStageCommand({ restApiId, stageName })));
    if (found === undefined) return undefined;
    return {
      arn: `arn:aws:apigateway:${context.region}::/restapis/${restApiId}/stages/${stageName}`,
      executionArn: `arn:aws:execute-api:${context.region}:${context.accountId}:${restApiId}/${stageName}`,
      invokeUrl: invokeUrl(context, restApiId, stageName),
    };
  },
  update: async (context, _id, news, olds) => {
    const { restApi: restApiId, stageName, deployment: deploymentId, description = "" } = news;
    await putApiTags(context, `/restapis/${restApiId}/stages/${stageName}`, news, olds);
    const patchOperations: PatchOperation[] = [
      { op: "replace", path: "/deploymentId", value: deploymentId },
      { op: "replace", path: "/description", value: description },
    ];
    await apiOf(context).send(new UpdateStageCommand({ restApiId, stageName, patchOperations }));
  },
  delete: (context, _id, { restApi: restApiId, stageName }) =>
    ignoreMissing(apiOf(context).send(new DeleteStageCommand({ restApiId, stageName }))),
});

const settingsInputs = {
  "restApi!": "string",
  "stageName!": "string",
  "methodPath!": "string",
  "settings!": {
    throttlingBurstLimit: "number",
    throttlingRateLimit: "number",
    metricsEnabled: "boolean",
    loggingLevel: "string",
    dataTraceEnabled: "boolean",
  },
} as const;

export const methodSettings = resource({
  token: "aws:apigateway/methodSettings:MethodSettings",
  inputs: settingsInputs,
  computed: [],
  replaceOn: ["restApi", "stageName", "methodPath", "region"],
  fixedIdentity: true,
  create: async (context, given) => {
    await putSettings(context, given);
    return `${given.restApi}-${given.stageName}-${given.methodPath}`;
  },
  read: async (context, _id, { restApi: restApiId, stageName, methodPath }) => {
    const found = await unlessMissing(apiOf(context).send(new GetStageCommand({ restApiId, stageName })));
    return found?.methodSettings?.[methodPath] === undefined ? undefined : {};
  },
  update: (context, _id, news) => putSettings(context, news),
  delete: (context, _id, { restApi: restApiId, stageName, methodPath }) => {
    const patchOperations: PatchOperation[] = [{ op: "remove", path: `/${escaped(methodPath)}` }];
    return ignoreMissing(apiOf(context).send(new UpdateStageCommand({ restApiId, stageName, patchOperations })));
  },
});

/** https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html#UpdateStage-Patch */
const SETTING_PATHS: Record<keyof Infer<typeof settingsInputs>["settings"], string> = {
  throttlingBurstLimit: "throttling/burstLimit",
  throttlingRateLimit: "throttling/rateLimit",
  metricsEnabled: "metrics/enabled",
  loggingLevel: "logging/loglevel",
  dataTraceEnabled: "logging/dataTrace",
};

async function putSettings(context: AwsContext, given: Infer<typeof settingsInputs>): Promise<void> {
  const patchOperations = Object.entries(given.settings).map(([name, value]): PatchOperation => {
    const path = SETTING_PATHS[name as keyof typeof SETTING_PATHS];
    return { op: "replace", path: `/${escaped(given.methodPath)}/${path}`, value: String(value) };
  });
  await apiOf(context).send(new UpdateStageCommand({ restApiId: given.restApi, stageName: given.stageName, patchOperations }));
}

/** A slash in a name is `~1`: `orders/GET` has the path `~1orders/GET`. */
function escaped(methodPath: string): string {
  const cut = methodPath.lastIndexOf("/");
  const [path, verb] = [methodPath.slice(0, cut), methodPath.slice(cut + 1)];
  return path === "*" ? methodPath : `~1${path.replaceAll("~", "~0").replaceAll("/", "~1")}/${verb}`;
}
