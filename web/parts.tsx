/** Small parts that several panels share. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Remedy } from "./api";
import { useNow, useWords } from "./context";
import { ageText } from "./format";
import type { Words } from "./i18n";

interface PanelProps {
  id: string;
  title: string;
  /** Beside the title. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}

export function Panel({ id, title, aside, children }: PanelProps) {
  return (
    <section class="panel" aria-labelledby={`${id}-title`} id={id}>
      <header class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

export const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>;

/** Scrolls by the keyboard as well, so it takes the focus. */
export function Scroll({ title, children }: { title: string; children: ComponentChildren }) {
  const { t } = useWords();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus the keyboard cannot scroll it (WCAG 2.1.1)
    <section class="scroll" aria-label={t("listOf", { title })} tabIndex={0}>
      {children}
    </section>
  );
}

/** `12 s ago`, with the whole time in the tooltip. */
export function Ago({ atMs }: { atMs: number }) {
  const { t, language } = useWords();
  const date = new Date(atMs);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString(language)}>
      {t("ago", { time: ageText(useNow() - atMs, language) })}
    </time>
  );
}

/** A key; as a button it looks the key up. A letter that could not be read has none. */
export function Key({ name, onOpen }: { name: string; onOpen: (key: string) => void }) {
  const { t } = useWords();
  if (name === "") return <span class="muted">{t("noKey")}</span>;
  return (
    <button type="button" class="key" onClick={() => onOpen(name)} title={name}>
      {name}
    </button>
  );
}

const SHOWN_MS = 1_500;

export function Command({ text }: { text: string }) {
  const { t } = useWords();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" onClick={() => void copy().catch(() => undefined)}>
        {copied ? t("copied") : t("copyCommand")}
      </button>
    </div>
  );
}

/** Undefined where the place is not known. */
export function placeText(
  { place, store }: { place?: string | undefined; store?: string | undefined },
  t: Words["t"],
): string | undefined {
  const isKnown = place === "border" || place === "source" || place === "destination";
  return isKnown ? [t(place), store].filter((text) => text !== undefined).join(" ") : undefined;
}

/** What to do, in its order. */
export function RemedyView({ remedy }: { remedy: Remedy }) {
  const { t, advice } = useWords();
  const steps = [remedy.first, remedy].filter((step) => step !== undefined);
  return (
    <ol class={`remedy ${steps.length > 1 ? "numbered" : ""}`}>
      {steps.map(({ id, advice: inEnglish, section, command }) => (
        <li key={id}>
          {advice(id, inEnglish)} <span class="muted">{t("runbook", { section: `docs/runbook.md#${section}` })}</span>
          {command === undefined ? null : <Command text={command} />}
        </li>
      ))}
    </ol>
  );
}

export function Progress({ value, label }: { value: number | undefined; label: string }) {
  return <progress aria-label={label} max={1} {...(value === undefined ? {} : { value })} />;
}

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
