import * as ort from "./node_modules/onnxruntime-web/dist/ort.wasm.min.mjs";

ort.env.wasm.numThreads = 1; // more need a server that sends isolation headers

const FILES = {
  projector: ["mnist.onnx", "ign export mnist --out examples/web/mnist.onnx"],
  sampler: ["mnist-sampler.onnx", "ign export mnist --sampler --out examples/web/mnist-sampler.onnx"],
};
const BLACK = -1;
const WHITE = 1;
const PEN = 1.3; // radius in pixels of the image

const $ = (id) => document.getElementById(id);
const state = { width: 28, height: 28, y: null, noise: false, once: null, twice: null };
const pen = { x: 14, y: 14, down: false };
const sessions = {};

async function load(name) {
  const [file, command] = FILES[name];
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${file} is not here; make it: ${command}`);
  sessions[name] = await ort.InferenceSession.create(await answer.arrayBuffer());
}

async function run(name, values) {
  const session = sessions[name];
  const shape = [1, 1, state.height, state.width];
  const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", values, shape) };
  return (await session.run(feeds))[session.outputNames[0]].data;
}

/* Noise passes the sampler first; all else, and every second step, is projected. */
async function project(values, noise) {
  const once = await run(noise ? "sampler" : "projector", values);
  return { once, twice: await run("projector", once) };
}

let running = false;
let stale = false;

/* One computation at a time; what changes meanwhile is computed once, at the end. */
async function update() {
  draw("input", state.y);
  if (running) {
    stale = true;
    return;
  }
  running = true;
  do {
    stale = false;
    const y = Float32Array.from(state.y);
    Object.assign(state, await project(y, state.noise));
    draw("once", state.once);
    draw("twice", state.twice);
    $("first").textContent = distance(state.once, y).toFixed(3);
    $("second").textContent = distance(state.twice, state.once).toFixed(3);
  } while (stale);
  running = false;
}

function distance(a, b) {
  return a.reduce((sum, v, i) => sum + Math.abs(v - b[i]), 0) / a.length;
}

function draw(id, values) {
  const picture = new ImageData(state.width, state.height);
  values.forEach((v, i) => {
    const level = Math.round((v + 1) * 127.5); // ImageData clamps
    picture.data.set([level, level, level, 255], 4 * i);
  });
  const canvas = $(id).getContext("2d");
  canvas.putImageData(picture, 0, 0);
  if (id === "input" && document.activeElement === $("input")) {
    canvas.fillStyle = pen.down ? "#f0a45d" : "#8a5a30";
    canvas.fillRect(Math.floor(pen.x), Math.floor(pen.y), 1, 1);
  }
}

/* Two uniform numbers make a standard normal one (Box and Muller). */
function normal() {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
  return radius * Math.cos(2 * Math.PI * Math.random());
}

function set(values, noise = false) {
  state.y = Float32Array.from(values);
  state.noise = noise;
  $("input-name").textContent = noise ? "z, Gaussian noise" : "y, drawn by you";
  $("once-name").textContent = noise ? "f(z)" : "f(y)";
  $("twice-name").textContent = noise ? "f(f(z))" : "f(f(y))";
  return update();
}

const blank = () => new Float32Array(state.width * state.height).fill(BLACK);

/* A line of a round soft brush; on noise the drawing starts on black. */
function stroke([fromX, fromY], [toX, toY]) {
  const image = state.noise ? blank() : state.y;
  const steps = Math.ceil(2 * Math.hypot(toX - fromX, toY - fromY)) || 1;
  for (let step = 0; step <= steps; step++)
    dot(image, fromX + ((toX - fromX) * step) / steps, fromY + ((toY - fromY) * step) / steps);
  set(image);
}

function dot(image, x, y) {
  for (let row = 0; row < state.height; row++)
    for (let column = 0; column < state.width; column++) {
      const away = Math.hypot(column + 0.5 - x, row + 0.5 - y);
      const ink = Math.min(1, Math.max(0, PEN + 0.5 - away));
      const i = row * state.width + column;
      image[i] = Math.max(image[i], BLACK + (WHITE - BLACK) * ink);
    }
}

function listen() {
  const canvas = $("input");
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * state.width,
      ((event.clientY - box.top) / box.height) * state.height,
    ];
  };
  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const here = place(event);
    stroke(last, here);
    last = here;
  });
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) {
      pen.x = Math.min(state.width - 0.5, Math.max(0.5, pen.x + move[0]));
      pen.y = Math.min(state.height - 0.5, Math.max(0.5, pen.y + move[1]));
    } else pen.down = !pen.down;
    if (pen.down) stroke([pen.x, pen.y], [pen.x, pen.y]);
    else draw("input", state.y);
  });
  for (const change of ["focus", "blur"])
    canvas.addEventListener(change, () => {
      pen.down = false;
      draw("input", state.y);
    });
  $("generate").onclick = () => set(blank().map(normal), true);
  $("spoil").onclick = () => set(state.y.map((v) => v + 0.5 * normal()), state.noise);
  $("clear").onclick = () => set(blank());
  document.querySelectorAll("button").forEach((button) => (button.disabled = false));
}

async function start() {
  try {
    await load("projector");
    await load("sampler");
    [, , state.height, state.width] = sessions.projector.inputMetadata[0].shape;
    for (const id of ["input", "once", "twice"])
      Object.assign($(id), { width: state.width, height: state.height });
    [pen.x, pen.y] = [state.width / 2, state.height / 2];
    await set(blank().map(normal), true);
    listen();
    $("status").textContent = "Ready.";
  } catch (error) {
    $("status").className = "wrong";
    $("status").textContent = error.message;
  }
}

globalThis.ign = { state, busy: () => running };
start();
