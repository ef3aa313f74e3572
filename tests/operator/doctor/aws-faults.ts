/** Faults in AWS. The answers are those that the vendor documents. */
import {
  delegation,
  denyOutside,
  encryptedBy,
  keyPolicy,
  keyState,
  notifications,
  OWN_RULE,
  QUEUE_ARN,
  statusOfVersions,
} from "./fake-aws";
import { type Aws, type Fault, source } from "./fault";
import { FOREIGN, KEY } from "./fixture";

/** An Error as a store that does not listen gives it: a port that nothing has. */
const DEAD_PORT = "https://127.0.0.1:1";

export const PULL: Fault<Aws>[] = [
  {
    name: "wrong access key",
    plant({ source }) {
      source.answers.GetCallerIdentity = refusalOfQuery("InvalidClientTokenId", 403);
    },
    found: "credentials (source)",
    what: /the credentials of the profile global are refused \(aws, us-east-1: InvalidClientTokenId\)/,
    fix: /^aws configure --profile global$/,
  },
  {
    name: "expired session",
    plant({ destination }) {
      destination.answers.GetCallerIdentity = refusalOfQuery("ExpiredToken", 403);
    },
    found: "credentials (destination)",
    what: /profile china have expired \(aws-cn, cn-north-1: ExpiredToken/,
    fix: /^aws configure --profile china$/,
  },
  {
    name: "no credentials",
    plant({ source }) {
      source.access.credentials = async () => {
        throw Object.assign(new Error("Could not load credentials from any providers"), { name: "CredentialsProviderError" });
      };
    },
    found: "credentials (source)",
    what: /there are no credentials for aws, us-east-1/,
    fix: /^aws configure --profile global$/,
  },
  {
    name: "credentials of another account",
    plant(clinic) {
      source(clinic).accountId = "999999999999";
    },
    found: "credentials (source)",
    what: /belong to the account 111111111111, and source.accountId is 999999999999/,
    fix: /pulumi config set --stack prod --path crossborderbridge:source.accountId 111111111111$/,
  },
  {
    name: "a clock that is 20 minutes ahead",
    plant(clinic) {
      clinic.aheadMs = 20 * 60_000;
    },
    found: "clock (source), clock (destination)",
    what: /this machine is 20 minutes ahead of that of the source/,
    fix: /^sudo timedatectl set-ntp true$/,
  },
  {
    name: "an endpoint that does not listen",
    plant({ destination }) {
      destination.access.endpoint = DEAD_PORT;
    },
    found: "reachable (destination)",
    what: /no connection to 127.0.0.1:1 \(ECONNREFUSED\)/,
    fix: /curl -sSI https:\/\/127.0.0.1:1\/$/,
  },
  {
    name: "a certificate that is not trusted",
    plant({ source }) {
      source.access.ca = undefined;
    },
    found: "reachable (source)",
    what: /shows a certificate that this machine does not trust \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    fix: /^export NODE_EXTRA_CA_CERTS=/,
  },
  {
    name: "a region that has no such host",
    plant({ source }) {
      source.access.endpoint = "https://s3.us-east-9.invalid";
    },
    found: "reachable (source)",
    what: /the name s3.us-east-9.invalid cannot be resolved \((ENOTFOUND|EAI_AGAIN)\)/,
    fix: /correct the region in the settings/,
  },
  {
    name: "a deleted bucket",
    plant({ destination }) {
      destination.answers.HeadBucket = { status: 404 };
    },
    found: "bucket (destination)",
    what: /the bucket to-there \(aws-cn, cn-north-1\) is gone/,
    fix: /^pulumi up --refresh --stack prod/,
  },
  {
    name: "a bucket in another region",
    plant({ source }) {
      source.answers.HeadBucket = { status: 301, headers: { "x-amz-bucket-region": "eu-west-1" } };
    },
    found: "bucket (source)",
    what: /the bucket from-here \(aws, us-east-1\) is in eu-west-1/,
    fix: /crossborderbridge:source.region eu-west-1$/,
  },
  {
    name: "suspended versioning",
    plant({ source }) {
      source.answers["bucket:versioning"] = statusOfVersions("Suspended");
    },
    found: "versioning (source)",
    what: /keeps no versions: versioning is Suspended/,
    fix: /^aws s3api put-bucket-versioning --bucket from-here --versioning-configuration Status=Enabled --profile global --region us-east-1/,
  },
  {
    name: "a bucket key that the settings do not name",
    plant({ destination }) {
      destination.answers["bucket:encryption"] = encryptedBy("arn:aws-cn:kms:cn-north-1:222222222222:key/other");
    },
    found: "encryption (destination)",
    what: /encrypts with the key arn:aws-cn:kms:cn-north-1:222222222222:key\/other, and the settings name no key/,
    fix: /crossborderbridge:destination.kmsKeyArn arn:aws-cn:kms:cn-north-1:222222222222:key\/other &&\npulumi up --stack prod$/,
  },
  {
    name: "a disabled key",
    plant({ source }) {
      source.answers.DescribeKey = keyState("Disabled");
    },
    found: "kms-key (source)",
    what: /the key arn:aws:kms:\S+ is disabled/,
    fix: new RegExp(`^aws kms enable-key --key-id ${KEY} --profile global`),
  },
  {
    name: "a key that is scheduled for deletion",
    plant({ source }) {
      source.answers.DescribeKey = keyState("PendingDeletion");
    },
    found: "kms-key (source)",
    what: /is scheduled for deletion/,
    fix: /^aws kms cancel-key-deletion .*&&\naws kms enable-key /,
  },
  {
    name: "a key for signatures",
    plant({ source }) {
      source.answers.DescribeKey = keyState("Enabled", { KeyUsage: "SIGN_VERIFY", KeySpec: "RSA_2048" });
    },
    found: "kms-key (source)",
    what: /is RSA_2048 for SIGN_VERIFY/,
    fix: /crossborderbridge:source.kmsKeyArn/,
  },
  {
    name: "a key policy without the sender's role",
    plant({ source }) {
      source.answers.GetKeyPolicy = keyPolicy({ ...delegation("111111111111"), Action: "kms:Describe*" });
    },
    found: "kms-policy (source)",
    what: /does not allow arn:aws:iam::111111111111:role\/crossborderbridge-prod-sender/,
    fix: /^aws kms put-key-policy .*--policy '\{.*"kms:Describe\*".*"CrossBorderBridgeReads".*\}'/,
  },
  {
    name: "a bucket policy for one VPC",
    plant({ source }) {
      source.answers["bucket:policy"] = denyOutside("from-here", { StringNotEquals: { "aws:SourceVpce": "vpce-1" } });
    },
    found: "bucket-policy (source)",
    what: /the Deny OnlyFromOurNetwork .* denies the bridge s3:GetObject, /,
    fix: /^aws s3api put-bucket-policy --bucket from-here --policy '.*"ArnNotLike":\{"aws:PrincipalArn":\["arn:aws:iam::111111111111:role\/crossborderbridge-prod-sender"\]/,
  },
  {
    name: "a bucket policy for one network",
    plant({ destination }) {
      destination.answers["bucket:policy"] = denyOutside("to-there", {
        NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" },
      });
    },
    found: "bucket-policy (destination)",
    what: /denies the bridge s3:PutObject, /,
    fix: /crossborderbridge-prod-receiver","arn:aws-cn:iam::222222222222:role\/crossborderbridge-prod-copier/,
  },
  {
    name: "a removed notification",
    plant({ source }) {
      source.answers["bucket:notification"] = notifications();
    },
    found: "notification (source)",
    what: /send nothing to crossborderbridge-prod-queue/,
    fix: /^pulumi up --refresh --stack prod$/,
  },
  {
    name: "a notification of another program, which the next deployment removes",
    plant({ source }) {
      source.answers["bucket:notification"] = notifications(OWN_RULE, { ...FOREIGN, prefix: "images/" });
    },
    found: "notification (source)",
    what: /also has the notifications thumbnails \(to arn:aws:sqs:us-east-1:111111111111:thumbnails\)/,
    // The program's notification leaves its state first: its deletion would delete those of others too.
    fix: /^pulumi state delete --stack prod "\$\(pulumi stack export .*BucketNotification.*from-here.*\)" &&\npulumi config set .*crossborderbridge:source.adopt true &&\npulumi up --stack prod$/,
  },
  {
    name: "an adopted bucket whose notification was not merged",
    plant(clinic) {
      source(clinic).adopt = true;
      clinic.source.answers["bucket:notification"] = notifications({ ...FOREIGN, prefix: "images/" });
      const own = { Id: OWN_RULE.id, QueueArn: QUEUE_ARN, Events: OWN_RULE.events };
      Object.assign(clinic.outputs ?? {}, { requiredNotification: JSON.stringify({ QueueConfigurations: [own] }) });
    },
    found: "notification (source)",
    what: /send nothing to crossborderbridge-prod-queue/,
    fix: /^aws s3api put-bucket-notification-configuration --bucket from-here --notification-configuration '.*thumbnails.*crossborderbridge-prod-queue.*' --profile global/,
  },
];

/** STS answers in XML. */
function refusalOfQuery(code: string, status: number) {
  return {
    status,
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>refused</Message></Error><RequestId>r1</RequestId></ErrorResponse>`,
  };
}
