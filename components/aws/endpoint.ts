/** `POST /notices` on a regional REST API with an allowlist, throttling and authorization. It invokes one Lambda function. */
import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { UNKNOWN_URL } from "../mocked";
import { type Account, physicalName } from "./account";
import { receiverEndpointPolicy } from "./policies";

const STAGE = "v1";
const PATH = "notices";
const METHOD = "POST";
/** API Gateway's own limit. The function's timeout is never longer. */
const INTEGRATION_TIMEOUT_MS = 29_000;

export interface EndpointArgs {
  context: BridgeContext;
  account: Account;
  function: aws.lambda.Function;
  allowedCidrs: pulumi.Output<string[]>;
  /** With `auth: iam`: the only identity that may call. */
  invokerArn: pulumi.Output<string> | undefined;
  parent: pulumi.Resource;
}

/** `crossborder:aws:Endpoint` */
export class Endpoint extends pulumi.ComponentResource {
  readonly url: pulumi.Output<string>;
  /** ARN of this stage's one method, for policies. */
  readonly methodArn: pulumi.Output<string>;

  constructor(name: string, args: EndpointArgs) {
    super("crossborder:aws:Endpoint", name, {}, { parent: args.parent });
    const { context } = args;
    const { config } = context;
    const child = { parent: this, provider: context.provider };

    const api = new aws.apigateway.RestApi(
      `${name}-api`,
      {
        name: physicalName(config.name, "receiver"),
        description: `Takes signed notices for bridge ${config.name}`,
        endpointConfiguration: { types: "REGIONAL" },
      },
      child,
    );
    this.methodArn = pulumi.interpolate`${api.executionArn}/${STAGE}/${METHOD}/${PATH}`;
    const policy = new aws.apigateway.RestApiPolicy(
      `${name}-policy`,
      { restApiId: api.id, policy: this.endpointPolicy(args) },
      child,
    );
    const resource = new aws.apigateway.Resource(
      `${name}-${PATH}`,
      { restApi: api.id, parentId: api.rootResourceId, pathPart: PATH },
      child,
    );
    const method = new aws.apigateway.Method(
      `${name}-method`,
      {
        restApi: api.id,
        resourceId: resource.id,
        httpMethod: METHOD,
        authorization: config.auth.kind === "iam" ? "AWS_IAM" : "NONE",
      },
      child,
    );
    const integration = new aws.apigateway.Integration(
      `${name}-integration`,
      {
        restApi: api.id,
        resourceId: resource.id,
        httpMethod: method.httpMethod,
        type: "AWS_PROXY",
        // API Gateway always invokes Lambda by POST.
        integrationHttpMethod: "POST",
        uri: args.function.invokeArn,
        timeoutMilliseconds: INTEGRATION_TIMEOUT_MS,
      },
      child,
    );
    const deployment = new aws.apigateway.Deployment(
      `${name}-deployment`,
      {
        restApi: api.id,
        // A deployment is a snapshot: a change of its content, the policy included, takes effect only with a new one.
        triggers: {
          content: pulumi
            .all([policy.policy, method.authorization, method.httpMethod, integration.uri, resource.path])
            .apply((parts) => createHash("sha256").update(JSON.stringify(parts)).digest("hex")),
        },
      },
      { ...child, dependsOn: [policy, method, integration] },
    );
    const stage = new aws.apigateway.Stage(
      `${name}-stage`,
      { restApi: api.id, deployment: deployment.id, stageName: STAGE },
      child,
    );
    new aws.apigateway.MethodSettings(
      `${name}-throttling`,
      {
        restApi: api.id,
        stageName: stage.stageName,
        methodPath: "*/*",
        settings: {
          throttlingRateLimit: config.rateLimit.requestsPerSecond,
          throttlingBurstLimit: config.rateLimit.burst,
        },
      },
      child,
    );
    const permission = new aws.lambda.Permission(
      `${name}-permission`,
      {
        action: "lambda:InvokeFunction",
        function: args.function.name,
        principal: args.account.service("apigateway", config.destination.region),
        sourceArn: this.methodArn,
      },
      child,
    );
    // The URL exists only after API Gateway may invoke the function.
    this.url = pulumi.all([stage.invokeUrl, permission.id]).apply(([invokeUrl = UNKNOWN_URL]) => `${invokeUrl}/${PATH}`);
    this.registerOutputs({ url: this.url });
  }

  private endpointPolicy(args: EndpointArgs): pulumi.Output<string> {
    return pulumi
      .all([this.methodArn, args.allowedCidrs, args.invokerArn ?? pulumi.output(undefined)])
      .apply(([methodArn, allowedCidrs, invokerArn]) =>
        JSON.stringify(receiverEndpointPolicy({ methodArn, allowedCidrs, invokerArn })),
      );
  }
}
