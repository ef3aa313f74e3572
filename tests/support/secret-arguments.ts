/** Finds commands that carry a secret as an argument. Every user of the machine sees arguments (`ps`), and the shell keeps them in its history. */

/** A value that the command itself reads: from a file, or from standard input. */
const FROM_FILE = /^["']?file:\/\//;

/** `words` end before the option; the value must not be on the command line. */
const OPTIONS: readonly { words: RegExp; option: RegExp }[] = [
  // https://docs.aws.amazon.com/cli/latest/reference/ssm/put-parameter.html
  { words: /\bssm\s+put-parameter\b/, option: /--value[ =]+(\S+)/g },
  { words: /\bsecretsmanager\s+\S+/, option: /--secret-string[ =]+(\S+)/g },
  // https://github.com/aliyun/aliyun-cli/blob/master/openapi/rpc.go: a name that ends in -FILE is read from that file.
  { words: /\boos\s+(Create|Update)SecretParameter\b/, option: /--Value[ =]+(\S+)/g },
  { words: /\baws\s+configure\s+set\b/, option: /\baws_(?:secret_access_key|session_token)[ =]+(\S+)/g },
  { words: /\baliyun\s+configure\b/, option: /--(?:access-key-secret|sts-token)[ =]+(\S+)/g },
  { words: /\bgh\s+secret\s+set\b/, option: /(?:--body|-b)[ =]+(\S+)/g },
  { words: /\bcurl\b/, option: /-(?:H|-header)[ =]+["']?(?:authorization|x-api-key):\s*(\S+)/gi },
];

/** @returns the commands in question; empty is good */
export function secretArguments(text: string): string[] {
  const lines = text.replace(/\\\n\s*/g, " ").split("\n");
  return lines.filter((line) => hasOption(line) || configSets(line).some(hasValue)).map((line) => line.trim());
}

const hasOption = (line: string): boolean =>
  OPTIONS.some(
    ({ words, option }) => words.test(line) && [...line.matchAll(option)].some(([, value = ""]) => !FROM_FILE.test(value)),
  );

/** What follows `pulumi config set` and `set-all`, up to the end of the command. */
const configSets = (line: string): string[] =>
  [...line.matchAll(/\bpulumi\s+config\s+set(?:-all)?\b((?:"[^"]*"|'[^']*'|[^|;&#`<>)"'])*)/g)].map(([, rest = ""]) => rest);

const WITH_VALUE = /^(?:--stack|-s|--type|--config-file)$/;

/** Whether it is a secret with its value: the key is the only word that may follow. https://www.pulumi.com/docs/iac/cli/commands/pulumi_config_set/ */
function hasValue(rest: string): boolean {
  const words = [...rest.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word);
  if (!words.includes("--secret")) return false;
  const named = words.filter((word, index) => !word.startsWith("-") && !WITH_VALUE.test(words[index - 1] ?? ""));
  return named.length > 1 || named.some((word) => word.includes("="));
}
