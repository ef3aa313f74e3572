/**
 * Alarms of CloudWatch as SNS delivers them to a function.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
 */
import { arrayAt, at, parseJson, textAt } from "../../protocol/json";
import type { AlarmNotice } from "../../roles/notifier/message";

/** A message that is no alarm, such as one that an operator publishes to try the way, is handed on as it is. @throws Error for no event of SNS */
export function readAlarmEvent(event: unknown): AlarmNotice[] {
  const records = arrayAt(event, "Records");
  if (records === undefined) throw new Error("the notifier's event is none of SNS");
  return records.map((record) => noticeOf(at(record, "Sns")));
}

function noticeOf(sns: unknown): AlarmNotice {
  const [id, message] = [textAt(sns, "MessageId"), textAt(sns, "Message")];
  if (id === undefined || message === undefined)
    throw new Error("the notifier's event has a record without MessageId and Message");
  const alarm = parseJson(message);
  const [name, state] = [textAt(alarm, "AlarmName"), textAt(alarm, "NewStateValue")];
  if (name === undefined || state === undefined)
    return { id, alarm: textAt(sns, "Subject") ?? "message", state: "MESSAGE", text: message, at: textAt(sns, "Timestamp") };
  return {
    id,
    alarm: name,
    state,
    text: textAt(alarm, "AlarmDescription") ?? "",
    reason: textAt(alarm, "NewStateReason"),
    at: textAt(alarm, "StateChangeTime"),
    region: regionOf(alarm),
    accountId: textAt(alarm, "AWSAccountId"),
  };
}

/** `Region` is a name for people. The code is in the alarm's ARN. */
const regionOf = (alarm: unknown): string | undefined => textAt(alarm, "AlarmArn")?.split(":")[3] ?? textAt(alarm, "Region");
