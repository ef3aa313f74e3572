/** Who hears the alarms of a source in Alibaba Cloud. */
import { quietly } from "../bridge-fixture";
import { push, recorded } from "./fixture";

beforeEach(quietly);

const URL_TEXT = "https://oapi.dingtalk.com/robot/send?access_token=4711";
const ALARM = "alicloud:cms/alarm:Alarm";

test("addresses and a robot of DingTalk are contacts of a group of the bridge, which every alarm notifies", async () => {
  const { get, resources } = await recorded(
    push({
      alarmEmails: ["ops@example.com"],
      alarmWebhookUrl: URL_TEXT,
      alarmWebhookFormat: "dingtalk",
      alarmContactGroups: ["ours"],
    }),
  );
  expect(get("b-alarms-1").inputs).toEqual({
    alarmContactName: "cbb_b_1",
    describe: "Alarms of bridge b",
    channelsMail: "ops@example.com",
  });
  expect(get("b-alarms-robot").inputs).toMatchObject({ alarmContactName: "cbb_b_robot", channelsDingWebHook: URL_TEXT });
  expect(get("b-alarms").inputs).toMatchObject({
    alarmContactGroupName: "crossborderbridge-b",
    contacts: ["cbb_b_1", "cbb_b_robot"],
  });
  const alarms = resources.filter(({ type }) => type === ALARM);
  expect(alarms.length).toBeGreaterThan(3);
  for (const { inputs } of alarms) {
    expect(inputs.contactGroups).toEqual(["ours", "crossborderbridge-b"]);
    expect(inputs).not.toHaveProperty("webhook");
  }
});

test("JSON is CloudMonitor's own callback of each alarm", async () => {
  const { resources } = await recorded(push({ alarmWebhookUrl: "https://hooks.example.com/4711" }));
  expect(resources.filter(({ type }) => /alarmContact/.test(type))).toEqual([]);
  for (const { inputs } of resources.filter(({ type }) => type === ALARM))
    expect(inputs).toMatchObject({ contactGroups: ["Default Contact Group"], webhook: "https://hooks.example.com/4711" });
});
