/** REST APIs: https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html */
import {
  type ApiKeySourceType,
  CreateResourceCommand,
  CreateRestApiCommand,
  DeleteIntegrationCommand,
  DeleteMethodCommand,
  DeleteResourceCommand,
  DeleteRestApiCommand,
  type EndpointType,
  GetIntegrationCommand,
  GetMethodCommand,
  GetResourceCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  type IntegrationType,
  type PatchOperation,
  PutIntegrationCommand,
  PutMethodCommand,
  UpdateRestApiCommand,
} from "@aws-sdk/client-api-gateway";
import type { Infer } from "../../schema";
import { type AwsContext, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { assertPrincipals } from "../principals";
import { putApiTags, tagsAllOf } from "../tags";

const apiOf = (context: AwsContext) => clientsOf(context).apigateway;
/** The real provider does not try again. https://github.com/hashicorp/terraform-provider-aws/issues/29392 */
const REFUSED_POLICY =
  "BadRequestException: Invalid policy document. Please check the policy syntax and ensure that Principals are valid.";
const replaced = (path: string, value: string): PatchOperation => ({ op: "replace", path, value });

export const restApi = resource({
  token: "aws:apigateway/restApi:RestApi",
  // There is no `body`: the emulator would accept a definition and ignore it.
  inputs: {
    name: "string",
    description: "string",
    apiKeySource: "string",
    binaryMediaTypes: ["string"],
    disableExecuteApiEndpoint: "boolean",
    endpointConfiguration: { "types!": "string", ipAddressType: "string" },
    minimumCompressionSize: "string",
    policy: "json",
    tags: "map",
  },
  computed: ["arn", "createdDate", "executionArn", "rootResourceId"],
  defaults: { apiKeySource: "HEADER", disableExecuteApiEndpoint: false },
  autoname: { property: "name", maxLength: 128 },
  replaceOn: ["apiKeySource", "binaryMediaTypes", "minimumCompressionSize", "endpointConfiguration", "region"],
  check: function* ({ endpointConfiguration }, { partition }) {
    if (partition === "aws-cn" && endpointConfiguration?.types !== "REGIONAL") {
      yield {
        property: "endpointConfiguration",
        reason: "aws-cn has REGIONAL and PRIVATE endpoints only; set types to REGIONAL",
      };
    }
  },
  create: async (context, given) => {
    const types = [given.endpointConfiguration?.types ?? "EDGE"] as EndpointType[];
    if (given.policy) await assertPrincipals(context, given.policy, REFUSED_POLICY);
    const made = await apiOf(context).send(
      new CreateRestApiCommand({
        name: given.name,
        description: given.description,
        apiKeySource: given.apiKeySource as ApiKeySourceType | undefined,
        binaryMediaTypes: given.binaryMediaTypes,
        disableExecuteApiEndpoint: given.disableExecuteApiEndpoint,
        endpointConfiguration: { types },
        minimumCompressionSize: given.minimumCompressionSize ? Number(given.minimumCompressionSize) : undefined,
        policy: given.policy,
        tags: tagsAllOf(given),
      }),
    );
    return made.id ?? "";
  },
  read: async (context, id) => {
    const found = await unlessMissing(apiOf(context).send(new GetRestApiCommand({ restApiId: id })));
    if (found === undefined) return undefined;
    const resources = await apiOf(context).send(new GetResourcesCommand({ restApiId: id }));
    return {
      arn: `arn:aws:apigateway:${context.region}::/restapis/${id}`,
      createdDate: found.createdDate?.toISOString(),
      executionArn: `arn:aws:execute-api:${context.region}:${context.accountId}:${id}`,
      rootResourceId: resources.items?.find((item) => item.path === "/")?.id,
    };
  },
  update: async (context, id, news, olds) => {
    await putApiTags(context, `/restapis/${id}`, news, olds);
    if (news.policy) await assertPrincipals(context, news.policy, REFUSED_POLICY);
    const patchOperations = [
      replaced("/name", news.name ?? ""),
      replaced("/description", news.description ?? ""),
      replaced("/disableExecuteApiEndpoint", String(news.disableExecuteApiEndpoint ?? false)),
      // Without `policy` a RestApiPolicy owns the policy.
      ...(news.policy === undefined && olds.policy === undefined ? [] : [replaced("/policy", news.policy ?? "")]),
    ];
    await apiOf(context).send(new UpdateRestApiCommand({ restApiId: id, patchOperations }));
  },
  delete: (context, id) => ignoreMissing(apiOf(context).send(new DeleteRestApiCommand({ restApiId: id }))),
});

export const restApiPolicy = resource({
  token: "aws:apigateway/restApiPolicy:RestApiPolicy",
  inputs: { "restApiId!": "string", "policy!": "json" },
  computed: [],
  replaceOn: ["restApiId", "region"],
  fixedIdentity: true,
  create: async (context, given) => {
    await putPolicy(context, given.restApiId, given.policy);
    return given.restApiId;
  },
  read: async (context, id) => {
    const found = await unlessMissing(apiOf(context).send(new GetRestApiCommand({ restApiId: id })));
    return found?.policy ? {} : undefined;
  },
  update: (context, id, news) => putPolicy(context, id, news.policy),
  delete: (context, id) => ignoreMissing(putPolicy(context, id, "")),
});

async function putPolicy(context: AwsContext, restApiId: string, policy: string): Promise<void> {
  if (policy !== "") await assertPrincipals(context, policy, REFUSED_POLICY);
  const patchOperations = [replaced("/policy", policy)];
  await apiOf(context).send(new UpdateRestApiCommand({ restApiId, patchOperations }));
}

export const apiResource = resource({
  token: "aws:apigateway/resource:Resource",
  inputs: { "restApi!": "string", "parentId!": "string", "pathPart!": "string" },
  computed: ["path"],
  fixedIdentity: true,
  create: async (context, { restApi: restApiId, parentId, pathPart }) => {
    const made = await apiOf(context).send(new CreateResourceCommand({ restApiId, parentId, pathPart }));
    return made.id ?? "";
  },
  read: async (context, id, { restApi: restApiId }) => {
    const found = await unlessMissing(apiOf(context).send(new GetResourceCommand({ restApiId, resourceId: id })));
    return found && { path: found.path };
  },
  delete: (context, id, { restApi: restApiId }) =>
    ignoreMissing(apiOf(context).send(new DeleteResourceCommand({ restApiId, resourceId: id }))),
});

const methodInputs = {
  "restApi!": "string",
  "resourceId!": "string",
  "httpMethod!": "string",
  "authorization!": "string",
  apiKeyRequired: "boolean",
  operationName: "string",
} as const;

/** The parameters that identify one method. */
function methodKey(given: { restApi: string; resourceId: string; httpMethod: string }) {
  return { restApiId: given.restApi, resourceId: given.resourceId, httpMethod: given.httpMethod };
}

export const method = resource({
  token: "aws:apigateway/method:Method",
  inputs: methodInputs,
  computed: [],
  defaults: { apiKeyRequired: false },
  fixedIdentity: true,
  check: function* ({ authorization }) {
    if (authorization !== "NONE" && authorization !== "AWS_IAM") {
      yield { property: "authorization", reason: `authorization ${authorization}: the local cloud has NONE and AWS_IAM` };
    }
  },
  create: async (context, given) => {
    const { apiKeyRequired, operationName, authorization: authorizationType } = given;
    await apiOf(context).send(
      new PutMethodCommand({ ...methodKey(given), authorizationType, apiKeyRequired: apiKeyRequired ?? false, operationName }),
    );
    return `agm-${given.restApi}-${given.resourceId}-${given.httpMethod}`;
  },
  read: async (context, _id, given) => (await unlessMissing(apiOf(context).send(new GetMethodCommand(methodKey(given))))) && {},
  delete: (context, _id, given) => ignoreMissing(apiOf(context).send(new DeleteMethodCommand(methodKey(given)))),
});

const integrationInputs = {
  "restApi!": "string",
  "resourceId!": "string",
  "httpMethod!": "string",
  "type!": "string",
  uri: "string",
  integrationHttpMethod: "string",
  passthroughBehavior: "string",
  timeoutMilliseconds: "number",
  contentHandling: "string",
  requestTemplates: "map",
} as const;

export const integration = resource({
  token: "aws:apigateway/integration:Integration",
  inputs: integrationInputs,
  computed: [],
  defaults: { connectionType: "INTERNET", passthroughBehavior: "WHEN_NO_MATCH", timeoutMilliseconds: 29_000 },
  replaceOn: ["restApi", "resourceId", "httpMethod", "region"],
  fixedIdentity: true,
  check: function* ({ type, integrationHttpMethod, timeoutMilliseconds: timeout = 29_000 }) {
    if (type === "AWS_PROXY" && integrationHttpMethod !== "POST") {
      yield { property: "integrationHttpMethod", reason: "an AWS_PROXY integration of a function must be called by POST" };
    }
    if (timeout < 50 || timeout > 29_000) {
      yield { property: "timeoutMilliseconds", reason: `timeoutMilliseconds is ${timeout}; API Gateway allows 50 to 29,000` };
    }
  },
  create: async (context, given) => {
    await putIntegration(context, given);
    return `agi-${given.restApi}-${given.resourceId}-${given.httpMethod}`;
  },
  read: async (context, _id, given) =>
    (await unlessMissing(apiOf(context).send(new GetIntegrationCommand(methodKey(given))))) && {},
  // PutIntegration replaces the integration.
  update: (context, _id, news) => putIntegration(context, news),
  delete: (context, _id, given) => ignoreMissing(apiOf(context).send(new DeleteIntegrationCommand(methodKey(given)))),
});

async function putIntegration(context: AwsContext, given: Infer<typeof integrationInputs>): Promise<void> {
  await apiOf(context).send(
    new PutIntegrationCommand({
      ...methodKey(given),
      type: given.type as IntegrationType,
      uri: given.uri,
      integrationHttpMethod: given.integrationHttpMethod,
      passthroughBehavior: given.passthroughBehavior,
      timeoutInMillis: given.timeoutMilliseconds,
      contentHandling: given.contentHandling as "CONVERT_TO_TEXT" | undefined,
      requestTemplates: given.requestTemplates,
    }),
  );
}
