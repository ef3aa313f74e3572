/** The words of the page in English and Chinese. Reasons of failures stay as the clouds and the bridge wrote them. */
import type { RemedyId } from "../operator/overview/remedies";
import { ADVICE_ZH, zh } from "./chinese";
import { en, type Word } from "./english";

export type { Word };

export type Language = "en" | "zh";
export type Values = Readonly<Record<string, string | number>>;

export interface Words {
  language: Language;
  /** The word, with `{name}` replaced. */
  t(word: Word, values?: Values): string;
  advice(id: RemedyId, inEnglish: string): string;
}

export function wordsOf(language: Language): Words {
  const dictionary = language === "zh" ? zh : en;
  return {
    language,
    t: (word, values = {}) => dictionary[word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? "")),
    advice: (id, inEnglish) => (language === "zh" ? ADVICE_ZH[id] : inEnglish),
  };
}
