/** Reads the pixels of a PNG for a test. https://www.w3.org/TR/png-3/ */
import { inflateSync } from "node:zlib";

export interface Picture {
  width: number;
  height: number;
  /** 0xrrggbb; throws for a pixel that one can see through. */
  colour(x: number, y: number): number;
}

const BYTES_PER_PIXEL = 4;

/** Reads 8 bits per channel with transparency, not interlaced. Throws for any other format. */
export function readPng(png: Buffer): Picture {
  if (png.subarray(1, 4).toString("latin1") !== "PNG") throw new Error("not a PNG");
  const header = png.subarray(16, 29);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  if (header.subarray(8).toString("hex") !== "0806000000")
    throw new Error(`unexpected format ${header.subarray(8).toString("hex")}`);
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const type = png.subarray(at + 4, at + 8).toString("latin1");
    if (type === "IDAT") data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const pixels = Buffer.from(unfiltered(inflateSync(Buffer.concat(data)), width * BYTES_PER_PIXEL, height).buffer);
  return {
    width,
    height,
    colour(x, y) {
      const at = (y * width + x) * BYTES_PER_PIXEL;
      if (pixels[at + 3] !== 255) throw new Error(`the pixel ${x},${y} is not opaque`);
      return pixels.readUIntBE(at, 3);
    },
  };
}

function unfiltered(data: Buffer, rowBytes: number, rows: number): Uint8Array {
  const out = new Uint8Array(rowBytes * rows);
  for (let row = 0; row < rows; row++) {
    const filter = data[row * (rowBytes + 1)];
    for (let column = 0; column < rowBytes; column++) {
      const at = row * rowBytes + column;
      const left = column < BYTES_PER_PIXEL ? 0 : (out[at - BYTES_PER_PIXEL] ?? 0);
      const up = row === 0 ? 0 : (out[at - rowBytes] ?? 0);
      const upLeft = row === 0 || column < BYTES_PER_PIXEL ? 0 : (out[at - rowBytes - BYTES_PER_PIXEL] ?? 0);
      const predicted = predict(filter, left, up, upLeft);
      out[at] = (data[row * (rowBytes + 1) + 1 + column] ?? 0) + predicted;
    }
  }
  return out;
}

function predict(filter: number | undefined, left: number, up: number, upLeft: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4:
      return paeth(left, up, upLeft);
    default:
      throw new Error(`unknown filter ${filter}`);
  }
}

function paeth(left: number, up: number, upLeft: number): number {
  const estimate = left + up - upLeft;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toUpLeft = Math.abs(estimate - upLeft);
  if (toLeft <= toUp && toLeft <= toUpLeft) return left;
  return toUp <= toUpLeft ? up : upLeft;
}
