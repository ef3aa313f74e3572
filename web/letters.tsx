/** Dead letters, by their reason, and the buttons that send them again. */
import { useState } from "preact/hooks";
import { type Snapshot, startTask, type TaskState } from "./api";
import { useWords } from "./context";
import { numberText } from "./format";
import { Ago, Empty, errorText, Key, RemedyView, Scroll } from "./parts";

interface LettersProps {
  snapshot: Snapshot;
  onOpen: (key: string) => void;
  /** Sends letters again. Undefined where the bridge has none. */
  redrive: TaskState | undefined;
}

export function Letters({ snapshot: { letters, troubles }, redrive, onOpen }: LettersProps) {
  const { t, language } = useWords();
  const { listed, groups } = letters;
  const result = redrive === undefined ? null : <RedriveResult task={redrive} />;
  if (letters.total === 0)
    return (
      <>
        <Empty>{t(letters.complete ? "lettersNone" : "lettersUnread")}</Empty>
        {result}
      </>
    );
  return (
    <>
      <ul class="groups">
        {groups.map(({ reason, letters: count }) => {
          const remedy = troubles.find((group) => group.status === "FAILED" && group.reason === reason)?.remedy;
          return (
            <li key={reason}>
              <div class="group">
                <span class="grow">
                  <strong>{count === 1 ? t("lettersOne") : t("lettersThere", { n: numberText(count, language) })}</strong>{" "}
                  <span class="reason">{reason}</span>
                </span>
                {redrive === undefined ? null : <Redrive task={redrive} count={count} reason={reason} />}
              </div>
              {remedy === undefined ? null : <RemedyView remedy={remedy} />}
            </li>
          );
        })}
      </ul>
      {result}
      <Scroll title={t("letters")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("key")}</th>
              <th scope="col">{t("reason")}</th>
              <th scope="col" class="number">
                {t("when")}
              </th>
            </tr>
          </thead>
          <tbody>
            {listed.map(({ key, reason, parkedMs }, index) => (
              <tr key={`${key} ${parkedMs} ${index}`}>
                <td class="cut">
                  <Key name={key} onOpen={onOpen} />
                </td>
                <td class="grow wrap">{reason}</td>
                <td class="number">{parkedMs === undefined ? "–" : <Ago atMs={parkedMs} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {listed.length < letters.total ? (
        <p class="muted">{t("lettersListed", { n: numberText(listed.length, language) })}</p>
      ) : null}
    </>
  );
}

/** Asks before it sends: a cause that is not mended gives the keys up again. */
function Redrive({ task, count, reason }: { task: TaskState; count: number; reason: string }) {
  const { t, language } = useWords();
  const [isAsking, setAsking] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const n = numberText(count, language);
  const send = () => {
    setAsking(false);
    setRefusal(undefined);
    startTask("redrive", { reason }).catch((error: unknown) => setRefusal(errorText(error)));
  };
  if (isAsking)
    return (
      <span class="ask">
        <span>{t("redriveAsk")}</span>
        <button type="button" class="primary" onClick={send} aria-label={`${t("redriveYes")}: ${reason}`}>
          {t("redriveYes")}
        </button>
        <button type="button" onClick={() => setAsking(false)}>
          {t("cancel")}
        </button>
      </span>
    );
  return (
    <>
      <button
        type="button"
        disabled={task.state === "running"}
        onClick={() => setAsking(true)}
        aria-label={`${t("redrive", { n })}: ${reason}`}
      >
        {t("redrive", { n })}
      </button>
      {refusal === undefined ? null : <p class="error">{t("error", { reason: refusal })}</p>}
    </>
  );
}

/** As `operator/operated-bridge.ts` has it. */
interface Redriven {
  handed: number;
  left: number;
  again?: number;
  complete: boolean;
}

function RedriveResult({ task: { state, progress, result, error } }: { task: TaskState }) {
  const { t, language } = useWords();
  const number = (value: number) => numberText(value, language);
  const { handed = 0, again = 0, complete = true } = (result ?? {}) as Partial<Redriven>;
  return (
    <div role="status">
      {state === "running" ? <p class="muted">{t("redriving", { n: number(progress?.done ?? 0) })}</p> : null}
      {state === "failed" ? <p class="error">{t("error", { reason: error ?? "" })}</p> : null}
      {state === "done" ? <p class="muted">{t("redriven", { n: number(handed) })}</p> : null}
      {state === "done" && again > 0 ? <p class="error">{t("redrivenAgain", { n: number(again) })}</p> : null}
      {state === "done" && !complete ? <p class="muted">{t("redrivenPartly")}</p> : null}
    </div>
  );
}
