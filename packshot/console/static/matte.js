// The matte editor's page.
import { ask, keys, toast, word } from "./base.js";
import { Matte, join } from "./brush.js";
import { Claim } from "./claim.js";
import { dropDraft, keepDraft, readDraft } from "./drafts.js";

const MAX_ZOOM = 8;
/** Faults are looked for in a matte of at most this many pixels a side. */
const FAULT_SIDE = 1024;
/** How often a stroke in progress is kept (milliseconds). */
const KEEP_EVERY = 300;

const main = document.getElementById("main");
const get = (id) => document.getElementById(id);
const { id, query, base } = main.dataset;
const [width, height] = [Number(main.dataset.width), Number(main.dataset.height)];
const draft = `${id}:${base}`;
const stage = get("stage");
const canvas = get("canvas").getContext("2d");
const ring = get("cursor").getContext("2d");
const brush = { tool: "subject", size: 40, hardness: 70, opacity: 50 };
const look = { scale: 1, x: 0, y: 0, fitted: true, view: "overlay", shade: "white", faults: null };
let matte = null;
let photo = null;
let pixels = null;
let layer = null;
let wanted = false;
let last = null;

const claim = new Claim(id, (error) => say(`${word("script.claim_lost")} ${word("script.kept")}`, "bad", error));

function say(text, kind = "") {
  get("state").textContent = text;
  get("state").className = `state wide ${kind}`;
}

async function bitmap(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(word("script.no_picture"));
  return createImageBitmap(await response.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
}

function reader(picture, wide = width, tall = height) {
  const area = new OffscreenCanvas(wide, tall).getContext("2d", { willReadFrequently: true });
  area.drawImage(picture, 0, 0, wide, tall);
  return area.getImageData(0, 0, wide, tall).data;
}

/** The red channel of a picture. */
function reds(data) {
  const found = new Uint8Array(data.length / 4);
  for (let at = 0; at < found.length; at++) found[at] = data[at * 4];
  return found;
}

async function load() {
  const [picture, alpha, original] = await Promise.all([bitmap(main.dataset.photo), bitmap(main.dataset.alpha), bitmap(main.dataset.original)]);
  photo = picture;
  pixels = reader(photo);
  matte = new Matte(width, height, reds(reader(alpha)), reds(reader(original)));
  layer = new OffscreenCanvas(width, height);
  layer.pen = layer.getContext("2d");
  const kept = await readDraft(draft).catch(() => null);
  for (const op of kept ?? []) matte.replay(op);
  if (kept?.length) say(word("script.strokes_back", { n: kept.length }), "good");
  refresh();
  fit();
  buttons();
  main.dataset.ready = "1";
}

/* Drawing */

function shade(at, from) {
  const alpha = matte.alpha[at];
  const out = shade.out;
  if (look.view === "alpha") { out[0] = out[1] = out[2] = alpha; out[3] = 255; } else if (look.view === "cut") {
    [out[0], out[1], out[2], out[3]] = [pixels[from], pixels[from + 1], pixels[from + 2], alpha];
  } else { out[0] = 226; out[1] = 32; out[2] = 72; out[3] = (255 - alpha) * 0.58; }
  if (matte.unknown[at]) { out[0] = 30; out[1] = 120; out[2] = 255; out[3] = look.view === "alpha" ? 255 : 170; }
}
shade.out = [0, 0, 0, 0];

/** Bring a box of the layer up to date. */
function refresh(box = [0, 0, width, height]) {
  const [left, top, right, bottom] = matte.clipped(box);
  if (right <= left || bottom <= top) return;
  const piece = new ImageData(right - left, bottom - top);
  let to = 0;
  matte.each([left, top, right, bottom], (at) => {
    shade(at, at * 4);
    piece.data.set(shade.out, to);
    to += 4;
  });
  layer.pen.putImageData(piece, left, top);
  draw();
}

let planned = false;
function draw() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    paint();
  });
}

function paint() {
  const ratio = devicePixelRatio || 1;
  const [wide, tall] = [stage.clientWidth, stage.clientHeight];
  for (const pen of [canvas, ring]) {
    if (pen.canvas.width !== Math.round(wide * ratio) || pen.canvas.height !== Math.round(tall * ratio)) {
      pen.canvas.width = Math.round(wide * ratio);
      pen.canvas.height = Math.round(tall * ratio);
    }
  }
  canvas.setTransform(1, 0, 0, 1, 0, 0);
  canvas.clearRect(0, 0, canvas.canvas.width, canvas.canvas.height);
  canvas.setTransform(ratio * look.scale, 0, 0, ratio * look.scale, ratio * look.x, ratio * look.y);
  canvas.imageSmoothingEnabled = look.scale < 2;
  if (!photo) return;
  if (look.view === "cut") {
    canvas.fillStyle = look.shade === "grid" ? checker() : look.shade;
    canvas.fillRect(0, 0, width, height);
  } else canvas.drawImage(photo, 0, 0, width, height);
  if (look.view !== "photo") canvas.drawImage(layer, 0, 0);
  if (look.faults) canvas.drawImage(look.faults, 0, 0, width, height);
  get("zoom-level").textContent = `${Math.round(look.scale * 100)} %`;
  cursor();
}

function checker() {
  const tile = new OffscreenCanvas(32, 32);
  const pen = tile.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, 32, 32);
  pen.fillStyle = "#c9ccd1";
  pen.fillRect(0, 0, 16, 16);
  pen.fillRect(16, 16, 16, 16);
  return canvas.createPattern(tile, "repeat");
}

function cursor() {
  const ratio = devicePixelRatio || 1;
  ring.setTransform(ratio, 0, 0, ratio, 0, 0);
  ring.clearRect(0, 0, stage.clientWidth, stage.clientHeight);
  stage.style.cursor = brush.tool === "hand" || panning() ? "grab" : last ? "none" : "crosshair";
  if (!last || brush.tool === "hand" || panning()) return;
  const radius = (brush.size * look.scale) / 2;
  for (const [colour, wide] of [["rgb(0 0 0 / 70%)", 3], ["#fff", 1.25]]) {
    ring.beginPath();
    ring.arc(last[0], last[1], Math.max(1.5, radius), 0, 2 * Math.PI);
    ring.strokeStyle = colour;
    ring.lineWidth = wide;
    ring.stroke();
  }
}

/* Zoom and pan */

function fit() {
  look.fitted = true;
  look.scale = Math.min(stage.clientWidth / width, stage.clientHeight / height) * 0.96;
  look.x = (stage.clientWidth - width * look.scale) / 2;
  look.y = (stage.clientHeight - height * look.scale) / 2;
  draw();
}

function zoom(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const scale = Math.min(MAX_ZOOM, Math.max(0.05, look.scale * factor));
  look.fitted = false;
  look.x = x - ((x - look.x) * scale) / look.scale;
  look.y = y - ((y - look.y) * scale) / look.scale;
  look.scale = scale;
  draw();
}

/* Painting */

const held = new Set();
const panning = () => held.has(" ");
const fingers = new Map();
let dragged = null;
let end = null;
let kept = 0;

function place(event) {
  const { left, top } = stage.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
}

const inPhoto = ([x, y]) => [(x - look.x) / look.scale, (y - look.y) / look.scale];

stage.addEventListener("pointerdown", (event) => {
  if (!matte || event.target.closest("button") || event.button > 1) return;
  event.preventDefault();
  stage.focus({ preventScroll: true });
  stage.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, place(event));
  last = place(event);
  if (fingers.size > 1) { finish(); return; }
  if (brush.tool === "hand" || panning() || event.button === 1) { dragged = last; return; }
  const [x, y] = inPhoto(last);
  // With Shift a straight line from where the last stroke ended.
  const from = event.shiftKey && end ? end : [x, y];
  refresh(matte.begin(brush, ...from));
  if (from !== end) return;
  refresh(matte.extend(x, y));
});

stage.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  const now = place(event);
  last = event.pointerType === "touch" ? null : now;
  if (before) fingers.set(event.pointerId, now);
  if (before && fingers.size === 2) {
    const [other] = [...fingers].filter(([key]) => key !== event.pointerId).map(([, value]) => value);
    const reach = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]);
    zoom(reach(now) / Math.max(1, reach(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  } else if (dragged) {
    look.fitted = false;
    look.x += now[0] - dragged[0];
    look.y += now[1] - dragged[1];
    dragged = now;
  } else if (matte?.stroke) {
    let box = null;
    for (const one of event.getCoalescedEvents?.() ?? [event]) box = join(box, matte.extend(...inPhoto(place(one))));
    if (box) refresh(box);
    if (Date.now() - kept > KEEP_EVERY) keep([...matte.ops, matte.stroke]);
  }
  draw();
});

for (const kind of ["pointerup", "pointercancel"]) {
  stage.addEventListener(kind, (event) => {
    fingers.delete(event.pointerId);
    dragged = null;
    finish();
  });
}
stage.addEventListener("pointerleave", () => { last = null; draw(); });
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), ...place(event));
}, { passive: false });

function finish() {
  const stroke = matte?.end();
  if (!stroke) return;
  end = stroke.points.slice(-2);
  changed();
}

/** Something is different now: keep it, and let the buttons know. */
function changed() {
  wanted = false;
  look.faults = null;
  get("faults").ariaPressed = "false";
  get("faults-legend").hidden = true;
  keep(matte.ops);
  buttons();
  say(matte.done.length ? word("script.unsaved", { n: matte.done.length }) : "");
}

function keep(ops) {
  kept = Date.now();
  (ops.length ? keepDraft(draft, ops) : dropDraft(draft)).catch(() => say(word("script.no_drafts"), "bad"));
}

function buttons() {
  get("undo").disabled = !matte.done.length;
  get("redo").disabled = !matte.undone.length;
  get("save").disabled = !matte.done.length || !claim.hold;
}

function step(back) {
  const box = matte && !matte.stroke && (back ? matte.undo() : matte.redo());
  if (!box) return;
  refresh(box);
  changed();
}

/* What the server does */

async function png(wide, tall, fill) {
  const area = new OffscreenCanvas(wide, tall);
  const picture = new ImageData(wide, tall);
  fill(picture.data);
  area.getContext("2d").putImageData(picture, 0, 0);
  return area.convertToBlob({ type: "image/png" });
}

async function recompute() {
  const box = matte?.unknownBox();
  if (!box) { toast(word("script.paint_first")); return; }
  const [left, top, right, bottom] = box;
  say(word("script.computing"));
  try {
    const body = await png(right - left, bottom - top, (data) => {
      let to = 0;
      matte.each(box, (at) => {
        data[to] = matte.alpha[at];
        data[to + 1] = matte.unknown[at] * 255;
        data[to + 3] = 255;
        to += 4;
      });
    });
    const answer = await ask("POST", `/api/v1/reviews/${id}/matte/recompute?left=${left}&top=${top}`, body);
    const solved = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
    matte.patch(box, reds(reader(solved, right - left, bottom - top)));
    refresh(box);
    changed();
  } catch (error) {
    say(error.message, "bad");
  }
}

async function faults() {
  if (look.faults) { look.faults = null; get("faults").ariaPressed = "false"; get("faults-legend").hidden = true; draw(); return; }
  const factor = Math.min(1, FAULT_SIDE / Math.max(width, height));
  const [wide, tall] = [Math.max(1, Math.round(width * factor)), Math.max(1, Math.round(height * factor))];
  try {
    const whole = await createImageBitmap(await grey());
    const small = new OffscreenCanvas(wide, tall);
    small.getContext("2d").drawImage(whole, 0, 0, wide, tall);
    const answer = await ask("POST", `/api/v1/reviews/${id}/matte/faults`, await small.convertToBlob({ type: "image/png" }));
    const marks = reader(await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" }), wide, tall);
    const shown = new ImageData(wide, tall);
    for (let at = 0; at < marks.length; at += 4) {
      if (marks[at] > 127) shown.data.set([255, 0, 200, 255], at);
      else if (marks[at + 1] > 127) shown.data.set([255, 190, 0, 255], at);
    }
    look.faults = new OffscreenCanvas(wide, tall);
    look.faults.getContext("2d").putImageData(shown, 0, 0);
    get("faults").ariaPressed = "true";
    get("faults-legend").hidden = false;
    draw();
  } catch (error) {
    say(error.message, "bad");
  }
}

function grey() {
  return png(width, height, (data) => {
    for (let at = 0; at < matte.alpha.length; at++) {
      data[at * 4] = data[at * 4 + 1] = data[at * 4 + 2] = matte.alpha[at];
      data[at * 4 + 3] = 255;
    }
  });
}

/** Save; without a connection remember the wish and save when it is back. */
async function save() {
  if (!matte?.done.length || !claim.hold) return;
  wanted = true;
  get("save").disabled = true;
  say(word("script.saving"));
  try {
    const { token, version } = claim.hold;
    await ask("POST", `/api/v1/reviews/${id}/matte?token=${token}&version=${version}`, await grey());
    wanted = false;
    await dropDraft(draft);
    claim.forget();
    location.assign(`/reviews/${id}${query}`);
  } catch (error) {
    buttons();
    if (error.status === 0) say(word("script.waiting"), "bad");
    else { wanted = false; say(`${error.message} ${word("script.kept")}`, "bad"); }
  }
}

addEventListener("online", () => wanted && save());

/* Controls */

function choose(tool) {
  brush.tool = tool;
  for (const one of document.querySelectorAll("[data-tool]")) one.ariaPressed = String(one.dataset.tool === tool);
  draw();
}

function show(view) {
  look.view = view;
  for (const one of document.querySelectorAll("[data-view]")) one.ariaPressed = String(one.dataset.view === view);
  if (matte) refresh();
}

function background(name) {
  look.shade = name;
  for (const one of document.querySelectorAll("[data-background]")) one.ariaPressed = String(one.dataset.background === name);
  show("cut");
}

function set(name, value) {
  const field = get(name);
  brush[name] = Math.min(Number(field.max), Math.max(Number(field.min), value));
  field.value = brush[name];
  get(`${name}-value`).textContent = name === "size" ? `${Math.round(brush.size)} px` : `${brush[name]} %`;
  draw();
}

for (const name of ["size", "hardness", "opacity"]) {
  get(name).addEventListener("input", (event) => set(name, Number(event.target.value)));
  set(name, brush[name]);
}
main.addEventListener("click", (event) => {
  const data = event.target.closest("[data-tool], [data-view], [data-background], [data-zoom]")?.dataset;
  if (!data) return;
  if (data.tool) choose(data.tool);
  if (data.view) show(data.view);
  if (data.background) background(data.background);
  if (data.zoom === "fit") fit();
  else if (data.zoom) zoom(data.zoom === "in" ? 1.4 : 1 / 1.4);
});
get("any-colour").addEventListener("input", (event) => background(event.target.value));
get("recompute").addEventListener("click", recompute);
get("undo").addEventListener("click", () => step(true));
get("redo").addEventListener("click", () => step(false));
get("faults").addEventListener("click", faults);
get("save").addEventListener("click", save);
get("reset").addEventListener("click", () => { while (matte.done.length) matte.undo(); refresh(); changed(); });
get("leave").addEventListener("click", () => claim.forget());
new ResizeObserver(() => (look.fitted ? fit() : draw())).observe(stage);

for (const [kind, change] of [["keydown", "add"], ["keyup", "delete"]]) {
  addEventListener(kind, (event) => {
    if (event.key !== " " || event.target.closest?.("button, input, a")) return;
    event.preventDefault();
    held[change](" ");
    draw();
  });
}

keys([
  ["f", "tool.subject", () => choose("subject")],
  ["b", "tool.background", () => choose("background")],
  ["u", "tool.unknown", () => choose("unknown")],
  ["d", "tool.soft", () => choose("soft")],
  ["e", "tool.restore", () => choose("restore")],
  ["h", "tool.hand", () => choose("hand")],
  ["[", "key.smaller", () => set("size", brush.size / 1.2)],
  ["]", "key.larger", () => set("size", Math.max(brush.size + 1, brush.size * 1.2))],
  ["{", "key.softer", () => set("hardness", brush.hardness - 10)],
  ["}", "key.harder", () => set("hardness", brush.hardness + 10)],
  ["r", "key.recompute", recompute],
  ["x", "key.faults", faults],
  ["v", "key.views", () => show({ overlay: "cut", cut: "alpha", alpha: "photo", photo: "overlay" }[look.view])],
  ["Mod+z", "key.undo", () => step(true)],
  ["Mod+Shift+z", "key.redo", () => step(false)],
  ["Mod+y", "", () => step(false)],
  ["Mod+s", "key.save", save],
  ["+", "key.zoom", () => zoom(1.4)],
  ["=", "", () => zoom(1.4)],
  ["-", "key.zoom", () => zoom(1 / 1.4)],
  ["0", "key.fit", fit],
  ["8", "key.pixels", () => zoom(MAX_ZOOM / look.scale)],
  ["Escape", "key.leave", () => get("leave").click()],
]);

claim.take().then(() => matte && buttons()).catch((error) => say(error.message, "bad"));
load().then(() => claim.hold && buttons()).catch((error) => say(error.message, "bad"));
