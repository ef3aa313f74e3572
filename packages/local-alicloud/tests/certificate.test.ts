import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureCertificate } from "../src/certificate";

const DAY_MS = 24 * 60 * 60 * 1000;
const START = new Date("2026-01-01T00:00:00Z");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "local-certificate-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const pemAfter = async (days: number) =>
  readFile((await ensureCertificate(folder, new Date(START.getTime() + days * DAY_MS))).certPath, "utf8");

test("a certificate is for localhost and 127.0.0.1, is no authority, and its key is private", async () => {
  const { certPath, keyPath } = await ensureCertificate(folder, START);
  const certificate = new X509Certificate(await readFile(certPath));
  expect(certificate.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1");
  expect(certificate.ca).toBe(false);
  expect((await stat(keyPath)).mode & 0o777).toBe(0o600);
});

test("it is reused while it is valid for 30 days more, and then replaced", async () => {
  const first = await pemAfter(0);
  expect(await pemAfter(59)).toBe(first);
  expect(await pemAfter(61)).not.toBe(first);
});
