import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import type { ArchiveValue, AssetValue } from "./values";

/** What a function's code may hold: Lambda unpacks 250 MB, and Function Compute takes packages of 500 MB. */
const MAX_BYTES = 500 * 1024 * 1024;
/** The format counts members in 16 bits. */
const MAX_MEMBERS = 65_535;

/** Bytes by member name. */
class Members extends Map<string, Buffer> {
  private bytes = 0;

  /** @throws Error for a file that no archive of code can hold, before it is read */
  async read(name: string, path: string): Promise<Buffer> {
    const found = await stat(path);
    if (!found.isFile()) throw new Error(`${path} is neither a file nor a folder`);
    if (this.bytes + found.size > MAX_BYTES)
      throw new Error(
        `the archive has more than ${MAX_BYTES / 1024 ** 2} MiB with ${path}: leave out what the function does not need`,
      );
    const content = await readFile(path);
    this.add(name, content);
    return content;
  }

  add(name: string, content: Buffer): void {
    this.set(name, content);
    this.bytes += content.length;
    if (this.size > MAX_MEMBERS) throw new Error(`the archive has more than ${MAX_MEMBERS} files: bundle the code`);
  }
}

/** The zip file of an archive. Paths are relative to `folder`. Equal members give equal bytes. */
export async function zipOf(archive: ArchiveValue, folder: string): Promise<Buffer> {
  const members = new Members();
  if (archive.path?.endsWith(".zip")) return members.read("", resolve(folder, archive.path));
  await collect(archive, folder, "", members);
  if (members.size === 0) throw new Error(`the archive ${archive.path ?? "of named assets"} has no members`);
  return zip(members);
}

async function collect(value: ArchiveValue | AssetValue, folder: string, name: string, into: Members): Promise<void> {
  if (value.kind === "asset") {
    if (value.text !== undefined) into.add(name, Buffer.from(value.text));
    else if (value.path !== undefined) await into.read(name, resolve(folder, value.path));
    else throw new Error(`the engine sent the asset ${name} without its content`);
    return;
  }
  const inside = (member: string) => (name === "" ? member : `${name}/${member}`);
  if (value.path !== undefined) await collectFolder(resolve(folder, value.path), name, into);
  else if (value.assets !== undefined) {
    for (const [member, asset] of Object.entries(value.assets)) await collect(asset, folder, inside(member), into);
  } else throw new Error("the engine sent an archive without its content");
}

async function collectFolder(path: string, name: string, into: Members): Promise<void> {
  if (!(await stat(path)).isDirectory()) throw new Error(`${path} is neither a folder nor a .zip file`);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const member = name === "" ? entry.name : `${name}/${entry.name}`;
    if (entry.isDirectory()) await collectFolder(join(path, entry.name), member, into);
    else await into.read(member, join(path, entry.name));
  }
}

/** 1980-01-01, the first day of the format. Real times would make equal content differ. */
const DOS_DATE = 0x21;
const REGULAR_FILE_0644 = ((0o100644 << 16) >>> 0) as number;
const UTF8_NAMES = 0x800;

/** https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
function zip(members: Members): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of [...members].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const nameBytes = Buffer.from(name);
    const body = deflateRawSync(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(UTF8_NAMES, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(0, 6);
    common.writeUInt16LE(DOS_DATE, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    locals.push(Buffer.from("PK\x03\x04", "latin1"), common, nameBytes, body);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(REGULAR_FILE_0644, 6);
    tail.writeUInt32LE(offset, 10);
    // Version made by: Unix, which enables the file mode above.
    central.push(Buffer.from("PK\x01\x02\x14\x03", "latin1"), common, tail, nameBytes);
    offset += 4 + common.length + nameBytes.length + body.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(members.size, 8);
  end.writeUInt16LE(members.size, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
