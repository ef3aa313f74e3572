/** The state of the bridge in one line. It is green only for what was seen a moment ago. */
import { commandFor, type Hello, type Snapshot } from "./api";
import { useNow, useWords } from "./context";
import { ageText, numberText } from "./format";
import type { Word, Words } from "./i18n";
import { placeText } from "./parts";

const LOST_SIDES = ["source", "destination"] as const;

interface HeadlineProps {
  snapshot: Snapshot;
  hello: Hello;
  isStale: boolean;
}

/** The verdict of the last look, unless that look is old: then nothing is known. */
export function Headline({ snapshot, hello, isStale }: HeadlineProps) {
  const words = useWords();
  const now = useNow();
  const { tone, title, more } = isStale
    ? {
        tone: "unknown",
        title: words.t("stale"),
        more: words.t("staleMore", { time: ageText(now - snapshot.atMs, words.language) }),
      }
    : { tone: snapshot.verdict.tone, ...headlineOf(snapshot, { now, hello, words }) };
  return (
    <div class={`headline ${tone}`} role="status">
      <span class="dot" aria-hidden="true" />
      <div>
        <h1>{title}</h1>
        <p>{more}</p>
      </div>
    </div>
  );
}

interface Told {
  now: number;
  hello: Hello;
  words: Words;
}

function headlineOf(snapshot: Snapshot, { now, hello, words }: Told): { title: string; more: string } {
  const { t, language } = words;
  const { verdict, letters, backlog, waiting, unread, errors, stuck, gone } = snapshot;
  const lost = LOST_SIDES.filter((side) => snapshot[side].reachable === false);
  const messages = lost.map((side) => snapshot[side].message ?? "").join(" ");
  const keys = waiting === 1 ? t("waitingOne") : t("waiting", { n: numberText(waiting, language) });
  const since = backlog.oldest && t("waitingSince", { time: ageText(now - backlog.oldest.sinceMs, language) });
  const count = letters.total === 1 ? t("lettersOne") : t("lettersThere", { n: numberText(letters.total, language) });
  switch (verdict.id) {
    case "lostBoth":
      return { title: t("lostBoth"), more: messages };
    case "lost":
      return { title: t("lost", { side: t(lost[0] === "source" ? "sourceInText" : "destinationInText") }), more: messages };
    case "gone":
      return { title: t(gone.length === 1 ? "queueGone" : "queuesGone"), more: gone.join(" · ") };
    case "stuck": {
      const n = numberText(stuck?.keys ?? 0, language);
      const reason = [stuck && placeText(stuck, t), stuck?.reason].filter((text) => text !== undefined).join(": ");
      return {
        title: stuck?.keys === 1 ? t("stuckOne") : t("stuck", { n }),
        more: [reason, since, letters.total > 0 ? count : undefined].filter((text) => text !== undefined).join(" · "),
      };
    }
    case "paused": {
      const parts = [
        t("pausedMore", { command: commandFor("resume", hello) }),
        waiting > 0 ? keys : "",
        letters.total > 0 ? count : "",
      ];
      return { title: t("bridgePaused"), more: parts.filter((text) => text !== "").join(" · ") };
    }
    case "letters":
      return { title: count, more: t("lettersMore") };
    case "errors":
      return { title: t("functionsFail"), more: errors?.last ?? "" };
    case "waiting":
      return { title: keys, more: since ?? "" };
    case "unread":
      return { title: t("notKnown"), more: t("notKnownMore", { parts: unread.map((one) => t(UNREAD_WORDS[one])).join(", ") }) };
    case "native":
      return { title: t("nativeReachable"), more: t("nativeMore") };
    case "across":
      return { title: t("allAcross"), more: t("allAcrossMore") };
  }
}

const UNREAD_WORDS = {
  sides: "unreadSides",
  letters: "unreadLetters",
  queue: "unreadQueue",
  outage: "unreadOutage",
  executions: "unreadExecutions",
  log: "unreadLog",
} as const satisfies Record<Snapshot["unread"][number], Word>;
