/** Rules about where alarms go. */
import { isAws } from "./clouds";
import { type Rule, when } from "./define-rule";
import { signingToken } from "./fields";
import type { LenientConfig } from "./schema";

const URL_PATH = ["alarmWebhookUrl"];
const FORMAT_PATH = ["alarmWebhookFormat"];
const SECRET_PATH = ["alarmWebhookSecret"];
const SOURCE_PATH = ["source", "cloud"];

const hasSubscribers = ({ alarmEmails, alarmWebhookUrl }: LenientConfig): boolean =>
  alarmEmails.length > 0 || alarmWebhookUrl !== undefined;

const oneTopic: Rule = (config) =>
  when(
    config.alarmTopicArn !== undefined && hasSubscribers(config),
    ["alarmTopicArn"],
    "the alarms go to this topic, whose subscriptions are yours, and alarmEmails and alarmWebhookUrl are subscriptions of a topic of the bridge; allowed: leave either out",
    ["alarmEmails"],
    URL_PATH,
  );

const signature: Rule = ({ source, alarmWebhookUrl, alarmWebhookFormat: format, alarmWebhookSecret: secret }) => {
  if (secret === undefined) return [];
  const refused = (broken: boolean, message: string) => when(broken, SECRET_PATH, message, FORMAT_PATH, URL_PATH, SOURCE_PATH);
  if (alarmWebhookUrl === undefined) return refused(true, "nothing is posted without alarmWebhookUrl; allowed: set that as well");
  return [
    ...refused(
      source?.cloud === "alicloud",
      "CloudMonitor signs nothing; allowed: leave it out (a robot of DingTalk can check a keyword, such as the bridge's name, instead)",
    ),
    ...refused(
      isAws(source?.cloud) && format === "wecom",
      "robots of WeCom check no signature: their URL alone is the secret; allowed: leave it out",
    ),
    ...refused(
      isAws(source?.cloud) && format === "json" && !signingToken().safeParse(secret).success,
      "not a secret of Standard Webhooks; allowed: base64 of 24 to 64 random bytes (openssl rand -base64 32)",
    ),
  ];
};

/** CloudMonitor knows robots of DingTalk as contacts, and callbacks with a form of its own. */
const formats: Rule = ({ source, alarmWebhookUrl, alarmWebhookFormat: format }) =>
  when(
    source?.cloud === "alicloud" && alarmWebhookUrl !== undefined && (format === "wecom" || format === "lark"),
    FORMAT_PATH,
    "CloudMonitor posts nothing in this format; allowed: dingtalk, or json with a receiver of yours that translates",
    SOURCE_PATH,
    URL_PATH,
  );

export const ALARM_RULES: readonly Rule[] = [oneTopic, signature, formats];
