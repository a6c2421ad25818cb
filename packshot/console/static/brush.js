// The matte as an array and the brush that paints on it. No page and no network in here.

/** Grow a box [left, top, right, bottom) so that it holds another one. */
export function join(one, other) {
  if (!one) return other;
  return [Math.min(one[0], other[0]), Math.min(one[1], other[1]), Math.max(one[2], other[2]), Math.max(one[3], other[3])];
}

export class Matte {
  /** `alpha` and `original` are Uint8 arrays of width x height; `original` is what restoring gives. */
  constructor(width, height, alpha, original) {
    Object.assign(this, { width, height, alpha, original });
    this.unknown = new Uint8Array(width * height);
    this.cover = new Uint8Array(width * height);
    this.done = [];
    this.undone = [];
  }

  clipped([left, top, right, bottom]) {
    return [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top)), Math.min(this.width, Math.ceil(right)), Math.min(this.height, Math.ceil(bottom))];
  }

  /** Begin a stroke of a tool {tool, size, hardness, opacity} at a point. */
  begin(brush, x, y) {
    this.stroke = { ...brush, points: [x, y] };
    this.before = { alpha: this.alpha.slice(), unknown: this.unknown.slice() };
    this.box = null;
    return this.segment(x, y, x, y);
  }

  /** Go on to a point; returns the box that changed. */
  extend(x, y) {
    const { points } = this.stroke;
    const [fromX, fromY] = points.slice(-2);
    points.push(x, y);
    return this.segment(fromX, fromY, x, y);
  }

  /** End the stroke; returns it, as it can be replayed. */
  end() {
    const { stroke } = this;
    if (!stroke) return null;
    if (this.box[2] > this.box[0] && this.box[3] > this.box[1]) {
      this.remember(stroke, this.box);
      this.each(this.box, (at) => (this.cover[at] = 0));
    }
    this.stroke = this.before = null;
    return stroke;
  }

  /** Every index inside a box. */
  each([left, top, right, bottom], run) {
    for (let y = top; y < bottom; y++) for (let at = y * this.width + left, end = y * this.width + right; at < end; at++) run(at);
  }

  /** A capsule around a piece of the path: full in its core, fading out to the brush's rim. */
  segment(x0, y0, x1, y1) {
    const { size, hardness } = this.stroke;
    const radius = size / 2;
    const box = this.clipped([Math.min(x0, x1) - radius - 1, Math.min(y0, y1) - radius - 1, Math.max(x0, x1) + radius + 2, Math.max(y0, y1) + radius + 2]);
    this.box = join(this.box, box);
    const core = Math.max(0, Math.min(radius - 0.5, (radius * hardness) / 100));
    const fade = Math.max(1, radius - core + 0.5);
    const [dx, dy] = [x1 - x0, y1 - y0];
    const length = dx * dx + dy * dy || 1;
    for (let y = box[1]; y < box[3]; y++) {
      for (let x = box[0]; x < box[2]; x++) {
        const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
        const along = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
        const far = Math.hypot(px - along * dx, py - along * dy);
        if (far > radius + 0.5) continue;
        const t = Math.min(1, Math.max(0, 1 - (far - core) / fade));
        const cover = Math.round(255 * t * t * (3 - 2 * t));
        const at = y * this.width + x;
        // The most of all pieces, so that a slow hand paints no darker than a quick one.
        if (cover > this.cover[at]) {
          this.cover[at] = cover;
          this.paint(at, cover);
        }
      }
    }
    return box;
  }

  paint(at, cover) {
    const { tool, opacity } = this.stroke;
    if (tool === "unknown") {
      if (cover > 127) this.unknown[at] = 1;
      return;
    }
    const target = { subject: 255, background: 0, soft: Math.round(opacity * 2.55), restore: this.original[at] }[tool];
    this.alpha[at] = Math.round((this.before.alpha[at] * (255 - cover) + target * cover) / 255);
    if (cover > 127) this.unknown[at] = 0;
  }

  /** Put computed alpha into a box, where it was unknown; it can be undone like a stroke. */
  patch(box, values) {
    this.before = { alpha: this.alpha.slice(), unknown: this.unknown.slice() };
    let from = 0;
    this.each(box, (at) => {
      if (this.unknown[at]) [this.alpha[at], this.unknown[at]] = [values[from], 0];
      from++;
    });
    const patch = { tool: "patch", box, values };
    this.remember(patch, box);
    this.before = null;
    return patch;
  }

  /** Do again what was painted before the page was closed. */
  replay(op) {
    if (op.tool === "patch") { this.patch(op.box, op.values); return; }
    const { points, ...brush } = op;
    this.begin(brush, points[0], points[1]);
    for (let at = 2; at < points.length; at += 2) this.extend(points[at], points[at + 1]);
    this.end();
  }

  remember(op, box) {
    this.done.push({ op, box, before: this.cut(this.before, box), after: this.cut(this, box) });
    this.undone = [];
  }

  cut({ alpha, unknown }, box) {
    const size = (box[2] - box[0]) * (box[3] - box[1]);
    const piece = { alpha: new Uint8Array(size), unknown: new Uint8Array(size) };
    let to = 0;
    this.each(box, (at) => {
      piece.alpha[to] = alpha[at];
      piece.unknown[to++] = unknown[at];
    });
    return piece;
  }

  put(piece, box) {
    let from = 0;
    this.each(box, (at) => {
      this.alpha[at] = piece.alpha[from];
      this.unknown[at] = piece.unknown[from++];
    });
    return box;
  }

  /** Take the last change back; returns the box that changed, or null. */
  undo() {
    const step = this.done.pop();
    if (!step) return null;
    this.undone.push(step);
    return this.put(step.before, step.box);
  }

  redo() {
    const step = this.undone.pop();
    if (!step) return null;
    this.done.push(step);
    return this.put(step.after, step.box);
  }

  get ops() {
    return this.done.map((step) => step.op);
  }

  /** The box around everything unknown and a margin from which colours come; null without any. */
  unknownBox() {
    let box = null;
    for (let y = 0; y < this.height; y++) {
      const row = this.unknown.subarray(y * this.width, (y + 1) * this.width);
      const left = row.indexOf(1);
      if (left >= 0) box = join(box, [left, y, row.lastIndexOf(1) + 1, y + 1]);
    }
    if (!box) return null;
    const margin = Math.max(16, Math.round(Math.max(box[2] - box[0], box[3] - box[1]) / 2));
    return this.clipped([box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin]);
  }
}
