import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

/** PEM files. */
export interface Certificate {
  /** Also the file that a client has to trust. */
  certPath: string;
  keyPath: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const VALID_DAYS = 90;
/** A kept certificate is replaced when it has less than this left. */
const MIN_DAYS_LEFT = 30;

/**
 * Makes a self-signed certificate for `localhost` and 127.0.0.1, valid for 90 days, in `cert.pem` and `key.pem` of the folder. A certificate
 * that is there already is reused while it is valid for 30 days more. It is not a certificate authority: clients trust it for these two names
 * only.
 */
export async function ensureCertificate(folder: string, now: Date = new Date()): Promise<Certificate> {
  const certificate = { certPath: join(folder, "cert.pem"), keyPath: join(folder, "key.pem") };
  if (await isUsable(certificate, now)) return certificate;
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    notBeforeDate: new Date(now.getTime() - DAY_MS),
    notAfterDate: new Date(now.getTime() + VALID_DAYS * DAY_MS),
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  await mkdir(folder, { recursive: true });
  await writeFile(certificate.keyPath, made.private, { mode: 0o600 });
  await writeFile(certificate.certPath, made.cert);
  return certificate;
}

async function isUsable({ certPath, keyPath }: Certificate, now: Date): Promise<boolean> {
  if (!existsSync(certPath) || !existsSync(keyPath)) return false;
  const { validTo } = new X509Certificate(await readFile(certPath));
  return Date.parse(validTo) - now.getTime() > MIN_DAYS_LEFT * DAY_MS;
}
