/** AWS Lambda entry of the notifier: messages of the topic that the alarms notify. */
import { Notifier, parseWebhook } from "../../roles/notifier/notifier";
import { createSecretCache } from "../secret-cache";
import { readAlarmEvent } from "./alarm-event";
import { readParameters } from "./services";
import { createHandler, startFunction } from "./start";

const { config, clock, logger, api } = startFunction("notifier", process.env);
const { format, ownAlarm, parameter } = config;

const notifier = new Notifier({
  format,
  ownAlarm,
  clock,
  logger,
  webhook: createSecretCache({
    load: readParameters(api)(parameter),
    parse: (text) => parseWebhook(format, text),
    clock,
    logger,
  }),
});

export const handler = createHandler(async (event: unknown, deadline) => {
  for (const notice of readAlarmEvent(event)) await notifier.notify(notice, deadline);
});
