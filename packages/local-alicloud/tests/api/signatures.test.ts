import { randomUUID } from "node:crypto";
import { createNonces } from "../../src/api/authenticate";
import { type ApiFixture, type Keys, type Raw, sendAsIs, sendRaw, startApi } from "./api-fixture";

let fixture: ApiFixture;
let session: Keys;
beforeAll(async () => {
  fixture = await startApi();
});
beforeEach(() => {
  fixture.clock.aheadMs = 0;
  session = fixture.session(["*"], ["*"]);
  fixture.seen.length = 0;
});
afterAll(() => fixture.close());

const root = () => fixture.ram.root;

test("a call signed by the vendor's function is accepted", async () => {
  for (const keys of [root(), session]) expect(await sendRaw(fixture, keys)).toMatchObject({ status: 200 });
  expect(fixture.seen).toHaveLength(2);
});

test.each<[string, (raw: Raw) => void]>([
  [
    "another body",
    (raw) => {
      raw.body = raw.body.replace("one", "two");
    },
  ],
  [
    "another body under its own hash",
    (raw) => {
      raw.body = "";
      raw.headers["x-acs-content-sha256"] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    },
  ],
  [
    "another query",
    (raw) => {
      raw.path = "/?RegionId=us-west-1";
    },
  ],
  [
    "one parameter more",
    (raw) => {
      raw.path += "&Name=two";
    },
  ],
  [
    "another path",
    (raw) => {
      raw.path = raw.path.replace("/", "/x");
    },
  ],
  [
    "another method",
    (raw) => {
      raw.method = "PUT";
    },
  ],
  [
    "another action",
    (raw) => {
      raw.headers["x-acs-action"] = "Other";
    },
  ],
  [
    "another host",
    (raw) => {
      raw.headers.host = "localhost";
    },
  ],
  [
    "another content type",
    (raw) => {
      raw.headers["content-type"] = "application/json";
    },
  ],
  [
    "another nonce",
    (raw) => {
      raw.headers["x-acs-signature-nonce"] = randomUUID();
    },
  ],
  [
    "a hash that is not the body's",
    (raw) => {
      raw.headers["x-acs-content-sha256"] = "0".repeat(64);
    },
  ],
  [
    "another signature",
    (raw) => {
      raw.headers.authorization = `${raw.headers.authorization?.slice(0, -64)}${"0".repeat(64)}`;
    },
  ],
])("%s than was signed is refused", async (_, change) => {
  expect(await sendRaw(fixture, root(), change)).toMatchObject({ status: 400, code: "SignatureDoesNotMatch" });
  expect(fixture.seen).toEqual([]);
});

test.each<[string, (raw: Raw) => void, string]>([
  [
    "without a signature",
    (raw) => {
      delete raw.headers.authorization;
    },
    "MissingAuthorization",
  ],
  [
    "with the kind of another cloud",
    (raw) => {
      raw.headers.authorization = "AWS4-HMAC-SHA256 Credential=a";
    },
    "InvalidSignatureMethod",
  ],
  [
    "with half a signature",
    (raw) => {
      raw.headers.authorization = "ACS3-HMAC-SHA256 Credential=a";
    },
    "IncompleteSignature",
  ],
  [
    "with a header of the vendor's that is not signed",
    (raw) => {
      raw.headers["x-acs-owner-id"] = "1";
    },
    "IncompleteSignature",
  ],
  [
    "without an action",
    (raw) => {
      delete raw.headers["x-acs-action"];
    },
    "MissingAction",
  ],
  [
    "without a version",
    (raw) => {
      delete raw.headers["x-acs-version"];
    },
    "MissingVersion",
  ],
  [
    "without a date",
    (raw) => {
      delete raw.headers["x-acs-date"];
    },
    "MissingTimestamp",
  ],
  [
    "without a nonce",
    (raw) => {
      delete raw.headers["x-acs-signature-nonce"];
    },
    "MissingSignatureNonce",
  ],
  [
    "without its hash",
    (raw) => {
      delete raw.headers["x-acs-content-sha256"];
    },
    "MissingContentSha256",
  ],
  [
    "with a date that is none",
    (raw) => {
      raw.headers["x-acs-date"] = new Date().toUTCString();
    },
    "InvalidTimeStamp.Format",
  ],
])("a call %s is refused", async (_, change, code) => {
  expect(await sendRaw(fixture, root(), change)).toMatchObject({ status: 400, code });
  expect(fixture.seen).toEqual([]);
});

test("a hash that is not the body's is refused, signed or not", async () => {
  const lie = (headers: Record<string, string>) => {
    headers["x-acs-content-sha256"] = "0".repeat(64);
  };
  expect(await sendRaw(fixture, root(), undefined, lie)).toMatchObject({ status: 400, code: "SignatureDoesNotMatch" });
});

test("an unknown key and a wrong secret are refused", async () => {
  const wrong = { ...root(), accessKeySecret: "wrong" };
  expect(await sendRaw(fixture, wrong)).toMatchObject({ status: 400, code: "SignatureDoesNotMatch" });
  const unknown = { ...root(), accessKeyId: "LTAIwho" };
  expect(await sendRaw(fixture, unknown)).toMatchObject({ status: 404, code: "InvalidAccessKeyId.NotFound" });
});

test("a token belongs to its key, and a key of STS needs its token", async () => {
  const { accessKeyId, accessKeySecret, securityToken = "" } = session;
  expect(await sendRaw(fixture, { accessKeyId, accessKeySecret })).toMatchObject({ status: 400, code: "MissingSecurityToken" });
  const mismatch = { status: 400, code: "InvalidSecurityToken.MismatchWithAccessKey" };
  const foreign = fixture.session(["*"], ["*"]).securityToken;
  expect(await sendRaw(fixture, { ...session, securityToken: foreign })).toMatchObject(mismatch);
  expect(await sendRaw(fixture, { ...root(), securityToken })).toMatchObject(mismatch);
  const stolen = (raw: Raw) => {
    raw.headers["x-acs-security-token"] = securityToken;
  };
  expect(await sendRaw(fixture, { accessKeyId, accessKeySecret }, stolen)).toMatchObject({ code: "IncompleteSignature" });
});

test("a session ends at its time", async () => {
  const short = fixture.session(["*"], ["*"], 60_000);
  const at = (aheadMs: number) => {
    fixture.clock.aheadMs = aheadMs;
    return sendRaw(fixture, short);
  };
  expect(await at(50_000)).toMatchObject({ status: 200 });
  expect(await at(61_000)).toMatchObject({ status: 400, code: "InvalidSecurityToken.Expired" });
});

test.each([
  ["behind", 1],
  ["ahead", -1],
])("a call dated a quarter of an hour %s is refused", async (_, sign) => {
  const dated = (minutes: number) =>
    sendRaw(fixture, root(), undefined, (headers) => {
      const at = new Date(Date.now() - sign * minutes * 60_000);
      headers["x-acs-date"] = at.toISOString().replace(/\.\d+Z$/, "Z");
    });
  expect(await dated(14)).toMatchObject({ status: 200 });
  expect(await dated(16)).toMatchObject({ status: 400, code: "InvalidTimeStamp.Expired" });
});

test("a nonce is valid for one call of its key", async () => {
  let sent: Raw | undefined;
  const keep = (raw: Raw) => {
    sent = { ...raw };
  };
  const used = { status: 400, code: "SignatureNonceUsed" };
  expect(await sendRaw(fixture, root(), keep)).toMatchObject({ status: 200 });
  expect(await sendAsIs(fixture, sent as unknown as Raw)).toMatchObject(used);
  // As late as the date allows.
  fixture.clock.aheadMs = 14 * 60_000;
  expect(await sendAsIs(fixture, sent as unknown as Raw)).toMatchObject(used);
  expect(fixture.seen).toHaveLength(1);
});

test("a call with a wrong signature does not use up a nonce", async () => {
  let sent: Raw | undefined;
  const spoilt = await sendRaw(fixture, root(), (raw) => {
    sent = { ...raw, headers: { ...raw.headers } };
    raw.body = "x";
  });
  expect(spoilt).toMatchObject({ code: "SignatureDoesNotMatch" });
  expect(await sendAsIs(fixture, sent as unknown as Raw)).toMatchObject({ status: 200 });
});

test("nonces are remembered for the given time and then forgotten", () => {
  let now = 0;
  const nonces = createNonces(1000, () => now);
  expect(nonces.use("a")).toBe(true);
  for (const at of [0, 999, 1001, 1999]) {
    now = at;
    expect(nonces.use("a")).toBe(false);
  }
  now = 2500;
  nonces.use("b");
  expect(nonces.use("a")).toBe(true);
});

test("a body that is too large is read to its end and refused", async () => {
  const body = "x".repeat(64 * 1024 * 1024 + 1);
  const large = await sendRaw(fixture, root(), (raw) => {
    raw.body = body;
  });
  expect(large).toMatchObject({ status: 413, code: "RequestTooLarge" });
});
