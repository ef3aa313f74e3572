/** The notifier: hands each change of an alarm's state on to one webhook. */

import type { ConnectionOptions } from "../../http/agent";
import { type Call, type CallErrors, HttpClient, type Signed } from "../../http/client";
import { RenewingAgent } from "../../http/renewing-agent";
import type { WebhookFormat } from "../../protocol/env";
import { parseJson, textAt } from "../../protocol/json";
import type { Clock, Deadline, Logger } from "../../protocol/ports";
import { parseSecrets } from "../../protocol/signing";
import { BridgeError, type BridgeErrorKind, isBridgeError, retryAfterOf } from "../../stores/errors";
import { type AlarmNotice, messageOf, namedRefusalIn, refusalIn } from "./message";

/** Where the messages go. Neither value may be in a log or in an error. */
export interface Webhook {
  url: URL;
  secret: string | undefined;
}

export interface NotifierDeps {
  format: WebhookFormat;
  /** Name of the alarm that fires when the notifier fails. */
  ownAlarm: string;
  /** Rejects with an error that does not hold the values. */
  webhook: () => Promise<Webhook>;
  clock: Clock;
  logger: Logger;
  connection?: ConnectionOptions | undefined;
}

const OP = "notify";
/** What is left for the log and the answer at the end of an invocation. */
const MARGIN_MS = 1_000;
const ANSWER_TIMEOUT_MS = 10_000;
const UNSENT_USER = "the webhook's URL has a user name or a password, which is not sent; put the key into the path or the query";

/**
 * Reads `{"url", "secret"}`.
 * @throws BridgeError `ConfigInvalid` that says what is wrong, never the value
 */
export function parseWebhook(format: WebhookFormat, text: string): Webhook {
  const json = parseJson(text);
  const [url, secret] = [textAt(json, "url") ?? "", textAt(json, "secret")];
  if (!URL.canParse(url) || new URL(url).protocol !== "https:")
    throw new BridgeError("ConfigInvalid", OP, 'the webhook\'s parameter holds no {"url": "https://..."}');
  const parsed = new URL(url);
  if (parsed.username !== "" || parsed.password !== "") throw new BridgeError("ConfigInvalid", OP, UNSENT_USER);
  if (format === "json" && secret !== undefined) parseSecrets(secret);
  return { url: parsed, secret };
}

interface NotifyCall extends Call {
  url: URL;
  query: Record<string, string>;
  contentHeaders: Record<string, string>;
}

export class Notifier {
  readonly #deps: NotifierDeps;
  readonly #client: HttpClient<NotifyCall>;

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
    const { connection, clock, format } = deps;
    this.#client = new HttpClient({
      dispatcher: new RenewingAgent(connection, clock),
      errors: errorsOf(format),
      sign: addressed,
      now: () => clock.now(),
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
    });
  }

  /**
   * Resolves once the webhook has accepted the message, after a few tries within the invocation. The notifier's own alarm is tried as well,
   * but a failure of that is in the log alone: as an error it would ring the alarm again, without end.
   * @throws BridgeError that is safe to keep: the platform tries again later, and keeps the event at last
   */
  async notify(notice: AlarmNotice, deadline: Deadline): Promise<void> {
    const { logger, ownAlarm } = this.#deps;
    const { alarm, state } = notice;
    try {
      await this.#post(notice, deadline);
      logger.info("alarm handed on", { alarm, state });
    } catch (error) {
      logger.error("alarm not handed on", { alarm, state, error });
      if (alarm === ownAlarm) return;
      throw new BridgeError(isBridgeError(error) ? error.kind : "Unexpected", OP, textOfError(error));
    }
  }

  async #post(notice: AlarmNotice, deadline: Deadline): Promise<void> {
    const { format, webhook, clock } = this.#deps;
    const { url, secret } = await webhook();
    const { query, headers, body } = messageOf(format, notice, { secret, nowMs: this.#client.now() });
    const call: NotifyCall = {
      op: OP,
      method: "POST",
      url,
      query,
      contentHeaders: headers,
      body: Buffer.from(body),
      signal: clock.after(deadline.remainingMs() - MARGIN_MS),
    };
    await this.#client.send(call, (answer) => {
      const refusal = refusalIn(format, answer.body.toString("utf8"));
      if (refusal !== undefined) throw new BridgeError(refusal.kind, OP, `the webhook refused the message: ${refusal.text}`);
    });
  }
}

function addressed({ url, query, contentHeaders }: NotifyCall): Signed {
  const full = new URL(url);
  for (const [name, value] of Object.entries(query)) full.searchParams.set(name, value);
  return { origin: full.origin, path: `${full.pathname}${full.search}`, headers: { host: full.host, ...contentHeaders } };
}

/** With the cause where the secret could not be read: it names the parameter. The causes of connections are in the log alone. */
function textOfError(error: unknown): string {
  if (!(error instanceof Error)) return "the message could not be sent";
  const { message, cause } = error;
  return !isBridgeError(error) && cause instanceof Error ? `${message}: ${cause.message}` : message;
}

function kindOf(status: number): BridgeErrorKind {
  if (status >= 500 || status === 408) return "Unavailable";
  if (status === 429) return "RateLimited";
  if (status === 401 || status === 403) return "PermissionDenied";
  return status === 404 || status === 410 ? "NotFound" : "Invalid";
}

const errorsOf = (format: WebhookFormat): CallErrors => ({
  refused: (op, { status, headers, body }) => {
    const refusal = namedRefusalIn(format, body.toString("utf8"));
    const kind = refusal?.kind ?? kindOf(status);
    return new BridgeError(kind, op, `the webhook answered ${status}${refusal === undefined ? "" : `: ${refusal.text}`}`, {
      retryAfterSeconds: retryAfterOf(headers["retry-after"]),
    });
  },
  broken: (op, cause) =>
    isBridgeError(cause)
      ? cause
      : new BridgeError("Unavailable", op, "the webhook cannot be reached, or did not answer", { cause }),
  aborted: (op, cause) => new BridgeError("Unavailable", op, "the webhook did not answer in the time of the function", { cause }),
  isTransient: (error) => isBridgeError(error) && error.retryable,
});
