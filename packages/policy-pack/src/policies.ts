/**
 * The policies. They look at the resources of bridges only, and at what is declared, so a program cannot weaken a bridge by a transform or by an
 * argument without being told.
 */
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { isForAnyone, isOfBridge, knownValues, ofType, parse, type Resource, statementsOf, textOf, textsIn } from "./stack";

const AWS_BUCKET = "aws:s3/bucket:Bucket";
const OSS_BUCKET = "alicloud:oss/bucket:Bucket";
const ANY_ADDRESS: ReadonlySet<unknown> = new Set(["0.0.0.0/0", "::/0"]);

const bucketOf = ({ props }: Resource): string => textOf(props.bucket);

/** Buckets that hold objects of the user, not the copiers' records. */
const dataBuckets = (resources: readonly Resource[]): Resource[] =>
  ofType(resources, AWS_BUCKET, OSS_BUCKET).filter(({ name }) => /-(source|destination)$/.test(name));

const BLOCKS = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

function isBlocked({ type, name }: Resource, resources: readonly Resource[]): boolean {
  if (type === AWS_BUCKET)
    return ofType(resources, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").some(
      (block) => block.name === `${name}-public-access-block` && BLOCKS.every((setting) => block.props[setting] === true),
    );
  return ofType(resources, "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock").some(
    (block) => block.name === `${name}-public-access-block` && block.props.blockPublicAccess === true,
  );
}

export const privateBuckets: StackValidationPolicy = {
  name: "bridge-buckets-are-private",
  description: "A bucket that a bridge creates blocks public access, and its policy allows nothing to everybody.",
  enforcementLevel: "mandatory",
  validateStack: ({ resources }, report) => {
    for (const bucket of ofType(resources, AWS_BUCKET, OSS_BUCKET)) {
      if (!isBlocked(bucket, resources))
        report(`The bucket ${bucketOf(bucket)} does not block public access. Remove the transform that opens it.`, bucket.urn);
    }
    for (const policy of ofType(resources, "aws:s3/bucketPolicy:BucketPolicy", "alicloud:oss/bucketPolicy:BucketPolicy")) {
      if (statementsOf(policy.props.policy).some((one) => one.Effect === "Allow" && isForAnyone(one)))
        report(`The policy of the bucket ${bucketOf(policy)} allows actions to everybody. Name the principals.`, policy.urn);
    }
  },
};

export const keptVersions: StackValidationPolicy = {
  name: "bridge-buckets-keep-versions",
  description:
    "A bucket that a bridge creates for objects keeps versions, so that a replica that was overwritten or deleted can be restored.",
  enforcementLevel: "mandatory",
  validateStack: ({ resources }, report) => {
    const kept = ofType(resources, "aws:s3/bucketVersioning:BucketVersioning", "alicloud:oss/bucketVersioning:BucketVersioning");
    for (const bucket of dataBuckets(resources)) {
      const isKept = kept.some((versioning) => versioning.name === `${bucket.name}-versioning` && isEnabled(versioning));
      if (!isKept)
        report(`The bucket ${bucketOf(bucket)} keeps no versions. Leave \`versioning\` out, or set it to true.`, bucket.urn);
    }
  },
};

/** S3 and OSS name the state differently. */
const isEnabled = ({ props }: Resource): boolean => (props.versioningConfiguration?.status ?? props.status) === "Enabled";

/** The addresses that the endpoint's policy lets in. */
function allowedAddresses(policy: unknown): unknown[] | undefined {
  const deny = statementsOf(policy).find(({ Effect, Condition }) => Effect === "Deny" && Condition?.NotIpAddress !== undefined);
  return deny === undefined ? undefined : [deny.Condition?.NotIpAddress?.["aws:SourceIp"]].flat();
}

/** The allowlist in the settings of a receiver of Function Compute. */
function allowlistOf({ props }: Resource): unknown[] | undefined {
  const { values, unknown } = knownValues((props.environmentVariables ?? {}) as object);
  for (const variable of values) {
    const settings = parse(textOf(variable));
    if (typeof settings === "object" && settings !== null && "allowedCidrs" in settings) return [settings.allowedCidrs].flat();
  }
  // It may be in a value that only `pulumi up` knows.
  if (unknown !== undefined) throw unknown;
  return undefined;
}

export const allowlist: StackValidationPolicy = {
  name: "bridge-receiver-has-an-allowlist",
  description:
    "A receiver whose only protection is the signature (`auth.kind: token`) accepts requests from known addresses only.",
  enforcementLevel: "mandatory",
  validateStack: ({ resources }, report) => {
    const check = (resource: Resource, addresses: readonly unknown[] | undefined) => {
      if (addresses === undefined || addresses.length === 0)
        report("The receiver has no allowlist. Set `allowedCidrs`, or `egress: static` at a source in AWS.", resource.urn);
      else if (addresses.some((address) => ANY_ADDRESS.has(address)))
        report("The receiver accepts requests from any address. Name the sender's networks in `allowedCidrs`.", resource.urn);
    };
    const policies = ofType(resources, "aws:apigateway/restApiPolicy:RestApiPolicy");
    for (const method of ofType(resources, "aws:apigateway/method:Method").filter(
      ({ props }) => props.authorization === "NONE",
    )) {
      const policy = policies.find(({ name }) => name === method.name.replace(/-method$/, "-policy"));
      check(policy ?? method, allowedAddresses(policy?.props.policy));
    }
    for (const receiver of ofType(resources, "alicloud:fc/v3Function:V3Function"))
      if (/-receiver$/.test(textOf(receiver.props.functionName))) check(receiver, allowlistOf(receiver));
  },
};

const isDeadLetters = ({ props }: Resource): boolean => /-dead-letters$/.test(textOf(props.name ?? props.queueName));

export const deadLetterAlarms: StackValidationPolicy = {
  name: "bridge-dead-letters-ring",
  description: "Each queue of dead letters has an alarm that somebody gets.",
  enforcementLevel: "mandatory",
  validateStack: ({ resources }, report) => {
    for (const queue of ofType(resources, "aws:sqs/queue:Queue", "alicloud:message/serviceQueue:ServiceQueue").filter(
      isDeadLetters,
    )) {
      const name = textOf(queue.props.name ?? queue.props.queueName);
      const alarms = ofType(resources, "aws:cloudwatch/metricAlarm:MetricAlarm", "alicloud:cms/alarm:Alarm");
      const own = alarms.filter((alarm) => watchedBy(alarm).includes(name));
      if (own.length === 0)
        report(`No alarm watches the dead letters in ${name}. Remove the transform that takes it away.`, queue.urn);
      else if (!own.some(isHeard))
        report(
          `No one gets the alarm on the dead letters in ${name}. Set \`alarmEmails\`, \`alarmWebhookUrl\`, \`alarmTopicArn\` or \`alarmContactGroups\`.`,
          queue.urn,
        );
    }
  },
};

/** The names that select the metric of an alarm. Its other values may be unknown in a preview. */
const watchedBy = ({ props }: Resource): string[] => [
  ...textsIn(props.metricDimensions),
  ...[
    props.dimensions ?? {},
    ...(props.metricQueries ?? []).map((query: { metric?: { dimensions?: object } }) => query.metric?.dimensions ?? {}),
  ].flatMap((dimensions) => Object.values(dimensions).map(textOf)),
];

/** An alarm of CloudMonitor always has a contact group. */
const isHeard = ({ type, props }: Resource): boolean =>
  type === "alicloud:cms/alarm:Alarm"
    ? props.enabled !== false
    : [props.alarmActions ?? []].flat().length > 0 && props.actionsEnabled !== false;

/** Signing secrets in the form of Standard Webhooks, keys of both clouds, and their secrets in base64, which mix letters and figures. */
const SECRET = /^whsec_|^(?:AKIA|ASIA|LTAI)[A-Za-z0-9]{12,}|^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9+=])[A-Za-z0-9+/]{30,88}={0,2}$/;

export const noPlainSecret: ResourceValidationPolicy = {
  name: "bridge-keeps-no-plain-secret",
  description: "Secrets of a bridge are in encrypted parameters, and not in the environment of a function.",
  enforcementLevel: "mandatory",
  validateResource: ({ type, name, urn, props }, report) => {
    if (!isOfBridge({ type, name, urn, props })) return;
    if (type === "aws:ssm/parameter:Parameter" && props.type !== "SecureString")
      report(`The parameter ${textOf(props.name)} is not encrypted. Its type must be SecureString.`);
    if (type === "alicloud:oos/parameter:Parameter")
      report(`The parameter ${textOf(props.parameterName)} is not encrypted. Use a secret parameter.`);
    const variables = type === "aws:lambda/function:Function" ? props.environment?.variables : props.environmentVariables;
    if (textsIn(variables).some((text) => SECRET.test(text)))
      report("A variable of the function looks like a secret. Keep it in a secret parameter, and give the function its name.");
  },
};

export const POLICIES = [privateBuckets, keptVersions, allowlist, deadLetterAlarms, noPlainSecret] as const;
