/** Small charts of the last minutes as SVG. The numbers are in the label of each chart, for readers without a screen. */
import type { ComponentChildren } from "preact";
import type { Snapshot } from "./api";
import { useWords } from "./context";
import { durationText, numberText } from "./format";

type Minute = Snapshot["flow"]["minutes"][number];

const WIDTH = 560;
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 8;
const PLOT_WIDTH = WIDTH - LEFT - 4;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;

/** The minute on the clock of this browser, which the tooltips name. */
const clockText = (ms: number, language: string): string =>
  new Date(ms).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });

/** 1, 2 or 5 times a power of ten, at least the value. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

interface FrameProps {
  label: string;
  top: number;
  topText: string;
  halfText: string;
  minutes: number;
  children: ComponentChildren;
}

function Frame({ label, top, topText, halfText, minutes, children }: FrameProps) {
  const { t } = useWords();
  const y = (share: number) => TOP + PLOT_HEIGHT * (1 - share);
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} data-top={top}>
      {[0, 0.5, 1].map((share) => (
        <line key={share} class="grid" x1={LEFT} x2={WIDTH - 4} y1={y(share)} y2={y(share)} />
      ))}
      <text class="tick end" x={LEFT - 6} y={y(1) + 4}>
        {topText}
      </text>
      <text class="tick end" x={LEFT - 6} y={y(0.5) + 4}>
        {halfText}
      </text>
      <text class="tick end" x={LEFT - 6} y={y(0) + 4}>
        0
      </text>
      <text class="tick" x={LEFT} y={HEIGHT - 5}>
        {t("minutesAgo", { n: minutes })}
      </text>
      <text class="tick end" x={WIDTH - 4} y={HEIGHT - 5}>
        {t("now")}
      </text>
      {children}
    </svg>
  );
}

export function LagChart({ minutes }: { minutes: readonly Minute[] }) {
  const { t, language } = useWords();
  const measured = minutes.filter(({ p95Ms }) => p95Ms !== undefined);
  const top = niceTop(Math.max(...measured.map(({ p95Ms = 0 }) => p95Ms)));
  const step = PLOT_WIDTH / minutes.length;
  const x = (index: number) => LEFT + step * (index + 0.5);
  const y = (ms: number) => TOP + PLOT_HEIGHT * (1 - ms / top);
  const line = (name: "p50Ms" | "p95Ms") =>
    minutes
      .flatMap(({ [name]: ms }, index) => (ms === undefined ? [] : [`${x(index).toFixed(1)},${y(ms).toFixed(1)}`]))
      .join(" ");
  const last = measured.at(-1);
  const label = `${t("lagChart")}: ${t("median")} ${durationText(last?.p50Ms ?? 0, language)}, ${t("p95Name")} ${durationText(last?.p95Ms ?? 0, language)}`;
  return (
    <Frame
      label={label}
      top={top}
      topText={durationText(top, language)}
      halfText={durationText(top / 2, language)}
      minutes={minutes.length}
    >
      {(["p95Ms", "p50Ms"] as const).map((name) => (
        <g key={name} class={`series ${name}`}>
          <polyline points={line(name)} />
          {minutes.map(({ startMs, [name]: ms }, index) =>
            ms === undefined ? null : (
              <circle key={startMs} cx={x(index)} cy={y(ms)} r={name === "p50Ms" ? 3 : 2.5}>
                <title>{`${clockText(startMs, language)}  ${durationText(ms, language)}`}</title>
              </circle>
            ),
          )}
        </g>
      ))}
    </Frame>
  );
}

export function FlowChart({ minutes }: { minutes: readonly Minute[] }) {
  const { t, language } = useWords();
  const most = Math.max(...minutes.map(({ objects }) => objects));
  const top = niceTop(Math.max(most, 2));
  const step = PLOT_WIDTH / minutes.length;
  const total = minutes.reduce((sum, { objects }) => sum + objects, 0);
  return (
    <Frame
      label={`${t("flowChart")}: ${t("objects", { n: numberText(total, language) })}`}
      top={top}
      topText={numberText(top, language)}
      halfText={numberText(top / 2, language)}
      minutes={minutes.length}
    >
      {minutes.map(({ startMs, objects }, index) => {
        const height = (PLOT_HEIGHT * objects) / top;
        const left = LEFT + step * index + step * 0.15;
        return (
          <rect
            key={startMs}
            class="column-bar"
            x={left}
            y={TOP + PLOT_HEIGHT - height}
            width={step * 0.7}
            height={height}
            rx={1.5}
          >
            <title>{`${clockText(startMs, language)}  ${t("objects", { n: numberText(objects, language) })}`}</title>
          </rect>
        );
      })}
    </Frame>
  );
}
