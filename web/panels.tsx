/** What the page shows of a snapshot. */
import type { ComponentChildren } from "preact";
import type { Snapshot } from "./api";
import { FlowChart, LagChart } from "./charts";
import { useNow, useWords } from "./context";
import { ageText, bytesText, durationText, numberText } from "./format";
import type { Word, Words } from "./i18n";
import { Ago, Empty, Key, Panel, Progress, placeText, RemedyView, Scroll } from "./parts";

interface Shown {
  snapshot: Snapshot;
  onOpen: (key: string) => void;
}

export function Route({ snapshot }: { snapshot: Snapshot }) {
  const { t } = useWords();
  return (
    <div class="route">
      <SideCard side="source" snapshot={snapshot} />
      <div class={`way ${snapshot.waiting > 0 ? "busy" : ""}`}>
        <svg viewBox="0 0 120 24" aria-hidden="true">
          <line x1="2" y1="12" x2="108" y2="12" />
          <path d="M102 6l8 6-8 6" />
          {snapshot.direction === "two-way" ? <path d="M16 6l-8 6 8 6" /> : null}
        </svg>
        <span>{snapshot.mode}</span>
        {snapshot.paused ? <span class="badge busy">{t("pausedBadge")}</span> : null}
      </div>
      <SideCard side="destination" snapshot={snapshot} />
    </div>
  );
}

function SideCard({ side, snapshot }: { side: "source" | "destination"; snapshot: Snapshot }) {
  const { t } = useWords();
  const { cloud, region, bucket, reachable } = snapshot[side];
  const state: Word = reachable === undefined ? "unknown" : reachable ? "reachable" : "unreachable";
  return (
    <div class="side">
      <span class="label">{t(side)}</span>
      <strong title={bucket}>{bucket}</strong>
      <span class="muted">
        {cloud} · {region}
      </span>
      <span class={`badge ${reachable === false ? "bad" : reachable ? "good" : ""}`}>{t(state)}</span>
    </div>
  );
}

export function Tiles({ snapshot }: { snapshot: Snapshot }) {
  const { t, language } = useWords();
  const now = useNow();
  const { backlog, flow, letters } = snapshot;
  const number = (value: number) => numberText(value, language);
  const details = [
    backlog.queued === undefined ? undefined : `${number(backlog.queued)} ${t("inQueue")}`,
    backlog.held === 0 ? undefined : `${number(backlog.held)} ${t("inOutage")}`,
    backlog.running === undefined ? undefined : `${number(backlog.running)} ${t("running")}`,
  ];
  const waiting = number(snapshot.waiting);
  const isCounted = !snapshot.unread.some((one) => one === "queue" || one === "outage" || one === "executions");
  const lag = (ms: number) => durationText(ms, language);
  return (
    <dl class="tiles">
      <Tile label={t("onTheirWay")} value={isCounted ? waiting : t("atLeast", { n: waiting })}>
        {details.filter((text) => text !== undefined).join(", ")}
      </Tile>
      <Tile label={t("oldest")} value={backlog.oldest ? ageText(now - backlog.oldest.sinceMs, language) : t("none")}>
        {backlog.oldest?.key}
      </Tile>
      <Tile label={t("lagTile")} value={flow.lag ? lag(flow.lag.p50Ms) : "–"}>
        {flow.lag ? `${t("p95", { value: lag(flow.lag.p95Ms) })} · ${t("p99", { value: lag(flow.lag.p99Ms) })}` : ""}
      </Tile>
      <Tile label={t("moved", { n: flow.windowMs / 60_000 })} value={bytesText(flow.bytes, language)}>
        {objectsText(flow.replicated + flow.deleted, { t, language })}
        {flow.complete ? "" : ` · ${t("newestOnly")}`}
      </Tile>
      <Tile
        label={t("deadLetters")}
        value={letters.complete ? number(letters.total) : t("atLeast", { n: number(letters.total) })}
      />
    </dl>
  );
}

const objectsText = (count: number, { t, language }: Pick<Words, "t" | "language">): string =>
  count === 1 ? t("objectsOne") : t("objects", { n: numberText(count, language) });

function Tile({ label, value, children }: { label: string; value: string; children?: ComponentChildren }) {
  return (
    <div class="tile">
      <dt>{label}</dt>
      <dd class="value">{value}</dd>
      <dd class="muted">{children}</dd>
    </div>
  );
}

/** @param troubles the largest group first */
/** Queues that somebody deleted, and what mends them. */
export function Gone({ snapshot: { gone, goneRemedy } }: { snapshot: Snapshot }) {
  if (gone.length === 0) return null;
  return (
    <ul class="troubles">
      <li class="bad">
        <div class="count" />
        <div>
          <p class="reason">{gone.join("; ")}</p>
          {goneRemedy === undefined ? null : <RemedyView remedy={goneRemedy} />}
        </div>
      </li>
    </ul>
  );
}

export function Troubles({ troubles, onOpen }: { troubles: Snapshot["troubles"]; onOpen: Shown["onOpen"] }) {
  const { t } = useWords();
  if (troubles.length === 0) return <Empty>{t("troublesNone")}</Empty>;
  return (
    <ul class="troubles">
      {troubles.map((group) => (
        <Trouble key={`${group.status} ${group.place} ${group.store} ${group.reason}`} group={group} onOpen={onOpen} />
      ))}
    </ul>
  );
}

function Trouble({ group, onOpen }: { group: Snapshot["troubles"][number]; onOpen: Shown["onOpen"] }) {
  const { t, language } = useWords();
  const now = useNow();
  const { status, reason, place, store, objects, example, failures, held, sinceMs, nextTryMs, remedy } = group;
  const keys = objects === 1 ? t("keysOne") : t("keys", { n: numberText(objects, language) });
  const next =
    held === objects ? t("nextHeld") : nextTryMs === undefined ? undefined : nextText(nextTryMs - now, { t, language });
  const details = [
    failures === 0 ? undefined : failures === 1 ? t("failedOnce") : t("failedUpTo", { n: failures }),
    held === 0 ? undefined : t("heldCount", { n: numberText(held, language) }),
    sinceMs === undefined ? undefined : t("waitsSince", { time: ageText(now - sinceMs, language) }),
    status === "PENDING" ? next : t(status),
  ].filter((text) => text !== undefined);
  const where = placeText({ place, store }, t);
  return (
    <li class={status === "PENDING" ? "" : "bad"}>
      <div class="count">
        <strong>{keys}</strong>
      </div>
      <div>
        <p class="reason">
          {where === undefined ? null : <span class="place">{where}</span>} {reason}
        </p>
        <p class="muted">
          {details.join(" · ")} · {t("example")} <Key name={example} onOpen={onOpen} />
        </p>
        {remedy === undefined ? null : <RemedyView remedy={remedy} />}
      </div>
    </li>
  );
}

function nextText(ms: number, { t, language }: Pick<Words, "t" | "language">): string {
  return ms > 0 ? t("nextIn", { time: ageText(ms, language) }) : t("nextDue");
}

export function Charts({ snapshot: { flow } }: { snapshot: Snapshot }) {
  const { t } = useWords();
  return (
    <>
      <Panel
        id="lag"
        title={t("lagChart")}
        aside={
          <span class="legend">
            <i class="p50Ms" /> {t("median")} <i class="p95Ms" /> {t("p95Name")}
          </span>
        }
      >
        {flow.lag === undefined ? (
          <Empty>{t("lagChartNone", { n: flow.windowMs / 60_000 })}</Empty>
        ) : (
          <LagChart minutes={flow.minutes} />
        )}
      </Panel>
      <Panel id="flow" title={t("flowChart")}>
        <FlowChart minutes={flow.minutes} />
      </Panel>
    </>
  );
}

const RESULT_WORDS: Readonly<Record<string, Word>> = {
  replicated: "replicated",
  unchanged: "unchanged",
  superseded: "superseded",
  waiting: "waitingResult",
  retry: "retry",
  rejected: "rejected",
};

export function Recent({ snapshot: { recent, flow }, onOpen }: Shown) {
  const { t, language } = useWords();
  if (recent.length === 0) return <Empty>{t("recentNone", { n: flow.windowMs / 60_000 })}</Empty>;
  return (
    <Scroll title={t("recent")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("key")}</th>
            <th scope="col">{t("result")}</th>
            <th scope="col" class="number">
              {t("size")}
            </th>
            <th scope="col" class="number">
              {t("when")}
            </th>
          </tr>
        </thead>
        <tbody>
          {recent.map(({ key, result, bytes, atMs, reason }) => {
            const word = RESULT_WORDS[result];
            return (
              <tr key={`${key} ${atMs}`}>
                <td class="grow">
                  <Key name={key} onOpen={onOpen} />
                </td>
                <td>
                  <span class={`badge ${toneOf(result)}`} title={reason}>
                    {word === undefined ? result : t(word)}
                  </span>
                </td>
                <td class="number">{bytes === undefined || bytes === 0 ? "–" : bytesText(bytes, language)}</td>
                <td class="number">
                  <Ago atMs={atMs} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function toneOf(result: string): string {
  if (result === "replicated") return "good";
  return result === "retry" || result === "rejected" ? "bad" : "";
}

export function Copies({ snapshot: { copies }, onOpen }: Shown) {
  const { t, language } = useWords();
  if (copies.length === 0) return <Empty>{t("copiesNone")}</Empty>;
  return (
    <ul class="copies">
      {copies.map(({ key, sizeBytes, movedBytes }) => {
        const share = sizeBytes && movedBytes !== undefined ? Math.min(1, movedBytes / sizeBytes) : undefined;
        const size = sizeBytes === undefined ? "" : bytesText(sizeBytes, language);
        return (
          <li key={key}>
            <Key name={key} onOpen={onOpen} />
            <Progress value={share} label={key} />
            <span class="muted">
              {movedBytes === undefined
                ? [size, t("copyStream")].filter((text) => text !== "").join(" · ")
                : t("copyOf", { moved: bytesText(movedBytes, language), size })}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

export function Notes({ notes }: { notes: readonly string[] }) {
  const { t } = useWords();
  if (notes.length === 0) return null;
  return (
    <details class="notes">
      <summary>
        {t("notes")} ({notes.length})
      </summary>
      <ul>
        {notes.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </details>
  );
}
