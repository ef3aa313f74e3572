/** Settings of what an operator sees without asking: alarms, and the dashboard. */
import { WEBHOOK_FORMATS } from "../../runtime/protocol/env";
import { anyText, choice, flag, list, text } from "./fields";

/** SNS takes addresses in ASCII. */
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,255}$/;

export const alarmSettings = {
  alarmTopicArn: anyText("a topic ARN", "the ARN of an SNS topic of the source's region")
    .optional()
    .describe("A source in AWS: SNS topic of its region that the alarms go to."),
  alarmContactGroups: list(text(/^.{1,128}$/u, "the name of a contact group of CloudMonitor"), {
    what: "names of contact groups of CloudMonitor",
    max: 100,
  }).meta({
    description:
      "A source in Alibaba Cloud: contact groups of CloudMonitor that the alarms go to. An empty list stands for the account's default group.",
  }),
  alarmEmails: list(text(EMAIL, "an e-mail address"), { what: "e-mail addresses", max: 20 }).describe(
    "Addresses that the alarms of the source go to. Each gets a message with a link to confirm, and nothing before that. In AWS the bridge creates an SNS topic for them, in Alibaba Cloud contacts of CloudMonitor.",
  ),
  alarmWebhookUrl: text(/^https:\/\/[^\s#/?@]+([/?][^\s#]*)?$/, "an https URL without a user name")
    .optional()
    .describe(
      "URL that the alarms of the source are posted to, such as that of a robot. It is a secret: set it with `pulumi config set --secret`. In AWS a small function, the notifier, reads it from a SecureString.",
    ),
  alarmWebhookFormat: choice(WEBHOOK_FORMATS)
    .default("json")
    .describe(
      "Format of what is posted: JSON, or a message of a robot of DingTalk, WeCom or Lark (Feishu). A source in Alibaba Cloud has `dingtalk`, and `json` in the form of CloudMonitor.",
    ),
  alarmWebhookSecret: text(/^\S{1,256}$/, "1 to 256 characters without spaces")
    .optional()
    .describe(
      "A source in AWS: the secret that signs what is posted. For `dingtalk` and `lark` that of the robot's security settings; for `json` one of Standard Webhooks (`openssl rand -base64 32`). Set it with `pulumi config set --secret`.",
    ),
  runbookUrl: text(/^https:\/\/[^\s#]+$/, "an https URL without a fragment, such as https://wiki.example.com/runbook")
    .optional()
    .meta({
      description:
        "Address of your copy of docs/runbook.md. The text of each alarm links its section there, which is the end of the alarm's name.",
      fallback: "the text names docs/runbook.md",
    }),
  dashboard: flag()
    .default(true)
    .describe(
      "A dashboard of the bridge: in CloudWatch on each side in AWS (one where both sides are in one account), in Simple Log Service for a source in Alibaba Cloud, and for the canaries where they arrive there. Mode `native` has one where there is something to show: `replication.metrics` or canaries. AWS gives an account three dashboards for nothing.",
    ),
};
