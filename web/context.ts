/** The language, and the time by which ages are shown. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Words, wordsOf } from "./i18n";

export const WordsContext = createContext<Words>(wordsOf("en"));
export const useWords = (): Words => useContext(WordsContext);

/** Changes once a second. */
export const NowContext = createContext(0);
export const useNow = (): number => useContext(NowContext);
