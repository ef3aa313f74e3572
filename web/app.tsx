/** The page of `npm run bridge -- watch`. */
import "./app.css";
import { type RefObject, render } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { follow, type Hello, refresh, type Snapshot, type TaskState } from "./api";
import { NowContext, useNow, useWords, WordsContext } from "./context";
import { ageText } from "./format";
import { Headline } from "./headline";
import { type Language, wordsOf } from "./i18n";
import { Letters } from "./letters";
import { Charts, Copies, Gone, Notes, Recent, Route, Tiles, Troubles } from "./panels";
import { Panel } from "./parts";
import { Drop, LookUp, TaskView } from "./tools";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

/** A setting that this browser keeps. */
function useKept<T extends string>(name: string, first: T, allowed: readonly T[]): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    const kept = localStorage.getItem(name);
    return allowed.find((one) => one === kept) ?? first;
  });
  const keep = (next: T) => {
    localStorage.setItem(name, next);
    setValue(next);
  };
  return [value, keep];
}

/** The time of the server, which the snapshots have. */
function useTick(aheadMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now + aheadMs;
}

/** A look takes some seconds where a side is slow to answer. */
const SLOW_LOOK_MS = 20_000;

const isStale = ({ hello, snapshot, isConnected }: Live, now: number): boolean =>
  !isConnected || (snapshot !== undefined && now - snapshot.atMs > 3 * (hello?.everyMs ?? 0) + SLOW_LOOK_MS);

interface Live {
  hello: Hello | undefined;
  /** How far the clock of the server is ahead of that of this browser. */
  aheadMs: number;
  snapshot: Snapshot | undefined;
  tasks: readonly TaskState[];
  isConnected: boolean;
  isRefused: boolean;
}

function useLive(isPaused: boolean): Live {
  const [live, setLive] = useState<Live>({
    ...{ hello: undefined, aheadMs: 0, snapshot: undefined, tasks: [] },
    ...{ isConnected: false, isRefused: false },
  });
  const newest = useRef<Snapshot>(undefined);
  const paused = useRef(isPaused);
  paused.current = isPaused;
  const change = useCallback((changed: Partial<Live>) => setLive((before) => ({ ...before, ...changed })), []);
  useEffect(() => {
    const ended = new AbortController();
    void follow(
      {
        hello: (hello) => change({ hello, aheadMs: hello.nowMs - Date.now(), tasks: hello.tasks }),
        tasks: (tasks) => change({ tasks }),
        snapshot(snapshot) {
          newest.current = snapshot;
          if (!paused.current) change({ snapshot });
        },
        connected: (isConnected) => change({ isConnected }),
        refused: () => change({ isRefused: true }),
      },
      ended.signal,
    );
    return () => ended.abort();
  }, [change]);
  useEffect(() => {
    if (!isPaused && newest.current !== undefined) change({ snapshot: newest.current });
  }, [isPaused, change]);
  return live;
}

const isTyping = (target: EventTarget | null): boolean => target instanceof HTMLInputElement;

/** Single keys, unless a field has the focus or the key belongs to the browser. */
function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const action = current.current[event.key];
      if (action === undefined || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

const firstLanguage: Language = navigator.language.startsWith("zh") ? "zh" : "en";

function App() {
  const [language, setLanguage] = useKept<Language>("language", firstLanguage, ["en", "zh"]);
  const [theme, setTheme] = useKept<Theme>("theme", "auto", THEMES);
  const [isPaused, setPaused] = useState(false);
  const [wanted, setWanted] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const help = useRef<HTMLDialogElement>(null);
  const words = useMemo(() => wordsOf(language), [language]);
  const live = useLive(isPaused);

  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [language]);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    document.title = live.hello ? `${live.hello.stack} · CrossBorderBridge` : "CrossBorderBridge";
  }, [live.hello]);

  const toggleLanguage = () => setLanguage(language === "en" ? "zh" : "en");
  const toggleTheme = () => setTheme(isDark(theme) ? "light" : "dark");
  const lookAgain = () => void refresh().catch(() => undefined);
  const showHelp = () => help.current?.showModal();
  useKeys({
    "/": () => field.current?.focus(),
    p: () => setPaused(!isPaused),
    r: lookAgain,
    t: toggleTheme,
    l: toggleLanguage,
    "?": showHelp,
  });
  const open = (key: string) => {
    setWanted(key);
    document.getElementById("look-up")?.scrollIntoView({ block: "center" });
  };

  return (
    <WordsContext.Provider value={words}>
      <NowContext.Provider value={useTick(live.aheadMs)}>
        <a class="skip" href="#content">
          {words.t("skip")}
        </a>
        <TopBar
          {...{ live, isPaused, theme }}
          onPause={() => setPaused(!isPaused)}
          onRefresh={lookAgain}
          onTheme={toggleTheme}
          onLanguage={toggleLanguage}
          onHelp={showHelp}
        />
        <main id="content" tabIndex={-1}>
          <Content live={live} {...{ wanted, setWanted, field }} onOpen={open} />
        </main>
        <Help dialog={help} />
      </NowContext.Provider>
    </WordsContext.Provider>
  );
}

const isDark = (theme: Theme): boolean =>
  theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);

interface TopBarProps {
  live: Live;
  isPaused: boolean;
  theme: Theme;
  onPause: () => void;
  onRefresh: () => void;
  onTheme: () => void;
  onLanguage: () => void;
  onHelp: () => void;
}

function TopBar({ live, isPaused, theme, onPause, onRefresh, onTheme, onLanguage, onHelp }: TopBarProps) {
  const { t, language } = useWords();
  const now = useNow();
  const { snapshot, isConnected, hello } = live;
  const state = isPaused ? "frozen" : isConnected ? "live" : "connecting";
  return (
    <header class="bar">
      <img src="/icon.svg" alt="" width="24" height="24" />
      <span class="name">{hello?.stack ?? t("title")}</span>
      {hello === undefined ? null : <span class="badge">{hello.mode}</span>}
      <span class={`state ${state}`}>
        <span class="dot" aria-hidden="true" /> {t(state)}
        {snapshot === undefined ? null : (
          <span class="muted wide"> · {t("updated", { time: ageText(now - snapshot.atMs, language) })}</span>
        )}
      </span>
      <div class="actions">
        <button type="button" onClick={onPause} aria-keyshortcuts="p">
          {t(isPaused ? "thaw" : "freeze")}
        </button>
        <button type="button" onClick={onRefresh} aria-keyshortcuts="r">
          {t("refresh")}
        </button>
        <button type="button" onClick={onTheme} aria-keyshortcuts="t" data-theme-now={theme}>
          {t("theme")}
        </button>
        <button
          type="button"
          onClick={onLanguage}
          aria-keyshortcuts="l"
          title={t("languageName")}
          lang={language === "en" ? "zh-CN" : "en"}
        >
          {t("language")}
        </button>
        <button type="button" onClick={onHelp} aria-keyshortcuts="?" aria-label={t("help")}>
          ?
        </button>
      </div>
    </header>
  );
}

interface ContentProps {
  live: Live;
  wanted: string;
  setWanted: (key: string) => void;
  field: RefObject<HTMLInputElement | null>;
  onOpen: (key: string) => void;
}

function Content({ live, wanted, setWanted, field, onOpen }: ContentProps) {
  const { t } = useWords();
  const now = useNow();
  const { hello, snapshot, tasks, isConnected, isRefused } = live;
  const redrive = tasks.find(({ name }) => name === "redrive");
  if (isRefused) return <h1 class="screen">{t("refused")}</h1>;
  if (hello === undefined) return <h1 class="screen">{t("connecting")}</h1>;
  if (snapshot === undefined) return <h1 class="screen">{t("reading")}</h1>;
  const shown = { snapshot, onOpen };
  // The keys that were given up are among the dead letters.
  const waiting = snapshot.troubles.filter(({ status }) => status !== "FAILED");
  return (
    <>
      {isConnected ? null : (
        <p class="error banner" role="alert">
          {t("disconnected")}
        </p>
      )}
      <Headline snapshot={snapshot} hello={hello} isStale={isStale(live, now)} />
      <Route snapshot={snapshot} />
      <Tiles snapshot={snapshot} />
      <Notes notes={snapshot.notes} />
      <div class="columns">
        <div class="column">
          <Panel id="troubles" title={t("troubles")}>
            <Gone snapshot={snapshot} />
            <Troubles troubles={waiting} onOpen={onOpen} />
          </Panel>
          <Panel
            id="letters"
            title={t("letters")}
            aside={snapshot.letters.total > 0 ? <Count letters={snapshot.letters} /> : null}
          >
            <Letters {...shown} redrive={redrive} />
          </Panel>
          <Panel id="recent" title={t("recent")}>
            <Recent {...shown} />
          </Panel>
        </div>
        <div class="column">
          <Charts snapshot={snapshot} />
          <Panel id="copies" title={t("copies")}>
            <Copies {...shown} />
          </Panel>
          <Panel id="look-up" title={t("lookUp")}>
            <LookUp {...{ wanted, setWanted, field }} />
          </Panel>
          {hello.maxUploadBytes === undefined ? null : (
            <Panel id="drop" title={t("drop")}>
              <Drop maxBytes={hello.maxUploadBytes} />
            </Panel>
          )}
          <Panel id="tasks" title={t("tasks")}>
            {tasks
              .filter(({ name }) => name !== "redrive")
              .map((task) => (
                <TaskView key={task.name} task={task} hello={hello} onOpen={onOpen} />
              ))}
          </Panel>
        </div>
      </div>
    </>
  );
}

const Count = ({ letters }: { letters: Snapshot["letters"] }) => <span class="badge bad">{letters.total}</span>;

function Help({ dialog }: { dialog: RefObject<HTMLDialogElement | null> }) {
  const { t } = useWords();
  const rows = [
    ["/", "helpLookUp"],
    ["p", "helpPause"],
    ["r", "helpRefresh"],
    ["t", "helpTheme"],
    ["l", "helpLanguage"],
    ["?", "helpHelp"],
  ] as const;
  return (
    <dialog ref={dialog} aria-labelledby="help-title">
      <h2 id="help-title">{t("help")}</h2>
      <dl class="keys">
        {rows.map(([key, word]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(word)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => dialog.current?.close()}>
        {t("close")}
      </button>
    </dialog>
  );
}

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
