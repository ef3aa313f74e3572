/** Numbers, sizes and times in the language of the page. */
import type { Language } from "./i18n";

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const TIMES: Readonly<Record<Language, readonly [string, string, string, string]>> = {
  en: ["s", "min", "h", "d"],
  zh: ["秒", "分钟", "小时", "天"],
};

export const numberText = (value: number, language: Language): string =>
  value.toLocaleString(language === "zh" ? "zh-CN" : "en-US", { maximumFractionDigits: 1 });

export function bytesText(bytes: number, language: Language): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), SIZES.length - 1);
  return `${numberText(bytes / 1024 ** power, language)} ${SIZES[power]}`;
}

/** With one unit: `4.2 s`, `90 s`, `12 min`, `3 h`. */
export function durationText(ms: number, language: Language): string {
  const [second, minute, hour, day] = TIMES[language];
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${numberText(seconds, language)} ${second}`;
  if (seconds < 120) return `${Math.round(seconds)} ${second}`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} ${minute}`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} ${hour}` : `${Math.round(seconds / 86_400)} ${day}`;
}

/** Of something that happened: whole seconds. */
export function ageText(ms: number, language: Language): string {
  return durationText(Math.max(0, Math.round(ms / 1000)) * 1000, language);
}
