/** The comparison of both sides: what it asks for, and what it found. */
import { commandFor, type Hello, quoted, type TaskInput, type Verified } from "./api";
import { useWords } from "./context";
import { bytesText, numberText } from "./format";
import type { Word } from "./i18n";
import { Command, Key, Scroll } from "./parts";

interface FieldsProps {
  input: TaskInput;
  onInput: (input: TaskInput) => void;
  isDisabled: boolean;
}

export function VerifyFields({ input, onInput, isDisabled }: FieldsProps) {
  const { t } = useWords();
  return (
    <div class="row fields">
      <label class="field">
        <span class="label">{t("verifyPrefix")}</span>
        <input
          value={input.prefix ?? ""}
          disabled={isDisabled}
          onInput={({ currentTarget }) => onInput({ ...input, prefix: currentTarget.value })}
          autocomplete="off"
          spellcheck={false}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={input.bytes ?? false}
          disabled={isDisabled}
          onChange={({ currentTarget }) => onInput({ ...input, bytes: currentTarget.checked })}
        />{" "}
        {t("verifyBytes")}
      </label>
    </div>
  );
}

const KIND_WORDS = {
  missing: "kindMissing",
  different: "kindDifferent",
  extra: "kindExtra",
  unread: "kindUnread",
} as const satisfies Record<Verified["listed"][number]["kind"], Word>;
type Kind = keyof typeof KIND_WORDS;
const KINDS = Object.keys(KIND_WORDS) as Kind[];

interface ResultProps {
  result: Verified;
  hello: Pick<Hello, "stack" | "local" | "command">;
  onOpen: (key: string) => void;
}

export function VerifyResult({ result: { prefix, bytes, counts, faults, listed }, hello, onOpen }: ResultProps) {
  const { t, language } = useWords();
  const number = (value: number) => numberText(value, language);
  const rows: [Word, number, number?][] = [
    ["compared", counts.compared.objects, counts.compared.bytes],
    ["provenEqual", counts.proven],
    ["sameSize", counts.sameSize],
    ["PENDING", counts.onTheWay],
    ...KINDS.map((kind): [Word, number, number] => [KIND_WORDS[kind], counts[kind].objects, counts[kind].bytes]),
    ["leftAlone", counts.leftAlone],
  ];
  const chosen = `${prefix === "" ? "" : ` --prefix ${quoted(prefix)}`}${bytes ? " --bytes" : ""}`;
  const verdict =
    counts.compared.objects === 0
      ? t("verifyNothing")
      : faults === 0
        ? t("verifyFine")
        : t("verifyFaults", { n: number(faults) });
  return (
    <>
      <p class={counts.compared.objects === 0 ? "muted" : faults === 0 ? "badge good" : "badge bad"}>{verdict}</p>
      <table>
        <tbody>
          {rows.map(([word, objects, size]) =>
            objects === 0 && word !== "compared" ? null : (
              <tr key={word}>
                <th scope="row">{t(word)}</th>
                <td class="number">{number(objects)}</td>
                <td class="number">{size === undefined ? "" : bytesText(size, language)}</td>
              </tr>
            ),
          )}
        </tbody>
      </table>
      {listed.length === 0 ? null : (
        <Scroll title={t("differences")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("key")}</th>
                <th scope="col">{t("result")}</th>
                <th scope="col">{t("reason")}</th>
              </tr>
            </thead>
            <tbody>
              {listed.map(({ key, kind, reason, leftAlone }) => (
                <tr key={`${kind} ${key}`}>
                  <td class="cut">
                    <Key name={key} onOpen={onOpen} />
                  </td>
                  <td>
                    <span class={`badge ${leftAlone ? "" : "bad"}`}>{t(KIND_WORDS[kind])}</span>
                  </td>
                  <td class="grow wrap">{reason}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {faults === 0 ? null : <Command text={`${commandFor("verify --repair --dry-run", hello)}${chosen}`} />}
    </>
  );
}
