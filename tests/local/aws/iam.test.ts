// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables of IAM are written like this.
/** Tests the examples of AWS's documentation on IAM. Each block names its page under IAM/latest/UserGuide/. */
import { type AccessRequest, evaluate } from "../../../local/aws/iam/evaluate";
import type { PolicyDocument, PolicyStatement } from "../../../local/aws/iam/policy-document";

const VERSION = "2012-10-17";
const ACCOUNT = "123456789012";
const CARLOS = `arn:aws:iam::${ACCOUNT}:user/carlossalazar`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`;
const ANY_QUEUE = `arn:aws:sqs:us-east-2:${ACCOUNT}:queue1`;

const policy = (...Statement: PolicyStatement[]): PolicyDocument => ({ Version: VERSION, Statement });
const allow = (Action: string | string[], Resource: string | string[], more: Partial<PolicyStatement> = {}): PolicyStatement => ({
  Effect: "Allow",
  Action,
  Resource,
  ...more,
});
const deny = (Action: string | string[], Resource: string | string[], more: Partial<PolicyStatement> = {}): PolicyStatement => ({
  ...allow(Action, Resource, more),
  Effect: "Deny",
});

/** Decides for a role with this one statement. */
function decide(statement: PolicyStatement, request: Partial<AccessRequest>, Version = VERSION) {
  const asked = { principal: ROLE, action: "sqs:SendMessage", resource: ANY_QUEUE, accountId: ACCOUNT, ...request };
  return evaluate(asked, { identityPolicies: [{ Version, Statement: statement }] });
}

describe("within one account (reference_policies_evaluation-logic_policy-eval-basics.html)", () => {
  const bucket = "arn:aws:s3:::amzn-s3-demo-bucket-carlossalazar";
  const own = policy(
    allow(
      ["s3:GetBucketLocation", "s3:GetAccountPublicAccessBlock", "s3:ListAccessPoints", "s3:ListAllMyBuckets"],
      "arn:aws:s3:::*",
    ),
    allow("s3:*", [`${bucket}/*`, bucket]),
    deny("s3:*", "arn:aws:s3:::*log*"),
  );
  const ofBucket = policy(allow("s3:*", [`${bucket}/*`, bucket], { Principal: { AWS: CARLOS } }));
  const ofLogs = policy(allow("s3:*", [`${bucket}-logs/*`, `${bucket}-logs`], { Principal: { AWS: CARLOS } }));
  const nothing = policy(allow("sqs:SendMessage", ANY_QUEUE));

  test.each<[string, string, string, PolicyDocument, PolicyDocument | undefined, string]>([
    ["both policies allow", "s3:PutObject", `${bucket}/a`, own, ofBucket, "Allowed"],
    ["only the identity's policy allows", "s3:PutObject", `${bucket}/a`, own, undefined, "Allowed"],
    ["only the bucket's policy allows", "s3:PutObject", `${bucket}/a`, nothing, ofBucket, "Allowed"],
    ["a deny wins over both", "s3:PutObject", `${bucket}-logs/a`, own, ofLogs, "ExplicitlyDenied"],
    ["no statement applies", "s3:PutObject", "arn:aws:s3:::another/a", own, ofBucket, "ImplicitlyDenied"],
    ["a list of actions allows its actions", "s3:GetBucketLocation", "arn:aws:s3:::another", own, undefined, "Allowed"],
    ["a list of actions allows no other action", "s3:ListBucket", "arn:aws:s3:::another", own, undefined, "ImplicitlyDenied"],
  ])("%s", (_, action, resource, identityPolicy, resourcePolicy, expected) => {
    const request = { principal: CARLOS, action, resource, accountId: ACCOUNT };
    expect(evaluate(request, { identityPolicies: [identityPolicy], resourcePolicy })).toBe(expected);
  });
});

describe("between accounts (reference_policies_evaluation-logic-cross-account.html)", () => {
  const production = "arn:aws:s3:::amzn-s3-demo-bucket-production";
  const caller = "arn:aws:iam::111111111111:user/carlossalazar";
  const own = policy(allow("s3:*Object*", `${production}/*`), deny("s3:*", ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]));
  const toAccount = policy(
    allow(["s3:GetObject*", "s3:PutObject*", "s3:ReplicateObject", "s3:RestoreObject"], `${production}/*`, {
      Principal: { AWS: "111111111111" },
    }),
  );
  const toOther = policy(allow("s3:*", `${production}/*`, { Principal: { AWS: "arn:aws:iam::333333333333:root" } }));

  test.each<[string, string, string, PolicyDocument[], PolicyDocument | undefined, string]>([
    ["both sides allow", "s3:GetObject", `${production}/a`, [own], toAccount, "Allowed"],
    ["the bucket's side does not", "s3:DeleteObject", `${production}/a`, [own], toAccount, "ImplicitlyDenied"],
    ["the bucket has no policy", "s3:GetObject", `${production}/a`, [own], undefined, "ImplicitlyDenied"],
    ["the bucket allows another account", "s3:GetObject", `${production}/a`, [own], toOther, "ImplicitlyDenied"],
    ["the caller's side does not", "s3:GetObject", `${production}/a`, [], toAccount, "ImplicitlyDenied"],
    ["the caller's side denies", "s3:GetObject", `${production}/log`, [own], toAccount, "ExplicitlyDenied"],
  ])("%s", (_, action, resource, identityPolicies, resourcePolicy, expected) => {
    const request = { principal: caller, action, resource, accountId: "222222222222" };
    expect(evaluate(request, { identityPolicies, resourcePolicy })).toBe(expected);
  });
});

describe("principals (reference_policies_elements_principal.html)", () => {
  const request = { action: "sqs:SendMessage", resource: ANY_QUEUE, accountId: ACCOUNT };
  const grant = (Principal: PolicyStatement["Principal"]) => policy(allow("sqs:SendMessage", ANY_QUEUE, { Principal }));

  test.each<[string, PolicyStatement["Principal"], string, string]>([
    ["all callers", "*", "anonymous", "Allowed"],
    ["all callers, as an AWS principal", { AWS: "*" }, "anonymous", "Allowed"],
    ["a role, to itself", { AWS: [CARLOS, ROLE] }, ROLE, "Allowed"],
    ["a role, to an anonymous caller", { AWS: ROLE }, "anonymous", "ImplicitlyDenied"],
    ["an account, which delegates to its policies", { AWS: `arn:aws:iam::${ACCOUNT}:root` }, ROLE, "ImplicitlyDenied"],
    ["a service, to itself", { Service: "s3.amazonaws.com" }, "s3.amazonaws.com", "Allowed"],
    ["a service, to another", { Service: ["s3.amazonaws.com"] }, "sns.amazonaws.com", "ImplicitlyDenied"],
    ["a service, to a role", { Service: "s3.amazonaws.com" }, ROLE, "ImplicitlyDenied"],
  ])("a grant to %s", (_, granted, principal, expected) => {
    expect(evaluate({ ...request, principal }, { resourcePolicy: grant(granted) })).toBe(expected);
  });

  // reference_policies_condition-keys.html#condition-keys-principalarn
  test.each([
    ["the role, whose own policy allows it", ROLE, ["kms:Decrypt"], "Allowed"],
    ["the role, whose own policy does not", ROLE, [], "ImplicitlyDenied"],
    ["another identity of the account", CARLOS, ["kms:Decrypt"], "ImplicitlyDenied"],
    ["an anonymous caller", "anonymous", [], "ImplicitlyDenied"],
  ])("a grant of a key to an account with the ARN of a role: %s", (_, principal, actions, expected) => {
    const Condition = { StringEquals: { "aws:PrincipalArn": ROLE } };
    const granted = { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Condition };
    const resourcePolicy = policy(allow("kms:Decrypt", "*", granted));
    const identityPolicies = actions.map((action) => policy(allow(action, "*")));
    expect(evaluate({ ...request, action: "kms:Decrypt", principal }, { identityPolicies, resourcePolicy })).toBe(expected);
  });

  test("a deny to an account holds for its roles", () => {
    const resourcePolicy = policy(deny("sqs:*", ANY_QUEUE, { Principal: { AWS: ACCOUNT } }));
    const identityPolicies = [policy(allow("sqs:*", "*"))];
    expect(evaluate({ ...request, principal: ROLE }, { identityPolicies, resourcePolicy })).toBe("ExplicitlyDenied");
  });

  test("a caller of another kind is an error", () => {
    expect(() => evaluate({ ...request, principal: "a-name" }, {})).toThrow("a-name is no role, user or service");
  });
});

// kms/latest/developerguide/key-policy-default.html: IAM policies count only where the key's policy names the account.
test.each<[string, PolicyStatement["Principal"], boolean, string]>([
  ["names the account, and a policy allows", { AWS: `arn:aws:iam::${ACCOUNT}:root` }, true, "Allowed"],
  ["names the account, and no policy allows", { AWS: `arn:aws:iam::${ACCOUNT}:root` }, false, "ImplicitlyDenied"],
  ["names the role", { AWS: ROLE }, false, "Allowed"],
  ["names another user, and a policy allows", { AWS: CARLOS }, true, "ImplicitlyDenied"],
])("a key whose policy %s", (_, Principal, hasPolicy, expected) => {
  const resource = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1234`;
  const identityPolicies = hasPolicy ? [policy(allow("kms:Decrypt", resource))] : [];
  const request = { principal: ROLE, action: "kms:Decrypt", resource, accountId: ACCOUNT };
  expect(evaluate(request, { identityPolicies, resourcePolicy: policy(allow("kms:*", "*", { Principal })) })).toBe(expected);
});

// id_roles_create_for-service.html and confused-deputy.html
test.each([
  ["the service", "s3.amazonaws.com", "arn:aws:s3:::mine", "Allowed"],
  ["another service", "lambda.amazonaws.com", "arn:aws:s3:::mine", "ImplicitlyDenied"],
  ["the service for another bucket", "s3.amazonaws.com", "arn:aws:s3:::other", "ImplicitlyDenied"],
  ["a role that the trust policy does not name", CARLOS, "arn:aws:s3:::mine", "ImplicitlyDenied"],
])("a role is assumed by %s", (_, principal, sourceArn, expected) => {
  const resourcePolicy = policy({
    Effect: "Allow",
    Principal: { Service: "s3.amazonaws.com" },
    Action: "sts:AssumeRole",
    Condition: { ArnLike: { "aws:SourceArn": "arn:aws:s3:::mi*" } },
  });
  const identityPolicies = principal === CARLOS ? [policy(allow("sts:AssumeRole", ROLE))] : [];
  const request = { principal, action: "sts:AssumeRole", resource: ROLE, accountId: ACCOUNT };
  expect(evaluate({ ...request, context: { "aws:SourceArn": sourceArn } }, { identityPolicies, resourcePolicy })).toBe(expected);
});

// reference_policies_elements_action.html
test.each([
  ["sqs:SendMessage", "sqs:SendMessage", true],
  ["sqs:SendMessage", "sqs:ReceiveMessage", false],
  ["iam:ListAccessKeys", "IAM:listaccesskeys", true],
  ["iam:*AccessKey*", "iam:CreateAccessKey", true],
  ["iam:*AccessKey*", "iam:ListAccessKeys", true],
  ["iam:*AccessKey*", "iam:ListUsers", false],
  ["s3:*", "s3:GetObject", true],
  ["s3:*", "sqs:SendMessage", false],
  ["*", "s3:GetObject", true],
  ["s3:Get", "s3:GetObject", false],
  ["s3:GetObjec?", "s3:GetObject", true],
])("the action %s on %s: %s", (pattern, action, expected) => {
  expect(decide(allow(pattern, "*"), { action }) === "Allowed").toBe(expected);
});

// reference_policies_elements_notaction.html and reference_policies_elements_notresource.html
test.each<[string, PolicyStatement, string, string, string]>([
  [
    "NotAction: all others",
    { Effect: "Allow", NotAction: "s3:DeleteBucket", Resource: "arn:aws:s3:::*" },
    "s3:GetObject",
    "arn:aws:s3:::b/a",
    "Allowed",
  ],
  [
    "NotAction: not this one",
    { Effect: "Allow", NotAction: "s3:DeleteBucket", Resource: "arn:aws:s3:::*" },
    "s3:DeleteBucket",
    "arn:aws:s3:::b",
    "ImplicitlyDenied",
  ],
  [
    "NotAction: no other service",
    { Effect: "Allow", NotAction: "iam:*", Resource: "*" },
    "iam:ListUsers",
    "arn:aws:iam::1:user/a",
    "ImplicitlyDenied",
  ],
  [
    "NotResource: all others",
    { Effect: "Deny", Action: "s3:*", NotResource: ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"] },
    "s3:GetObject",
    "arn:aws:s3:::HRBucket/a",
    "ExplicitlyDenied",
  ],
  [
    "NotResource: not these",
    { Effect: "Deny", Action: "s3:*", NotResource: ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"] },
    "s3:GetObject",
    "arn:aws:s3:::HRBucket/Payroll/a",
    "ImplicitlyDenied",
  ],
])("%s", (_, statement, action, resource, expected) => {
  expect(decide(statement, { action, resource })).toBe(expected);
});

// reference_policies_elements_resource.html
test.each([
  ["arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/test/object.jpg", true],
  ["arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/2/test/3/object.jpg", true],
  ["arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1///test///object.jpg", true],
  ["arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b//test/object.jpg", true],
  ["arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/test/", true],
  ["arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/object.jpg", false],
  ["arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/test/object.jpg", false],
  ["arn:aws:iam::123456789012:user/Bob", "arn:aws:iam::123456789012:user/bob", false],
  ["arn:aws:iam::123456789012:user/accounting/*", "arn:aws:iam::123456789012:user/accounting/a", true],
  ["arn:aws:sqs:*:123456789012:queue1", "arn:aws:sqs:eu-west-1:123456789012:queue1", true],
  ["arn:aws:sqs:us-*-1:123456789012:queue1", "arn:aws:sqs:us-east-1:123456789012:queue1", true],
  ["arn:aws:sqs:us-*-1:123456789012:queue1", "arn:aws:sqs:us-east:9-1:123456789012:queue1", false],
  ["arn:aws:sqs:us-east-?:123456789012:queue1", "arn:aws:sqs:us-east-2:123456789012:queue1", true],
  // "If the * wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries."
  ["arn:aws:sqs:*", "arn:aws:sqs:us-east-1:123456789012:queue1", true],
  ["arn:aws:logs:us-east-1:1:log-group:g:*", "arn:aws:logs:us-east-1:1:log-group:g:log-stream:2026/01/01/[$LATEST]0", true],
  ["arn:aws:s3:::b/a*c", "arn:aws:s3:::b/a:b:c", true],
  ["arn:aws:s3:::b/a.c", "arn:aws:s3:::b/abc", false],
  ["arn:aws:s3:::b", "arn:aws:s3:::b/a", false],
  ["arn:aws:s3:::b/*", "arn:aws:s3:::b", false],
  ["arn:aws:s3:::b/*", "arn:aws-cn:s3:::b/a", false],
])("the resource %s on %s: %s", (pattern, resource, expected) => {
  expect(decide(allow("*", pattern), { resource }) === "Allowed").toBe(expected);
});

// reference_policies_variables.html
test.each<[string, string, Record<string, string>, string, boolean]>([
  ["arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/David/a", { "aws:username": "David" }, VERSION, true],
  ["arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/Mary/a", { "aws:username": "David" }, VERSION, false],
  ["arn:aws:s3:::b/${AWS:UserName}/*", "arn:aws:s3:::b/David/a", { "aws:username": "David" }, VERSION, true],
  ["arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b//a", {}, VERSION, false],
  // A wildcard in the value of a variable is a literal character.
  ["arn:aws:s3:::b/${aws:username}/a", "arn:aws:s3:::b/David/a", { "aws:username": "*" }, VERSION, false],
  ["arn:aws:s3:::b-${aws:PrincipalTag/team, 'company-wide'}", "arn:aws:s3:::b-company-wide", {}, VERSION, true],
  [
    "arn:aws:s3:::b-${aws:PrincipalTag/team, 'company-wide'}",
    "arn:aws:s3:::b-red",
    { "aws:PrincipalTag/team": "red" },
    VERSION,
    true,
  ],
  ["arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", {}, VERSION, true],
  ["arn:aws:s3:::b/${*}", "arn:aws:s3:::b/a", {}, VERSION, false],
  ["arn:aws:s3:::b/${?}", "arn:aws:s3:::b/a", {}, VERSION, false],
  ["arn:aws:s3:::b/${$}{a}", "arn:aws:s3:::b/${a}", {}, VERSION, true],
  // Earlier versions of the language have no variables.
  ["arn:aws:s3:::b/${aws:username}/a", "arn:aws:s3:::b/David/a", { "aws:username": "David" }, "2008-10-17", false],
  ["arn:aws:s3:::b/${aws:username}/a", "arn:aws:s3:::b/${aws:username}/a", { "aws:username": "David" }, "2008-10-17", true],
])("the variable in %s on %s with %j in version %s: %s", (pattern, resource, context, version, expected) => {
  expect(decide(allow("*", pattern), { resource, context }, version) === "Allowed").toBe(expected);
});

// reference_policies_elements_condition_operators.html
const AT = (address: string) => ({ "aws:SourceIp": address });
const TOPIC = "arn:aws:sns:us-east-1:123456789012:topic";
test.each<[object, Record<string, string>, boolean]>([
  [
    { StringEquals: { "aws:PrincipalTag/job-category": "iamuser-admin" } },
    { "aws:PrincipalTag/job-category": "iamuser-admin" },
    true,
  ],
  [
    { StringEquals: { "aws:PrincipalTag/job-category": "iamuser-admin" } },
    { "aws:PrincipalTag/job-category": "IAMuser-admin" },
    false,
  ],
  [{ StringEquals: { "aws:username": "john" } }, {}, false],
  [{ StringEquals: { "aws:username": "jo*" } }, { "aws:username": "john" }, false],
  [{ StringEquals: { "AWS:UserName": "john" } }, { "aws:username": "john" }, true],
  [{ StringEquals: { "aws:PrincipalTag/a": "${aws:username}" } }, { "aws:username": "john", "aws:PrincipalTag/a": "john" }, true],
  [{ StringEquals: { "aws:username": "${*}" } }, { "aws:username": "*" }, true],
  [{ StringEqualsIgnoreCase: { "aws:username": "john" } }, { "aws:username": "John" }, true],
  [{ StringNotEquals: { "aws:username": "john" } }, { "aws:username": "john" }, false],
  [{ StringNotEquals: { "aws:username": ["john", "mary"] } }, { "aws:username": "mary" }, false],
  [{ StringNotEquals: { "aws:username": ["john", "mary"] } }, { "aws:username": "eve" }, true],
  [{ StringNotEquals: { "aws:username": "john" } }, {}, true],
  [{ StringNotEqualsIgnoreCase: { "aws:username": "john" } }, { "aws:username": "John" }, false],
  [
    { StringLike: { "s3:prefix": ["", "home/", "home/${aws:username}/*"] } },
    { "s3:prefix": "home/david/x", "aws:username": "david" },
    true,
  ],
  [
    { StringLike: { "s3:prefix": ["", "home/", "home/${aws:username}/*"] } },
    { "s3:prefix": "home/mary/x", "aws:username": "david" },
    false,
  ],
  [{ StringNotLike: { "s3:prefix": "home/*" } }, { "s3:prefix": "home/a" }, false],
  [{ StringNotLike: { "s3:prefix": "home/*" } }, {}, true],
  [{ Bool: { "aws:SecureTransport": "true" } }, { "aws:SecureTransport": "true" }, true],
  [{ Bool: { "aws:SecureTransport": false } }, { "aws:SecureTransport": "true" }, false],
  [{ Bool: { "aws:SecureTransport": "false" } }, {}, false],
  [{ IpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, AT("203.0.113.7"), true],
  [{ IpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, AT("203.0.114.7"), false],
  [{ IpAddress: { "aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"] } }, AT("2001:db8:1234:5678:90ab:cdef::1"), true],
  [{ IpAddress: { "aws:SourceIp": "203.0.113.5" } }, AT("203.0.113.5"), true],
  [{ IpAddress: { "aws:SourceIp": "203.0.113.5" } }, AT("203.0.113.6"), false],
  [{ IpAddress: { "aws:SourceIp": "0.0.0.0/0" } }, AT("no address"), false],
  [{ NotIpAddress: { "aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"] } }, AT("198.51.100.7"), false],
  [{ NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } }, AT("198.51.100.7"), true],
  [{ ArnEquals: { "aws:SourceArn": TOPIC } }, { "aws:SourceArn": TOPIC }, true],
  [{ ArnEquals: { "aws:SourceArn": "arn:aws:sns:*:123456789012:t*" } }, { "aws:SourceArn": TOPIC }, true],
  // "Each of the six colon-delimited components of the ARN is checked separately."
  [{ ArnLike: { "aws:SourceArn": "arn:aws:sns:*:topic" } }, { "aws:SourceArn": TOPIC }, false],
  [{ ArnLike: { "aws:SourceArn": "arn:aws:sns:*:*:topic" } }, { "aws:SourceArn": TOPIC }, true],
  [{ ArnNotEquals: { "aws:SourceArn": TOPIC } }, { "aws:SourceArn": TOPIC }, false],
  [{ ArnNotLike: { "aws:SourceArn": "arn:aws:sns:*:*:other" } }, { "aws:SourceArn": TOPIC }, true],
  [{ Null: { "aws:TokenIssueTime": "true" } }, {}, true],
  [{ Null: { "aws:TokenIssueTime": "true" } }, { "aws:TokenIssueTime": "2026-01-01T00:00:00Z" }, false],
  [{ Null: { "aws:TokenIssueTime": "false" } }, { "aws:TokenIssueTime": "2026-01-01T00:00:00Z" }, true],
  [{ StringLikeIfExists: { "ec2:InstanceType": ["t1.*", "t2.*", "m3.*"] } }, { "ec2:InstanceType": "t2.micro" }, true],
  [{ StringLikeIfExists: { "ec2:InstanceType": ["t1.*", "t2.*", "m3.*"] } }, { "ec2:InstanceType": "c5.large" }, false],
  [{ StringLikeIfExists: { "ec2:InstanceType": ["t1.*", "t2.*", "m3.*"] } }, {}, true],
  // reference_policies_condition-logic-multiple-context-keys-or-values.html: all operators and keys, one of the values.
  [{ StringEquals: { "a:a": "1", "a:b": "2" } }, { "a:a": "1", "a:b": "2" }, true],
  [{ StringEquals: { "a:a": "1", "a:b": "2" } }, { "a:a": "1", "a:b": "3" }, false],
  [{ StringEquals: { "a:a": ["1", "2"] }, StringLike: { "a:b": "x*" } }, { "a:a": "2", "a:b": "xy" }, true],
  [{ StringEquals: { "a:a": ["1", "2"] }, StringLike: { "a:b": "x*" } }, { "a:a": "2", "a:b": "y" }, false],
])("the condition %j with %j: %s", (condition, context, expected) => {
  const statement = allow("*", "*", { Condition: condition as NonNullable<PolicyStatement["Condition"]> });
  expect(decide(statement, { context }) === "Allowed").toBe(expected);
});

// reference_policies_grammar.html
test.each<[string, object]>([
  ["a policy has the unknown Version 2020-01-01", { Version: "2020-01-01", Statement: allow("*", "*") }],
  ["a policy has no Statement", { Version: VERSION }],
  ["Effect must be Allow or Deny, not allow", policy({ ...allow("*", "*"), Effect: "allow" })],
  ["it must have either Action or NotAction", policy({ Effect: "Allow", Resource: "*" })],
  ["it must have either Action or NotAction", policy({ Effect: "Allow", Resource: "*", Action: "*", NotAction: "*" })],
  ["s3.GetObject is no action", policy(allow("s3.GetObject", "*"))],
  ["it must have either Resource or NotResource", policy({ Effect: "Allow", Action: "*" })],
  ["it must have either Resource or NotResource", policy({ ...allow("*", "*"), NotResource: "*" })],
  ["bucket/* is no ARN", policy(allow("*", "bucket/*"))],
  ["an identity's policy has no Principal", policy(allow("*", "*", { Principal: "*" }))],
  ["the condition operator StringMatches is not supported", policy(allow("*", "*", { Condition: { StringMatches: {} } }))],
  ["NotPrincipal is not supported", policy({ ...allow("*", "*"), NotPrincipal: "*" } as PolicyStatement)],
])("an identity's policy is refused: %s", (problem, document) => {
  const request = { principal: ROLE, action: "s3:GetObject", resource: "arn:aws:s3:::b/a", accountId: ACCOUNT };
  expect(() => evaluate(request, { identityPolicies: [document as PolicyDocument] })).toThrow(problem);
});

test.each<[string, string, PolicyStatement]>([
  ["it must have a Principal", "sqs:SendMessage", allow("*", "*")],
  ["everyone is no Principal", "sqs:SendMessage", allow("*", "*", { Principal: "everyone" })],
  ["the principal kind Federated is not supported", "sqs:SendMessage", allow("*", "*", { Principal: { Federated: "a" } })],
  [
    "arn:aws:iam::*:role/a is no AWS principal",
    "sqs:SendMessage",
    allow("*", "*", { Principal: { AWS: "arn:aws:iam::*:role/a" } }),
  ],
  ["a trust policy has no Resource", "sts:AssumeRole", allow("*", "*", { Principal: "*" })],
])("a resource's policy is refused: %s", (problem, action, statement) => {
  const request = { principal: ROLE, action, resource: ANY_QUEUE, accountId: ACCOUNT };
  expect(() => evaluate(request, { resourcePolicy: policy(statement) })).toThrow(problem);
});
