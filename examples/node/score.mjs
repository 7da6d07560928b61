// Score PPM images with a model of `ign export --what score`: node score.mjs parts.onnx IMAGE.ppm...
import { readFileSync } from "node:fs";
import ort from "onnxruntime-node";

const [model, ...files] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model);
for (const file of files) {
  const bytes = readFileSync(file);
  const header = bytes.toString("latin1", 0, 99).match(/^P6\s+(\d+)\s+(\d+)\s+255\s/);
  if (!header) throw new Error(`${file}: not a PPM file of 8 bits; convert it with ImageMagick`);
  const [width, height] = header.slice(1).map(Number);
  const pixels = Uint8Array.from(bytes.subarray(header[0].length));
  const image = new ort.Tensor("uint8", pixels, [1, height, width, 3]);
  const { score, map, flag } = await session.run({ image });
  const place = map.data.reduce((best, value, i) => (value > map.data[best] ? i : best), 0);
  const kind = flag.data[0] ? "FLAGGED" : "ok";
  const where = `largest at x ${place % width}, y ${Math.trunc(place / width)}`;
  console.log(`${kind} ${score.data[0].toFixed(4)} ${file} (${where})`);
}
