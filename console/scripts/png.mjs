// Screenshots as small files: the colours that are used most in a palette of 256, which a page without photographs hardly
// exceeds, and the strongest compression.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

/** Writes a PNG of 8 bits a channel, not interlaced, again with a palette. */
export function shrink(png) {
  const { width, height, channels, data } = read(png);
  const { palette, indexOf } = choose(data, channels);
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) rows[y * (width + 1) + 1 + x] = indexOf(colourAt(data, (y * width + x) * channels));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([SIGNATURE, chunk("IHDR", header), chunk("PLTE", colours), chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

const colourAt = (data, at) => (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];

function chunk(kind, content) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), content]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(content.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

/** The pixels of a PNG, without the filters of its rows. */
function read(png) {
  const parts = [];
  let [width, height, channels] = [0, 0, 3];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    const content = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
    const kind = png.toString("latin1", at + 4, at + 8);
    if (kind === "IHDR") [width, height, channels] = [content.readUInt32BE(0), content.readUInt32BE(4), content[9] === 6 ? 4 : 3];
    if (kind === "IDAT") parts.push(content);
  }
  const packed = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const data = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = packed[y * (stride + 1)];
    for (let x = 0; x < stride; x += 1) {
      const here = y * stride + x;
      const left = x < channels ? 0 : data[here - channels];
      const above = y === 0 ? 0 : data[here - stride];
      const corner = x < channels || y === 0 ? 0 : data[here - stride - channels];
      data[here] = packed[y * (stride + 1) + 1 + x] + [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter];
    }
  }
  return { width, height, channels, data };
}

/** The neighbour that is nearest to what the three of them let expect. */
function paeth(left, above, corner) {
  const expected = left + above - corner;
  const [a, b, c] = [left, above, corner].map((value) => Math.abs(expected - value));
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

/** The colours that are used most, and the place of the nearest one to any other. */
function choose(data, channels) {
  const uses = new Map();
  for (let at = 0; at < data.length; at += channels) {
    const colour = colourAt(data, at);
    uses.set(colour, (uses.get(colour) ?? 0) + 1);
  }
  const palette = [...uses].sort(([, one], [, other]) => other - one).slice(0, 256).map(([colour]) => colour);
  const places = new Map(palette.map((colour, place) => [colour, place]));
  const indexOf = (colour) => {
    const known = places.get(colour);
    if (known !== undefined) return known;
    const far = palette.map((other) => [16, 8, 0].reduce((sum, shift) => sum + (((colour >> shift) & 255) - ((other >> shift) & 255)) ** 2, 0));
    const nearest = far.indexOf(Math.min(...far));
    places.set(colour, nearest);
    return nearest;
  };
  return { palette, indexOf };
}
