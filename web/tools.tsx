/** What the page does: look a key up, send a file across, count the objects, measure the latency. */

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import {
  cancelTask,
  type Hello,
  putFile,
  type ShownStatus,
  startTask,
  statusOf,
  type TaskInput,
  type TaskState,
  type Verified,
} from "./api";
import { useNow, useWords } from "./context";
import { ageText, bytesText, durationText, numberText } from "./format";
import { Troubles } from "./panels";
import { errorText, Progress, RemedyView } from "./parts";
import { VerifyFields, VerifyResult } from "./verify";

interface LookUpProps {
  wanted: string;
  setWanted: (key: string) => void;
  field: RefObject<HTMLInputElement | null>;
}

export function LookUp({ wanted, setWanted, field }: LookUpProps) {
  const { t } = useWords();
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<{ key: string; status?: ShownStatus; error?: string } | undefined>();
  useEffect(() => {
    if (wanted === "") return;
    setTyped(wanted);
    let isCurrent = true;
    statusOf(wanted).then(
      (status) => isCurrent && setFound({ key: wanted, status }),
      (error: unknown) => isCurrent && setFound({ key: wanted, error: errorText(error) }),
    );
    return () => {
      isCurrent = false;
    };
  }, [wanted]);
  const submit = (event: Event) => {
    event.preventDefault();
    // The same key again is a new look.
    setWanted("");
    queueMicrotask(() => setWanted(typed));
  };
  return (
    <>
      <form class="row" onSubmit={submit}>
        <label class="field">
          <span class="label">{t("lookUpHint")}</span>
          <input
            ref={field}
            value={typed}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <button type="submit" class="primary" disabled={typed === ""}>
          {t("lookUpButton")}
        </button>
      </form>
      <div role="status">
        {found?.error === undefined ? null : <p class="error">{t("error", { reason: found.error })}</p>}
        {found?.status === undefined ? null : <KeyView status={found.status} />}
      </div>
    </>
  );
}

const TONES: Readonly<Record<string, string>> = {
  COMPLETED: "good",
  REPLICA: "good",
  FAILED: "bad",
  NONE: "bad",
  PENDING: "busy",
};

function KeyView({ status: { key, status, reason, sizeBytes, versionId, lagMs, progress, remedy } }: { status: ShownStatus }) {
  const { t, language } = useWords();
  const now = useNow();
  const details = [
    sizeBytes === undefined ? undefined : bytesText(sizeBytes, language),
    versionId === undefined ? undefined : `${t("version")} ${versionId}`,
    lagMs === undefined ? undefined : t("lag", { time: ageText(lagMs, language) }),
    progress?.sinceMs === undefined ? undefined : t("waitsSince", { time: ageText(now - progress.sinceMs, language) }),
    progress && progress.failures > 0 ? t("failedUpTo", { n: progress.failures }) : undefined,
    progress?.nextTryMs === undefined || progress.nextTryMs < now
      ? undefined
      : t("nextIn", { time: ageText(progress.nextTryMs - now, language) }),
  ].filter((text) => text !== undefined);
  return (
    <div class="found">
      <p>
        <span class={`badge ${TONES[status] ?? ""}`}>{t(status)}</span> <strong class="break">{key}</strong>
      </p>
      <p class="muted break">{details.join(" · ")}</p>
      {reason === undefined ? null : <p class="reason">{reason}</p>}
      {remedy === undefined ? null : <RemedyView remedy={remedy} />}
    </div>
  );
}

interface Sent {
  id: number;
  key: string;
  sizeBytes: number;
  stage: "uploading" | "crossing" | "across" | "failed";
  lagMs?: number;
  reason?: string;
}

const LOOK_EVERY_MS = 400;
const GIVE_UP_MS = 10 * 60_000;

export function Drop({ maxBytes }: { maxBytes: number }) {
  const { t, language } = useWords();
  const [prefix, setPrefix] = useState("");
  const [sent, setSent] = useState<Sent[]>([]);
  const [isOver, setIsOver] = useState(false);
  const counter = useRef(0);

  async function send(file: File): Promise<void> {
    counter.current += 1;
    const id = counter.current;
    const key = prefix + file.name;
    const change = (changed: Partial<Sent>) => setSent((all) => all.map((one) => (one.id === id ? { ...one, ...changed } : one)));
    setSent((all) => [{ id, key, sizeBytes: file.size, stage: "uploading" }, ...all]);
    try {
      await putFile(key, file);
      const putMs = Date.now();
      change({ stage: "crossing" });
      while (Date.now() - putMs < GIVE_UP_MS) {
        const { status, reason = "" } = await statusOf(key);
        if (status === "COMPLETED") return change({ stage: "across", lagMs: Date.now() - putMs });
        if (status === "FAILED") return change({ stage: "failed", reason });
        change({ reason });
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    } catch (error) {
      change({ stage: "failed", reason: errorText(error) });
    }
  }

  const sendAll = (files: FileList | null | undefined) => {
    for (const file of files ?? []) void send(file);
  };
  return (
    <>
      <div class="row">
        <label class="field">
          <span class="label">{t("dropPrefix")}</span>
          <input
            value={prefix}
            onInput={({ currentTarget }) => setPrefix(currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
      </div>
      <label
        class={`drop ${isOver ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          sendAll(event.dataTransfer?.files);
        }}
      >
        <input
          type="file"
          multiple
          class="visually-hidden"
          onChange={({ currentTarget }) => {
            sendAll(currentTarget.files);
            currentTarget.value = "";
          }}
        />
        <span>{t("dropHint")}</span>
        <span class="muted">{t("dropMost", { size: bytesText(maxBytes, language) })}</span>
      </label>
      <ul class="sent" aria-live="polite">
        {sent.map(({ id, key, sizeBytes, stage, lagMs = 0, reason }) => (
          <li key={id} class={stage}>
            <span class="break">
              {key} <span class="muted">{bytesText(sizeBytes, language)}</span>
            </span>
            {stage === "uploading" || stage === "crossing" ? <Progress value={undefined} label={key} /> : null}
            <span class={stage === "across" ? "badge good" : stage === "failed" ? "error" : "muted"}>
              {stage === "across" ? t("across", { time: durationText(lagMs, language) }) : null}
              {stage === "failed" ? t("error", { reason: reason ?? "" }) : null}
              {stage === "uploading" || stage === "crossing" ? t(stage) : null}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

type TaskName = TaskState["name"];
const HINTS = {
  count: "countHint",
  probe: "probeHint",
  verify: "verifyHint",
  redrive: "lettersMore",
} as const satisfies Record<TaskName, string>;
const NAMES = {
  count: "count",
  probe: "probe",
  verify: "verify",
  redrive: "letters",
} as const satisfies Record<TaskName, string>;

interface TaskViewProps {
  task: TaskState;
  hello: Hello;
  onOpen: (key: string) => void;
}

export function TaskView({ task, hello, onOpen }: TaskViewProps) {
  const [input, setInput] = useState<TaskInput>({});
  const { t, language } = useWords();
  const now = useNow();
  const [refusal, setRefusal] = useState<string>();
  const { name, state, progress, error, endedMs, result } = task;
  const act = (work: Promise<unknown>) => {
    setRefusal(undefined);
    work.catch((failure: unknown) => setRefusal(errorText(failure)));
  };
  const isRunning = state === "running";
  const done = numberText(progress?.done ?? 0, language);
  const share = progress?.total ? progress.done / progress.total : undefined;
  return (
    <div class="task">
      <div class="row">
        <div class="grow">
          <h3>{t(NAMES[name])}</h3>
          <p class="muted">{t(HINTS[name])}</p>
        </div>
        <button
          type="button"
          onClick={() => act(isRunning ? cancelTask(name) : startTask(name, input))}
          aria-label={`${t(isRunning ? "cancel" : "start")}: ${t(NAMES[name])}`}
        >
          {t(isRunning ? "cancel" : "start")}
        </button>
      </div>
      {name === "verify" ? <VerifyFields input={input} onInput={setInput} isDisabled={isRunning} /> : null}
      <div role="status">
        {isRunning ? (
          <p class="running">
            <Progress value={share} label={t(NAMES[name])} />
            <span class="muted">
              {progress?.total === undefined
                ? t("working", { n: done })
                : t("workingOf", { n: done, total: numberText(progress.total, language) })}
            </span>
          </p>
        ) : null}
        {state === "cancelled" ? <p class="muted">{t("cancelled")}</p> : null}
        {refusal === undefined && error === undefined ? null : (
          <p class="error">{t("error", { reason: refusal ?? error ?? "" })}</p>
        )}
        {state === "done" && endedMs !== undefined ? (
          <>
            <TaskResult {...{ name, result, hello, onOpen }} />
            <p class="muted">{t("ended", { time: ageText(now - endedMs, language) })}</p>
          </>
        ) : null}
      </div>
    </div>
  );
}

/** As `operator/watch/bridge-tasks.ts` makes them. */
interface Counted {
  objects: number;
  bytes: number;
  statuses: Record<ShownStatus["status"], { objects: number; bytes: number }>;
  troubles: Parameters<typeof Troubles>[0]["troubles"];
}
interface Probed {
  groups: {
    direction: string;
    sizeBytes: number;
    durationsMs: number[];
    gaveUp: number;
    quantiles?: { p50Ms: number; p95Ms: number; maxMs: number };
  }[];
  left: string[];
}

interface TaskResultProps extends Omit<TaskViewProps, "task"> {
  name: TaskName;
  result: unknown;
}

function TaskResult({ name, result, hello, onOpen }: TaskResultProps) {
  switch (name) {
    case "count":
      return <CountResult {...(result as Counted)} onOpen={onOpen} />;
    case "verify":
      return <VerifyResult result={result as Verified} {...{ hello, onOpen }} />;
    case "probe":
      return <ProbeResult {...(result as Probed)} />;
    case "redrive":
      return null;
  }
}

function CountResult({ objects, bytes, statuses, troubles, onOpen }: Counted & { onOpen: (key: string) => void }) {
  const { t, language } = useWords();
  const rows = (Object.keys(statuses) as (keyof typeof statuses)[]).filter((status) => statuses[status].objects > 0);
  const row = (label: ComponentChildren, sum: { objects: number; bytes: number }) => (
    <tr>
      <th scope="row">{label}</th>
      <td class="number">{numberText(sum.objects, language)}</td>
      <td class="number">{bytesText(sum.bytes, language)}</td>
    </tr>
  );
  return (
    <>
      <table>
        <tbody>
          {rows.map((status) => row(<span class={`badge ${TONES[status] ?? ""}`}>{t(status)}</span>, statuses[status]))}
          {row(t("total"), { objects, bytes })}
        </tbody>
      </table>
      {troubles.length === 0 ? null : <Troubles troubles={troubles} onOpen={onOpen} />}
    </>
  );
}

function ProbeResult({ groups, left }: Probed) {
  const { t, language } = useWords();
  const time = (ms: number | undefined) => (ms === undefined ? "–" : durationText(ms, language));
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("direction")}</th>
            <th scope="col" class="number">
              {t("size")}
            </th>
            <th scope="col" class="number">
              {t("samples")}
            </th>
            <th scope="col" class="number">
              p50
            </th>
            <th scope="col" class="number">
              max
            </th>
            <th scope="col" class="number">
              {t("gaveUp")}
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ direction, sizeBytes, durationsMs, gaveUp, quantiles }) => (
            <tr key={`${direction} ${sizeBytes}`}>
              <td>{direction.replace("->", " → ")}</td>
              <td class="number">{bytesText(sizeBytes, language)}</td>
              <td class="number">{durationsMs.length}</td>
              <td class="number">{time(quantiles?.p50Ms)}</td>
              <td class="number">{time(quantiles?.maxMs)}</td>
              <td class="number">{gaveUp}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {left.map((text) => (
        <p key={text} class="error">
          {text}
        </p>
      ))}
    </>
  );
}
