/** Faults of the queues, the functions and the receiver in AWS. The answers are those that the vendor documents. */
import { jsonError, mapping, notifications, OWN_RULE, parameter, QUEUE_ARN, queuePolicy, restApi } from "./fake-aws";
import { type Aws, type Fault, logged } from "./fault";
import { FOREIGN, SECRET } from "./fixture";

const putBack = (fields: object): string =>
  JSON.stringify({ level: "info", message: "put back", time: new Date().toISOString(), failures: 2, ...fields });
const lines = (...messages: string[]) => ({ body: { events: messages.map((message) => ({ timestamp: Date.now(), message })) } });

export const PULL_FUNCTIONS: Fault<Aws>[] = [
  {
    name: "a deleted queue",
    plant({ source }) {
      source.answers.GetQueueAttributes = jsonError("QueueDoesNotExist");
    },
    found: "queues (source), queues (source), queues (source)",
    what: /the work queue crossborderbridge-prod-queue is gone/,
    // Objects that were written meanwhile have no event.
    fix: /^pulumi up --refresh --stack prod &&\nnpm run bridge -- backfill --stack prod$/,
  },
  {
    name: "a removed notification beside those of others",
    plant({ source }) {
      source.answers["bucket:notification"] = notifications({ ...FOREIGN, prefix: "images/" });
    },
    found: "notification (source), notification (source)",
    what: /send nothing to crossborderbridge-prod-queue/,
    // A deployment alone would remove the rules of others.
    fix: /^pulumi state delete .*\n[\s\S]*adopt true[\s\S]*\n# then this check prints the command that adds the bridge's rule.*npm run bridge -- doctor --stack prod$/,
  },
  {
    name: "a created bucket that the stack does not keep, with notifications of others",
    plant(clinic) {
      clinic.settings.retainBuckets = false;
      clinic.source.answers["bucket:notification"] = notifications(OWN_RULE, { ...FOREIGN, prefix: "images/" });
    },
    found: "notification (source)",
    what: /also has the notifications thumbnails/,
    fix: /^pulumi config set --stack prod --path crossborderbridge:retainBuckets true &&\npulumi up --stack prod &&\npulumi state delete /,
  },
  {
    name: "a sender that reserves executions, and is switched off",
    plant(clinic) {
      clinic.settings.reserveConcurrency = true;
      clinic.source.answers.GetFunctionConcurrency = { body: { ReservedConcurrentExecutions: 0 } };
    },
    found: "functions (source)",
    what: /the sender crossborderbridge-prod-sender is switched off/,
    fix: /^aws lambda put-function-concurrency --function-name crossborderbridge-prod-sender --reserved-concurrent-executions [1-9]\d* /,
  },
  {
    name: "a queue that S3 may not send to",
    plant({ source }) {
      source.answers.GetQueueAttributes = { body: { Attributes: { Policy: JSON.stringify(queuePolicy("another")) } } };
    },
    found: "queues (source)",
    what: /the policy of the work queue does not let S3 send the events of from-here/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a queue that encrypts with a key of AWS",
    plant({ source }) {
      const Attributes = { Policy: JSON.stringify(queuePolicy("from-here")), KmsMasterKeyId: "alias/aws/sqs" };
      source.answers.GetQueueAttributes = { body: { Attributes } };
    },
    found: "queues (source)",
    what: /the work queue encrypts with alias\/aws\/sqs, which S3 may not use/,
    fix: /^aws sqs set-queue-attributes .*"SqsManagedSseEnabled":"true"/,
  },
  {
    name: "a mapping that is switched off",
    plant({ source }) {
      source.answers.ListEventSourceMappings = mapping("Disabled", QUEUE_ARN);
    },
    found: "paused (source)",
    what: /the bridge is paused: switched off are the queue crossborderbridge-prod-queue$/,
    fix: /^npm run bridge -- resume --stack prod$/,
  },
  {
    name: "a tick that is switched off",
    plant({ source }) {
      source.answers.DescribeRule = { body: { Name: "crossborderbridge-prod-tick", State: "DISABLED" } };
    },
    found: "paused (source)",
    what: /the bridge is paused: switched off are the tick crossborderbridge-prod-tick$/,
    fix: /^npm run bridge -- resume --stack prod$/,
  },
  {
    name: "a deleted mapping",
    plant({ source }) {
      source.answers.ListEventSourceMappings = { body: { EventSourceMappings: [] } };
    },
    found: "event-mapping (source)",
    what: /no mapping starts crossborderbridge-prod-sender for the queue crossborderbridge-prod-queue/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a deleted function",
    plant({ destination }) {
      const { GetFunctionConfiguration } = destination.answers;
      destination.answers.GetFunctionConfiguration = (request) =>
        request.url.includes("copier") ? jsonError("ResourceNotFoundException", 404) : (GetFunctionConfiguration as object);
    },
    found: "functions (destination)",
    what: /the copier crossborderbridge-prod-copier is gone/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a function that is switched off",
    plant({ source }) {
      source.answers.GetFunctionConcurrency = { body: { ReservedConcurrentExecutions: 0 } };
    },
    found: "functions (source)",
    what: /the sender crossborderbridge-prod-sender is switched off/,
    fix: /^aws lambda delete-function-concurrency --function-name crossborderbridge-prod-sender/,
  },
  {
    name: "the Lambda quota of a new account",
    plant({ destination }) {
      destination.answers.GetAccountSettings = { body: { AccountLimit: { ConcurrentExecutions: 5 } } };
    },
    found: "lambda-quota (destination)",
    what: /may run 5 Lambda functions at once in cn-north-1, and the settings ask for 8: 5 receivers, 3 copies/,
    fix: /^aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 108 /,
  },
  {
    name: "a receiver whose API is gone",
    plant({ destination }) {
      destination.answers.receiver = { status: 403, body: { message: "Missing Authentication Token" } };
    },
    found: "receiver (destination)",
    what: /nothing is deployed at https:\/\/\S+\/v1\/notices \(HTTP 403\)/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a receiver that fails",
    plant({ destination }) {
      destination.answers.receiver = { status: 502, body: { message: "Internal server error" } };
    },
    found: "receiver (destination)",
    what: /answers HTTP 502: its function fails or may not be invoked/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "an account without an ICP licence",
    plant({ destination }) {
      destination.answers.receiver = { status: 403, body: { message: null } };
    },
    found: "icp (destination)",
    what: /answers 403 \{"message":null\} before the receiver: the account has no ICP licence/,
    fix: /crossborderbridge:auth.kind iam &&\npulumi up/,
  },
  {
    name: "an allowlist of private networks",
    plant(clinic) {
      clinic.settings.allowedCidrs = ["10.0.0.0/8", "192.168.0.0/16"];
      clinic.destination.answers.GetRestApi = restApi("10.0.0.0/8", "192.168.0.0/16");
    },
    found: "allowlist (destination)",
    what: /only private networks \(10.0.0.0\/8, 192.168.0.0\/16\)/,
    fix: /crossborderbridge:egress static &&\npulumi up/,
  },
  {
    name: "an address that was added to the deployed allowlist by hand",
    plant({ destination }) {
      destination.answers.GetRestApi = restApi("192.0.2.0/24", "198.51.100.7/32", "203.0.113.9/32");
    },
    found: "allowlist-deployed (destination)",
    what: /the deployed allowlist has 203.0.113.9\/32, and the settings do not/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a static address that the deployed allowlist lacks",
    plant(clinic) {
      Object.assign(clinic.settings, { egress: "static", allowedCidrs: [] });
      clinic.destination.answers.GetRestApi = restApi("203.0.113.1/32");
      clinic.source.answers.DescribeAddresses = {
        body: "<DescribeAddressesResponse><addressesSet><item><publicIp>203.0.113.2</publicIp></item></addressesSet></DescribeAddressesResponse>",
      };
    },
    found: "allowlist-deployed (destination), allowlist-deployed (destination)",
    what: /the sender sends from 203.0.113.2\/32, and the deployed allowlist has 203.0.113.1\/32/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a sender whose address the receiver refuses",
    plant({ source }) {
      const message = logged("the receiver answered 403: the sender's address is not in the receiver's allowedCidrs");
      source.answers.FilterLogEvents = { body: { events: [{ timestamp: Date.now(), message }] } };
    },
    found: "sender-refused (source)",
    what: /the sender logged: the receiver answered 403: the sender's address is not in/,
    fix: /crossborderbridge:allowedCidrs\[0\]/,
  },
  {
    name: "a role of the other side that lost its policy",
    plant({ source }) {
      const reason = "to-there: S3 answered put with AccessDenied (HTTP 403)";
      source.answers.FilterLogEvents = lines(
        putBack({ key: "a b", place: "destination", reason, nextTryMs: Date.now() + 60_000 }),
      );
    },
    found: "store-refused (destination)",
    what: /^1 key waits, for example a b: to-there: S3 answered put with AccessDenied \(HTTP 403\)$/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a deleted secret",
    plant({ destination }) {
      destination.answers.GetParameter = jsonError("ParameterNotFound");
    },
    found: "secret (destination)",
    what: /the parameter \/crossborderbridge\/prod\/destination\/token is not there/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a secret that is stored in clear",
    plant({ source }) {
      source.answers.GetParameter = parameter(SECRET, "String");
    },
    found: "secret (source)",
    what: /\/crossborderbridge\/prod\/source\/token is no SecureString/,
    // With the same value, which the other side has too. The parameter is never absent.
    fix: /^secret="\$\(aws ssm get-parameter [^&]*\)" &&\nprintf %s "\$secret" \| aws ssm put-parameter [^&]*--type SecureString --overwrite [^&]*# then rotate it: docs\/operations.md#a-secret-in-clear-text$/,
  },
  {
    name: "a deleted secret of the operator's own",
    plant(clinic) {
      clinic.settings.auth = { tokenParameter: "/bridge/token" };
      clinic.destination.answers.GetParameter = jsonError("ParameterNotFound");
    },
    found: "secret (destination)",
    what: /the parameter \/bridge\/token is not there/,
    fix: /^secret="\$\(aws ssm get-parameter [^&]*--profile global .*\)" &&\nprintf %s "\$secret" \| aws ssm put-parameter --name \/bridge\/token --type SecureString --value file:\/\/\/dev\/stdin --profile china /,
  },
  {
    name: "secrets of the operator's own that are nowhere",
    plant(clinic) {
      clinic.settings.auth = { tokenParameter: "/bridge/token" };
      for (const side of [clinic.source, clinic.destination]) side.answers.GetParameter = jsonError("ParameterNotFound");
    },
    found: "secret (source), secret (destination)",
    what: /the parameter \/bridge\/token is not there/,
    fix: /^secret="\$\(openssl rand -base64 32\)" &&\nprintf %s "\$secret" \| aws ssm put-parameter .* --profile global .*&&\nprintf %s "\$secret" \| aws ssm put-parameter .* --profile china /,
  },
  {
    name: "secrets that differ",
    plant(clinic) {
      clinic.settings.auth = { tokenParameter: "/bridge/token" };
      clinic.destination.answers.GetParameter = parameter(Buffer.alloc(32, 8).toString("base64"));
    },
    found: "same-secret (destination)",
    what: /the signing secrets of the source and the destination differ/,
    fix: /^other="\$\(aws ssm get-parameter --name \/bridge\/token --with-decryption .*--profile global .*\)" &&\nown="\$\(aws ssm get-parameter .*--profile china .*\)" &&\nprintf %s "\$other \$own" \| aws ssm put-parameter --name \/bridge\/token --type SecureString --overwrite --value file:\/\/\/dev\/stdin --profile china /,
  },
];
