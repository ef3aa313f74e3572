/**
 * What a newcomer does: starts the bridge with `npm start`, breaks it in four ways, sees each on the page, in `status` and as an alarm, and mends it with the
 * commands that were printed. `npm run docs:tour` records docs/tour.md and its pictures from such a run.
 *
 * The alarms are those of the local CloudWatch, rung by a model of it on the metrics that the sender wrote. A minute of the schedules and of that model takes
 * ten seconds here.
 */
import { setTimeout as delay } from "node:timers/promises";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { Trouble } from "../../operator/overview/remedies";
import type { Snapshot } from "../../operator/overview/snapshot";
import { eventually } from "./support/eventually";
import { BREAKS, type Break } from "./support/tour/breaks";
import { openTourClients, type TourClients } from "./support/tour/clients";
import { type DeployedAlarms, type RungAlarm, readDeployedAlarms } from "./support/tour/deployed-alarms";
import { type Newcomer, type Ran, startAsNewcomer } from "./support/tour/newcomer";
import { startRecord, type TourRecord } from "./support/tour/record";

const IS_RECORDED = process.env.TOUR === "write";
const MINUTE_MS = 10_000;
const ALARM_MINUTES = 10;
const START_MS = 900_000;
const BREAK_MS = 600_000;
/** A look takes a second of CPU, so that a machine with two cores must not look all the time. */
const BETWEEN_LOOKS_MS = 2_000;
const STATUS = "npm run bridge -- status --stack dev --local";
const VERIFY = "npm run bridge -- verify --stack dev --local";

interface Tour {
  newcomer: Newcomer;
  clients: TourClients;
  alarms: DeployedAlarms;
  record: TourRecord;
}

let tour: Tour | undefined;

function onTour(): Tour {
  if (tour === undefined) throw new Error("npm start did not become ready: see beforeAll");
  return tour;
}

beforeAll(async () => {
  const newcomer = await startAsNewcomer(MINUTE_MS);
  const clients = await openTourClients("dev");
  const { cloudwatch, senderLog } = clients;
  const alarms = await readDeployedAlarms({ cloudwatch, readLog: senderLog, minuteMs: MINUTE_MS });
  tour = { newcomer, clients, alarms, record: await startRecord(IS_RECORDED, newcomer.pageUrl) };
}, START_MS);

afterAll(async () => {
  if (tour === undefined) return;
  tour.clients.close();
  await tour.record.close();
  await tour.newcomer.stop();
}, 120_000);

/** A line that `npm start` printed. */
function printed(pattern: RegExp): string {
  const { ready } = onTour().newcomer;
  const line = ready.split("\n").find((one) => pattern.test(one));
  if (line === undefined) throw new Error(`npm start printed no line like ${pattern}:\n${ready}`);
  return line.trim();
}

/** The line's variables, for other commands of the same client. */
function environmentOf(line: string): Record<string, string> {
  const variables = [...line.matchAll(/\b(AWS_\w+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value]);
  return { ...Object.fromEntries(variables), AWS_ENDPOINT_URL: /--endpoint-url (\S+)/.exec(line)?.[1] ?? "" };
}

async function fine(ran: Promise<Ran>): Promise<Ran> {
  const done = await ran;
  if (done.exitCode !== 0) throw new Error(`${done.command} exited with ${done.exitCode}:\n${done.output}`);
  return done;
}

function repeated<T>(look: () => Promise<T>, options: { deadlineMs: number; what: string }): Promise<T> {
  return eventually(async () => {
    try {
      return await look();
    } catch (error) {
      await delay(BETWEEN_LOOKS_MS);
      throw error;
    }
  }, options);
}

/** Repeats a command until it is as wanted. */
const until = (command: string, isWanted: (ran: Ran) => void): Promise<Ran> =>
  repeated(
    async () => {
      const ran = await onTour().newcomer.run(command);
      isWanted(ran);
      return ran;
    },
    { deadlineMs: 180_000, what: command },
  );

const isClean = ({ exitCode, output }: Ran) => {
  expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.stringMatching(/^no differences/m) });
};

test(
  "the lines that npm start prints copy a file and read its copy, and everything is across",
  async () => {
    const { newcomer, record } = onTour();
    const put = await fine(newcomer.run(printed(/ s3 cp README\.md /)));
    const read = printed(/ s3 cp \S+ -$/);
    const readme = await fine(newcomer.run("cat README.md"));
    await eventually(async () => expect((await newcomer.run(read)).output).toBe(readme.output), {
      deadlineMs: 60_000,
      what: "the copy is there",
    });
    const status = await until(printed(/ bridge -- status /), ({ output }) => expect(output).toMatch(/^COMPLETED +1 objects?/m));
    const clean = await until(VERIFY, isClean);
    await newcomer.page(({ troubles, source, destination }) => {
      return troubles.length === 0 && source.reachable === true && destination.reachable === true;
    });
    record.text(
      "# A tour: break it, see it, mend it",
      "This page is the record of one run on one machine, with the outputs as they were printed. `npm run docs:tour` repeats the run and writes the page again. " +
        "Keys, tokens and paths of the machine are left out. The alarms are those of the deployment. A model of CloudWatch rings them, on the metrics that the sender " +
        "wrote; a minute of its clock took ten seconds. Its minutes are counted from the moment since which the key waits. The alarm `late` goes on for 20 minutes " +
        "after the last late key, so it may still ring in the next section.",
      "In one terminal `npm start` deploys the bridge onto the local clouds and stays. It prints the lines that follow, to be run in another terminal.",
    );
    record.console(put, status, clean);
    await record.picture("healthy", "The page of a bridge that has nothing to do", /Nothing is waiting/);
  },
  BREAK_MS,
);

/** A receiver notices another secret within a minute, so the first objects may still arrive. */
async function writeAgainAndAgain({ source }: TourClients, { key, title }: Break, signal: AbortSignal): Promise<void> {
  for (let count = 1; !signal.aborted; count++) {
    const Body = `${title}: written ${count} times`;
    await source.s3.send(new PutObjectCommand({ Bucket: source.bucket, Key: key, Body }));
    await delay(5_000, undefined, { signal }).catch(() => undefined);
  }
}

/** Says how the commands of the record differ from what was printed. */
function wayOut({ mends }: Break): string {
  const has = (word: string) => mends.some(({ source }) => source.includes(word));
  if (has("backfill"))
    return "The way out, as it was printed; `--yes` is added, because no terminal answers the question of the backfill here:";
  if (has("aws "))
    return "The way out, as it was printed. For `aws` the endpoint and the keys of the first line above are in the environment:";
  return "The way out, as it was printed:";
}

/** The trouble on the page. */
const troubleOf = ({ troubles }: Snapshot, { status, reason }: Break): Trouble | undefined =>
  troubles.find((trouble) => trouble.status === status && reason.test(trouble.reason));

test.each(BREAKS.map((one, index) => [one.title, one, index + 1] as const))(
  "%s: the page, status and an alarm say why and where; the printed commands mend it",
  async (_title, broken, number) => {
    const { newcomer, clients, alarms, record } = onTour();
    const brokenMs = Date.now();
    await broken.act(clients);
    record.text(`## ${number}. ${broken.title}`, broken.done);

    const written = new AbortController();
    const writing = broken.isObject === undefined ? writeAgainAndAgain(clients, broken, written.signal) : undefined;
    const snapshot = await newcomer.page((one) => troubleOf(one, broken) !== undefined).finally(() => written.abort());
    await writing;
    const { remedy, sinceMs = brokenMs } = troubleOf(snapshot, broken) ?? {};
    const shown = await until(STATUS, ({ output }) => expect(output).toMatch(broken.reason));
    expect(shown.output).toContain(broken.place ?? broken.key);
    for (const command of [remedy?.first?.command, remedy?.command]) if (command) expect(shown.output).toContain(command);
    const [alarm] = await repeated(
      async () => {
        const rung = await alarms.rungSince(sinceMs, Date.now());
        const wanted = rung.filter(({ name }) => broken.alarms.test(name));
        expect(wanted).not.toEqual([]);
        return wanted as [RungAlarm];
      },
      { deadlineMs: (ALARM_MINUTES + 1) * MINUTE_MS + 60_000, what: `one of the alarms ${broken.alarms} rings` },
    );
    expect(alarm.afterMinutes).toBeLessThanOrEqual(ALARM_MINUTES);
    record.text("What `status` prints:");
    record.console(shown);
    await record.picture(`${number}`, `The page: ${broken.title}`, broken.reason);
    record.alarm(alarm);

    record.text(wayOut(broken));
    for (const wanted of broken.mends) {
      // The first `status` printed it: a restored object arrives by itself, and only its letter is left.
      const command = commandsIn(shown.output).find((one) => wanted.test(one)) ?? `no printed command is like ${wanted}`;
      const environment = command.startsWith("aws ") ? environmentOf(printed(/ s3 cp README\.md /)) : {};
      // A backfill asks before it begins, and here is no terminal to answer.
      const answered = / backfill /.test(command) ? `${command} --yes` : command;
      record.console(await fine(newcomer.run(answered, environment)));
      if (command.startsWith("aws ")) await readable(clients, broken.key);
    }
    const across = await until(STATUS, ({ exitCode, output }) => {
      expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.not.stringMatching(/PENDING|FAILED|NONE/) });
    });
    const clean = await until(VERIFY, isClean);
    record.console(across, clean);
    await newcomer.page(({ troubles, destination }) => troubles.length === 0 && destination.reachable === true);
  },
  BREAK_MS,
);

test("the run is recorded", async () => {
  await onTour().record.save();
});

/** The commands under the remedies: each stands on a line of its own. */
const commandsIn = (output: string): string[] => [...output.matchAll(/^ {14}((?:npm|aws) .+)$/gm)].map(([, one = ""]) => one);

async function readable({ source }: TourClients, key: string): Promise<void> {
  await eventually(() => source.s3.send(new GetObjectCommand({ Bucket: source.bucket, Key: key })), {
    deadlineMs: 60_000,
    what: `${key} is restored`,
  });
}
