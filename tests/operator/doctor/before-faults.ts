/** Faults in AWS before a first deployment. The answers are those that the vendor documents. */
import { notifications } from "./fake-aws";
import type { Aws, Fault } from "./fault";
import { FOREIGN } from "./fixture";

export const BEFORE: Fault<Aws>[] = [
  {
    name: "a bucket to be adopted that is not there",
    plant({ source }) {
      source.answers.HeadBucket = { status: 404 };
    },
    found: "bucket (source)",
    what: /is to be adopted, and it is not there/,
    fix: /crossborderbridge:source.adopt false$/,
  },
  {
    name: "a bucket of yours that is there already",
    plant({ destination }) {
      destination.answers.HeadBucket = { headers: { "x-amz-bucket-region": "cn-north-1" } };
    },
    found: "bucket (destination)",
    what: /is there already, in your account, and destination.adopt is false/,
    fix: /crossborderbridge:destination.adopt true$/,
  },
  {
    name: "a bucket name that another account has",
    plant({ destination }) {
      destination.answers.HeadBucket = { status: 403 };
    },
    found: "bucket (destination)",
    what: /the name to-there is taken: it belongs to another account/,
    fix: /crossborderbridge:destination.bucket to-there-2$/,
  },
  {
    name: "a notification that the bridge's would overlap with",
    plant({ source }) {
      source.answers["bucket:notification"] = notifications(FOREIGN);
    },
    found: "notification-conflict (source)",
    what: /the notification thumbnails of .* overlaps with the bridge's/,
    fix: /^aws s3api put-bucket-notification-configuration .*thumbnails.*"EventBridgeConfiguration":\{\}.*\n# then make a rule of EventBridge/,
  },
  {
    name: "a reservation that the quota has no room for",
    plant(clinic) {
      clinic.settings.reserveConcurrency = true;
      clinic.source.answers.GetAccountSettings = { body: { AccountLimit: { ConcurrentExecutions: 50 } } };
    },
    found: "lambda-quota (source)",
    what: /reserveConcurrency takes 6 of 50 executions, and Lambda keeps 100 unreserved/,
    fix: /--desired-value 106 /,
  },
];
