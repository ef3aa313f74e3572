import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";
import { installOnce } from "../install-once";

export interface Certificate {
  /** PEM. Clients must trust it. */
  certPath: string;
  keyPath: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The self-signed certificate of the local endpoints, for `localhost` and 127.0.0.1. Each calendar month has a new one, valid for
 * 90 days, so the current one is valid for at least 58 more days.
 */
export async function ensureCertificate(stateDir: string, now: Date = new Date()): Promise<Certificate> {
  const folder = await installOnce(join(stateDir, "tls", now.toISOString().slice(0, 7)), async (into) => {
    await writeCertificate(into, { hosts: ["localhost"], now, days: 90 });
  });
  return certificateIn(folder);
}

const certificateIn = (folder: string): Certificate => ({
  certPath: join(folder, "cert.pem"),
  keyPath: join(folder, "key.pem"),
});

/** Makes a self-signed certificate for these host names and 127.0.0.1. It is valid from the day before `now`. */
export async function writeCertificate(
  folder: string,
  { hosts, now, days }: { hosts: readonly string[]; now: Date; days: number },
): Promise<Certificate> {
  const made = await generate([{ name: "commonName", value: "localhost" }], {
    notBeforeDate: new Date(now.getTime() - DAY_MS),
    notAfterDate: new Date(now.getTime() + days * DAY_MS),
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      // It cannot sign other certificates, so that to trust it is to trust these names only.
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [...hosts.map((value) => ({ type: 2 as const, value })), { type: 7 as const, ip: "127.0.0.1" }],
      },
    ],
  });
  const certificate = certificateIn(folder);
  await writeFile(certificate.certPath, made.cert);
  await writeFile(certificate.keyPath, made.private, { mode: 0o600 });
  return certificate;
}
