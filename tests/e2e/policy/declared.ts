/** Reads the policies of a deployed stack, as the program declared them. */
import { type PolicyDocument, type PolicyStatement, statementsIn } from "../../../local/aws/iam/policy-document";
import type { StackExport } from "../../../local/engine";

export interface DeclaredPolicy {
  /** `role/NAME` or `user/NAME`. */
  principal: string;
  /** ARN of the identity. */
  arn: string;
  document: PolicyDocument;
}

type Resource = NonNullable<StackExport["deployment"]["resources"]>[number];

const parse = (value: unknown): PolicyDocument => JSON.parse(String(value)) as PolicyDocument;

/** Every policy of the roles and users. */
export function identityPolicies({ deployment: { resources = [] } }: StackExport): DeclaredPolicy[] {
  const identity = (type: string, name: unknown) => {
    const found = resources.find((one) => one.type === type && one.inputs?.name === name);
    if (found === undefined) throw new Error(`no ${type} is named ${String(name)}`);
    return { principal: `${type.endsWith("Role") ? "role" : "user"}/${String(name)}`, arn: String(found.outputs?.arn) };
  };
  return resources.flatMap(({ type, inputs = {} }) => {
    if (type === "aws:iam/rolePolicy:RolePolicy")
      return [{ ...identity("aws:iam/role:Role", inputs.role), document: parse(inputs.policy) }];
    if (type === "aws:iam/userPolicy:UserPolicy")
      return [{ ...identity("aws:iam/user:User", inputs.user), document: parse(inputs.policy) }];
    // A kind of policy that is not read here would stay untested.
    if (/^aws:iam\/.*[pP]olicy/.test(type)) throw new Error(`${type} is not covered`);
    return [];
  });
}

const RESOURCE_POLICIES = {
  bucket: "aws:s3/bucketPolicy:BucketPolicy",
  queue: "aws:sqs/queuePolicy:QueuePolicy",
  api: "aws:apigateway/restApiPolicy:RestApiPolicy",
} as const;

/** The policies of this kind of resource, in the order of the stack. */
export function resourcePolicies(
  { deployment: { resources = [] } }: StackExport,
  kind: keyof typeof RESOURCE_POLICIES,
): PolicyDocument[] {
  return resources
    .filter(({ type }) => type === RESOURCE_POLICIES[kind])
    .map(({ inputs = {} }: Resource) => parse(inputs.policy));
}

export interface Grant {
  principal: string;
  sid: string;
  action: string;
  resource: string;
}

/** Every pair of an action and a resource that is allowed. */
export function grantsOf(policies: readonly DeclaredPolicy[]): Grant[] {
  return policies.flatMap(({ principal, document }) =>
    plainStatements(document).flatMap(({ Sid, Action, Resource }) =>
      Action.flatMap((action) => Resource.map((resource) => ({ principal, sid: Sid, action, resource }))),
    ),
  );
}

export interface PlainStatement extends PolicyStatement {
  Sid: string;
  Action: string[];
  Resource: string[];
}

/** @throws Error for a statement from which no single grant can be removed */
export function plainStatements(document: PolicyDocument): PlainStatement[] {
  return statementsIn(document).map((statement) => {
    const { Sid = "", Effect, Action, Resource } = statement;
    if (Effect !== "Allow" || Action === undefined || Resource === undefined) throw new Error(`${Sid} is no plain grant`);
    return { ...statement, Sid, Action: [Action].flat(), Resource: [Resource].flat() };
  });
}
