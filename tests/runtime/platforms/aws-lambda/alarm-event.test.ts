import { readAlarmEvent } from "../../../../runtime/platforms/aws-lambda/alarm-event";
import { ALARM, ALARM_EVENT, MESSAGE_ID, snsEvent } from "../../roles/notifier/alarm-fixture";

test("an alarm of CloudWatch becomes a notice with the code of its region", () => {
  expect(readAlarmEvent(ALARM_EVENT)).toEqual([
    {
      id: MESSAGE_ID,
      alarm: "crossborderbridge-reports-late",
      state: "ALARM",
      text: ALARM.AlarmDescription,
      reason: ALARM.NewStateReason,
      at: "2026-11-30T16:01:02.345+0000",
      region: "us-east-1",
      accountId: "111111111111",
    },
  ]);
});

test.each([
  ["text", "is anybody there?"],
  ["JSON of something else", '{"AlarmName":"late"}'],
])("a message that is %s is handed on as it is", (_name, message) => {
  const at = "2026-11-30T16:01:03.000Z";
  expect(readAlarmEvent(snsEvent(message, "A test"))).toEqual([
    { id: MESSAGE_ID, alarm: "A test", state: "MESSAGE", text: message, at },
  ]);
  expect(readAlarmEvent(snsEvent(message))).toMatchObject([{ alarm: "message" }]);
});

test.each([
  ["no object", "text"],
  ["an event of another service", { source: "aws.events" }],
  ["a record of SQS", { Records: [{ messageId: "1", body: "late" }] }],
])("%s is refused, and not quoted", (_name, event) => {
  expect(() => readAlarmEvent(event)).toThrow(/^the notifier's event /);
  expect(() => readAlarmEvent(event)).not.toThrow(/late|aws\.events/);
});
