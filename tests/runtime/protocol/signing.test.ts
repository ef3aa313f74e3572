import { inspect } from "node:util";
import { Webhook } from "standardwebhooks";
import {
  generateSecret,
  parseSecrets,
  type Secret,
  signRequest,
  TOLERANCE_SECONDS,
  verifyRequest,
} from "../../../runtime/protocol/signing";

const NOW_MS = Date.parse("2026-03-01T00:00:00Z");
const BODY = '{"version":1,"text":"对象"}';
const oldText = generateSecret();
const newText = generateSecret();
const [oldSecret] = parseSecrets(oldText) as [Secret];
const [newSecret] = parseSecrets(newText) as [Secret];
const [strange] = parseSecrets(generateSecret()) as [Secret];

function signed(secrets: Secret[] = [oldSecret], timestampMs = NOW_MS, id = "msg_1") {
  return signRequest({ id, timestampMs, body: BODY, secrets });
}

function verify(
  headers: Record<string, string | undefined>,
  { body = Buffer.from(BODY), secrets = [oldSecret] as Secret[], nowMs = NOW_MS } = {},
) {
  return verifyRequest({ headers, body, secrets, nowMs });
}

describe("secrets", () => {
  test("several, newest first, separated by any white space", () => {
    expect(parseSecrets(` ${newText}\n${oldText}\t`)).toHaveLength(2);
  });

  test("the prefix may be left out", () => {
    const [bare] = parseSecrets(oldText.slice("whsec_".length)) as [Secret];
    expect(bare.sign("msg_1", 1, BODY)).toBe(oldSecret.sign("msg_1", 1, BODY));
  });

  test.each([
    ["nothing", "   "],
    ["a short key without the prefix", Buffer.alloc(23, 1).toString("base64")],
    ["another prefix", `whpk_${Buffer.alloc(24, 1).toString("base64")}`],
    ["a short key", `whsec_${Buffer.alloc(23, 1).toString("base64")}`],
    ["not base64", `whsec_${"!".repeat(40)}`],
    ["base64 with a stray character", `whsec_${Buffer.alloc(30, 1).toString("base64").replace("B", "*")}`],
    ["a cut secret", `${oldText} ${newText.slice(0, -6)}`],
    ["too many", Array.from({ length: 9 }, generateSecret).join(" ")],
  ])("%s is refused, and the error shows no part of it", (_name, text) => {
    let message = "";
    try {
      parseSecrets(text);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/signing secret/);
    for (const word of text.split(/\s+/).filter((part) => part.length > 8)) {
      expect(message).not.toContain(word.slice(6));
    }
  });

  test("no log line and no JSON shows the key", () => {
    const key = oldText.slice("whsec_".length);
    for (const shown of [inspect(oldSecret, { depth: 9, showHidden: true }), JSON.stringify({ oldSecret }), `${oldSecret}`]) {
      expect(shown).not.toContain(key);
      expect(shown).toContain("[secret]");
    }
  });

  test("generated ones are different and long enough", () => {
    expect(generateSecret()).not.toBe(generateSecret());
    expect(Buffer.from(oldText.slice("whsec_".length), "base64")).toHaveLength(32);
  });
});

describe("signing", () => {
  test("the library itself accepts the signature", () => {
    const headers = signRequest({ id: "msg_1", timestampMs: Date.now(), body: BODY, secrets: [oldSecret] });
    expect(new Webhook(oldText).verify(BODY, headers)).toEqual(JSON.parse(BODY));
  });

  test("the specification's own example", () => {
    const [secret] = parseSecrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") as [Secret];
    const headers = signRequest({
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestampMs: 1_614_265_330_000,
      body: '{"test": 2432232314}',
      secrets: [secret],
    });
    expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("an id that could be read in two ways is refused", () => {
    expect(() => signed([oldSecret], NOW_MS, "a.1")).toThrow(/webhook id/);
  });

  test("without a secret, signing throws", () => {
    expect(() => signed([])).toThrow(/at least one secret/);
  });
});

describe("verifying", () => {
  test("accepts what was signed, whatever the case of the header names", () => {
    const headers = Object.fromEntries(Object.entries(signed()).map(([name, value]) => [name.toUpperCase(), value]));
    expect(verify(headers)).toEqual({ ok: true, id: "msg_1" });
  });

  test.each([
    ["the sender rotated first", [newSecret, oldSecret], [oldSecret]],
    ["the receiver rotated first", [oldSecret], [newSecret, oldSecret]],
    ["both did", [newSecret, oldSecret], [newSecret, oldSecret]],
    ["the old one is gone at the receiver", [newSecret, oldSecret], [newSecret]],
  ])("rotation: %s", (_name, signing, knowing) => {
    expect(verify(signed(signing), { secrets: knowing })).toMatchObject({ ok: true });
  });

  test("an unknown secret", () => {
    expect(verify(signed([strange]), { secrets: [newSecret, oldSecret] })).toEqual({ ok: false, reason: "bad-signature" });
  });

  test.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("without %s", (name) => {
    expect(verify({ ...signed(), [name]: undefined })).toEqual({ ok: false, reason: "missing-signature" });
    expect(verify({ ...signed(), [name]: "" })).toEqual({ ok: false, reason: "missing-signature" });
  });

  test.each(["", "abc", "1e9", "-1", "1772323200.5", " 1772323200", "0x10", "1772323200, 1772323200", "9".repeat(13)])(
    "the timestamp %p is malformed",
    (timestamp) => {
      const reason = timestamp === "" ? "missing-signature" : "malformed-timestamp";
      expect(verify({ ...signed(), "webhook-timestamp": timestamp })).toEqual({ ok: false, reason });
    },
  );

  test.each([
    [TOLERANCE_SECONDS, true, undefined],
    [TOLERANCE_SECONDS + 1, false, "too-old"],
    [-TOLERANCE_SECONDS, true, undefined],
    [-TOLERANCE_SECONDS - 1, false, "too-new"],
  ])("signed %p seconds ago", (ageSeconds, ok, reason) => {
    const result = verify(signed([oldSecret], NOW_MS - ageSeconds * 1000));
    expect(result).toEqual(ok ? { ok, id: "msg_1" } : { ok, reason });
  });

  test("any changed byte of the body", () => {
    for (let index = 0; index < Buffer.byteLength(BODY); index++) {
      const body = Buffer.from(BODY);
      body.writeUInt8(body.readUInt8(index) ^ 1, index);
      expect(verify(signed(), { body })).toEqual({ ok: false, reason: "bad-signature" });
    }
  });

  test("bytes that are not UTF-8 do not match the signature of a replacement character", () => {
    const text = "\ufffd";
    const headers = signRequest({ id: "msg_1", timestampMs: NOW_MS, body: text, secrets: [oldSecret] });
    expect(verify(headers, { body: Buffer.from(text) })).toMatchObject({ ok: true });
    expect(verify(headers, { body: Buffer.from([0xff]) })).toEqual({ ok: false, reason: "bad-signature" });
  });

  test.each([
    ["another id", { "webhook-id": "msg_2" }],
    ["an id with a dot", { "webhook-id": "msg.1" }],
    ["another second", { "webhook-timestamp": String(NOW_MS / 1000 + 1) }],
    ["another version", { "webhook-signature": signed()["webhook-signature"]?.replace("v1,", "v2,") }],
    ["a cut signature", { "webhook-signature": signed()["webhook-signature"]?.slice(0, -1) }],
    ["only a comma", { "webhook-signature": "," }],
  ])("%s", (_name, change) => {
    expect(verify({ ...signed(), ...change })).toEqual({ ok: false, reason: "bad-signature" });
  });

  test("without a secret, no signature is accepted", () => {
    expect(verify(signed(), { secrets: [] })).toEqual({ ok: false, reason: "bad-signature" });
  });

  test("every secret is tried on every request, so that the time does not show which one matches", () => {
    const secrets = [newSecret, oldSecret, strange];
    const tried = secrets.map((secret) => jest.spyOn(secret, "sign"));
    verify(signed([oldSecret]), { secrets });
    // oldSecret signed the request as well.
    expect(tried.map((spy) => spy.mock.calls.length)).toEqual([1, 2, 1]);
    for (const spy of tried) spy.mockRestore();
  });
});
