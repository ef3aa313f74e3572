/** The contacts of CloudMonitor that the alarms of a source in Alibaba Cloud notify. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, Notified } from "../cloud";

/**
 * A contact for each address and one for a robot of DingTalk, in a group of the bridge. An address gets nothing before its owner opens the
 * link that CloudMonitor sends. JSON goes to a callback of each alarm instead.
 * https://www.alibabacloud.com/help/en/cms/developer-reference/api-cms-2019-01-01-putcontact
 */
export function createContacts(context: BridgeContext): Notified {
  const { config, provider, parent, webhook } = context;
  const child = { parent, provider };
  const create = (part: string, describe: string, channel: Partial<alicloud.cms.AlarmContactArgs>) =>
    new alicloud.cms.AlarmContact(
      `${context.name}-alarms-${part}`,
      { alarmContactName: contactName(config.name, part), describe, ...channel },
      child,
    );
  const isRobot = webhook !== undefined && config.alarmWebhookFormat === "dingtalk";
  const contacts = [
    ...[...new Set(config.alarmEmails)].map((address, index) =>
      create(String(index + 1), `Alarms of bridge ${config.name}`, { channelsMail: address }),
    ),
    ...(isRobot
      ? [create("robot", `Robot for alarms of bridge ${config.name}`, { channelsDingWebHook: pulumi.secret(webhook.url) })]
      : []),
  ];
  const callback = webhook === undefined || isRobot ? {} : { alarmCallback: webhook.url };
  if (contacts.length === 0) return callback;
  const group = new alicloud.cms.AlarmContactGroup(
    `${context.name}-alarms`,
    {
      alarmContactGroupName: `crossborderbridge-${config.name}`,
      describe: `Alarms of bridge ${config.name}`,
      contacts: contacts.map(({ alarmContactName }) => alarmContactName),
    },
    child,
  );
  return { ...callback, ownContactGroup: group.alarmContactGroupName };
}

/** 2 to 40 of letters, digits, periods and underscores. https://www.alibabacloud.com/help/en/ros/developer-reference/aliyun-cms-contact */
const contactName = (bridgeId: string, part: string): string => `cbb_${bridgeId.replaceAll("-", "_")}_${part}`;
