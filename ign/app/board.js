// A canvas to draw on, or to brush a mask over a picture. Its value is {picture, mask}, PNGs as
// data addresses. A value set by Python is shown; what a person draws triggers the event "input".
const find = (name) => element.querySelector("." + name);
const [base, layer, camera, cursor] = ["base", "layer", "camera", "cursor"].map(find);
const masking = props.kind === "mask";
const side = props.side;
const pen = layer.getContext("2d", { willReadFrequently: true });
const under = base.getContext("2d", { willReadFrequently: true });
const STEPS = 28; // the brush is measured in this many parts of the side
const history = [];
let strokes = 0; // since the canvas was blank
let picture = null;
let last = null;
let at = { x: side / 2, y: side / 2 };
let keyDown = false;

for (const canvas of [base, layer]) canvas.width = canvas.height = side;
layer.setAttribute("aria-label", props.name);
find("hint").textContent = props.hint;
find("size").value = masking ? 4 : 2;
find("colour").value = "#000000";
find("paint").hidden = masking || !props.colours;
find("webcam").hidden = masking || !navigator.mediaDevices;
base.hidden = !masking;
if (masking) layer.classList.add("masking");

function blank() {
  history.length = strokes = 0;
  pen.clearRect(0, 0, side, side);
  if (!masking) {
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, side, side);
  }
}

function remember() {
  history.push(pen.getImageData(0, 0, side, side));
  if (history.length > 20) history.shift();
  strokes += 1;
}

// White on black where the mask is, as the server reads it.
function maskAddress() {
  const copy = document.createElement("canvas");
  copy.width = copy.height = side;
  const paint = copy.getContext("2d");
  paint.fillStyle = "#000";
  paint.fillRect(0, 0, side, side);
  const drawn = pen.getImageData(0, 0, side, side);
  for (let i = 3; i < drawn.data.length; i += 4) {
    drawn.data[i - 3] = drawn.data[i - 2] = drawn.data[i - 1] = 255;
  }
  const white = document.createElement("canvas");
  white.width = white.height = side;
  white.getContext("2d").putImageData(drawn, 0, 0);
  paint.drawImage(white, 0, 0);
  return copy.toDataURL("image/png");
}

function emit(empty) {
  find("hint").hidden = !empty || (masking && picture !== null);
  if (!masking) picture = empty ? null : layer.toDataURL("image/png");
  const value = { picture: picture, mask: masking && !empty ? maskAddress() : null };
  props.value = value;
  trigger("input");
}

function stroke(from, to) {
  const width = (find("size").value * side) / STEPS;
  pen.strokeStyle = masking ? "#e4572e" : find("colour").value;
  pen.lineWidth = width;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(from.x, from.y);
  pen.lineTo(to.x + 0.01, to.y);
  pen.stroke();
}

function place(event) {
  const box = layer.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) * side) / box.width,
    y: ((event.clientY - box.top) * side) / box.height,
  };
}

layer.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  cursor.hidden = true;
  layer.setPointerCapture(event.pointerId);
  find("hint").hidden = true;
  remember();
  last = place(event);
  stroke(last, last);
});
layer.addEventListener("pointermove", (event) => {
  if (last === null) return;
  for (const one of event.getCoalescedEvents?.() ?? [event]) {
    const here = place(one);
    stroke(last, here);
    last = here;
  }
});
for (const name of ["pointerup", "pointercancel"]) {
  layer.addEventListener(name, () => {
    if (last === null) return;
    last = null;
    emit(false);
  });
}

// With keys: arrows move the brush, the space bar puts it down and lifts it.
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function show() {
  const box = layer.getBoundingClientRect();
  const width = (find("size").value * box.width) / STEPS;
  cursor.hidden = false;
  cursor.classList.toggle("down", keyDown);
  cursor.style.width = cursor.style.height = width + "px";
  cursor.style.left = (at.x * box.width) / side - width / 2 + "px";
  cursor.style.top = (at.y * box.height) / side - width / 2 + "px";
}
function lift() {
  if (keyDown) {
    keyDown = false;
    emit(false);
  }
  cursor.hidden = true;
}
layer.addEventListener("keydown", (event) => {
  if (event.key === " ") {
    event.preventDefault();
    keyDown = !keyDown;
    if (keyDown) {
      find("hint").hidden = true;
      remember();
      stroke(at, at);
    } else emit(false);
    show();
  } else if (event.key in MOVES) {
    event.preventDefault();
    const [dx, dy] = MOVES[event.key];
    const clip = (value) => Math.min(Math.max(value, 0), side);
    const to = { x: clip(at.x + (dx * side) / STEPS), y: clip(at.y + (dy * side) / STEPS) };
    if (keyDown) stroke(at, to);
    at = to;
    show();
  }
});
layer.addEventListener("blur", lift);

find("undo").addEventListener("click", () => {
  const before = history.pop();
  if (!before) return;
  pen.putImageData(before, 0, 0);
  strokes -= 1;
  emit(strokes === 0);
});
find("clear").addEventListener("click", () => {
  blank();
  emit(true);
});

function fail(text) {
  find("failure").textContent = text;
}

async function shoot() {
  if (camera.hidden) {
    try {
      camera.srcObject = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment" },
      });
    } catch (error) {
      fail("No webcam: " + error.message);
      return;
    }
    fail("");
    camera.hidden = false;
    await camera.play();
    find("webcam").textContent = "Take the picture";
    return;
  }
  const width = camera.videoWidth;
  const height = camera.videoHeight;
  const square = Math.min(width, height);
  remember();
  pen.drawImage(
    camera, (width - square) / 2, (height - square) / 2, square, square, 0, 0, side, side,
  );
  camera.srcObject.getTracks().forEach((track) => track.stop());
  camera.hidden = true;
  find("webcam").textContent = "Webcam";
  emit(false);
}
find("webcam").addEventListener("click", shoot);

// A picture that is dropped or pasted goes the way of the upload button, which may not be there yet.
function give(file, tries = 300) {
  const input = document.querySelector(props.target)?.previousElementSibling;
  if (!file || !tries) return;
  if (input?.type !== "file") {
    setTimeout(give, 100, file, tries - 1);
    return;
  }
  const parcel = new DataTransfer();
  parcel.items.add(file);
  input.files = parcel.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
element.addEventListener("dragover", (event) => event.preventDefault());
element.addEventListener("drop", (event) => {
  event.preventDefault();
  give(event.dataTransfer.files[0]);
});
layer.addEventListener("paste", (event) => give(event.clipboardData.files[0]));

function take() {
  const value = props.value;
  if (!value || !value.picture || value.picture === picture) return;
  picture = value.picture;
  const image = new Image();
  image.onload = () => {
    find("hint").hidden = true;
    if (masking) {
      blank();
      under.drawImage(image, 0, 0, side, side);
    } else {
      remember();
      pen.drawImage(image, 0, 0, side, side);
    }
  };
  image.src = picture;
}
watch("value", take);
blank();
take();
