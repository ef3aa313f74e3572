/** A change of an alarm as SNS delivers it to a function, in the form of https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html */
export const ALARM = {
  AlarmName: "crossborderbridge-reports-late",
  AlarmDescription:
    "Bridge reports: a key is not at the destination 3 minutes after its event. Read the reason with `npm run bridge -- status`. See https://wiki.example.com/runbook#late",
  AWSAccountId: "111111111111",
  AlarmConfigurationUpdatedTimestamp: "2026-11-30T15:00:00.000+0000",
  NewStateValue: "ALARM",
  NewStateReason: "Threshold Crossed: 1 datapoint [240000.0 (30/11/26 16:00:00)] was greater than the threshold (180000.0).",
  StateChangeTime: "2026-11-30T16:01:02.345+0000",
  Region: "US East (N. Virginia)",
  AlarmArn: "arn:aws:cloudwatch:us-east-1:111111111111:alarm:crossborderbridge-reports-late",
  OldStateValue: "OK",
  OKActions: [],
  AlarmActions: ["arn:aws:sns:us-east-1:111111111111:crossborderbridge-reports-alarms"],
  InsufficientDataActions: [],
  Trigger: {
    MetricName: "OldestUnprovenAgeMs",
    Namespace: "CrossBorderBridge",
    StatisticType: "Statistic",
    Statistic: "MAXIMUM",
  },
};

export const MESSAGE_ID = "95df01b4-ee98-5cb9-9903-4c221d41eb5e";

export const snsEvent = (message: string, subject?: string) => ({
  Records: [
    {
      EventVersion: "1.0",
      EventSource: "aws:sns",
      EventSubscriptionArn: "arn:aws:sns:us-east-1:111111111111:crossborderbridge-reports-alarms:21be56ed",
      Sns: {
        SignatureVersion: "1",
        Timestamp: "2026-11-30T16:01:03.000Z",
        MessageId: MESSAGE_ID,
        Message: message,
        MessageAttributes: {},
        Type: "Notification",
        TopicArn: "arn:aws:sns:us-east-1:111111111111:crossborderbridge-reports-alarms",
        ...(subject === undefined ? {} : { Subject: subject }),
      },
    },
  ],
});

export const ALARM_EVENT = snsEvent(JSON.stringify(ALARM), 'ALARM: "crossborderbridge-reports-late" in US East (N. Virginia)');

/** What people read of it. */
export const ALARM_TEXT = [
  "[ALARM] crossborderbridge-reports-late",
  ALARM.AlarmDescription,
  `Reason: ${ALARM.NewStateReason}`,
  "2026-11-30T16:01:02.345+0000, us-east-1, account 111111111111",
].join("\n");
