// An image from noise, in the terminal and as a file: node sample.mjs sampler.onnx digit.pgm
import { writeFileSync } from "node:fs";
import ort from "onnxruntime-node";

const [model, picture] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model); // ign export --sampler --uint8
const [, ...image] = session.inputMetadata[0].shape; // channels, height, width
const [, height, width] = image;

// Two uniform numbers make a standard normal one (Box and Muller).
const normal = () =>
  Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
const values = Float32Array.from({ length: image.reduce((a, b) => a * b) }, normal);
const { sample } = await session.run({ noise: new ort.Tensor("float32", values, [1, ...image]) });

const ramp = " .:-=+*#%@";
const row = (y) => Array.from(sample.data.subarray(y * width, (y + 1) * width));
for (let y = 0; y < height; y++)
  console.log(row(y).map((v) => ramp[Math.trunc((v * ramp.length) / 256)].repeat(2)).join(""));
if (picture) writeFileSync(picture, Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), sample.data]));
