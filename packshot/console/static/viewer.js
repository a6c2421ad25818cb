// Looking at one photo: zoom, pan, boxes, the cut-out behind a slider.

const MAX_ZOOM = 8;

/** Zoom and pan of a sheet inside a view. Scale 1 shows one pixel of the photo as one of the screen. */
export class Viewer {
  constructor(root) {
    const get = (id) => root.querySelector(`#${id}`);
    this.view = get("view");
    this.sheet = get("sheet");
    this.label = get("zoom-level");
    this.splitter = get("split");
    this.cut = get("cut-layer");
    const desk = root.dataset;
    this.size = [Number(desk.width) || 1000, Number(desk.height) || 1000];
    for (const picture of this.sheet.querySelectorAll("img")) [picture.width, picture.height] = this.size;
    this.sheet.style.width = `${this.size[0]}px`;
    this.sheet.style.height = `${this.size[1]}px`;
    this.share = 0.5;
    this.split = true;
    this.tab = "photo";
    this.fit();
    this.listen(root);
  }

  fit() {
    const { clientWidth: wide, clientHeight: tall } = this.view;
    this.fitted = true;
    this.scale = Math.min(wide / this.size[0], tall / this.size[1]) * 0.96;
    this.x = (wide - this.size[0] * this.scale) / 2;
    this.y = (tall - this.size[1] * this.scale) / 2;
    this.draw();
  }

  zoom(factor, x = this.view.clientWidth / 2, y = this.view.clientHeight / 2) {
    const floor = Math.min(0.05, this.scale);
    const scale = Math.min(MAX_ZOOM, Math.max(floor, this.scale * factor));
    this.fitted = false;
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.draw();
  }

  pan(dx, dy) {
    this.fitted = false;
    this.x += dx;
    this.y += dy;
    this.draw();
  }

  draw() {
    this.sheet.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.label.textContent = `${Math.round(this.scale * 100)} %`;
    if (!this.cut) return;
    const at = this.view.clientWidth * this.share;
    const inside = Math.min(this.size[0], Math.max(0, (at - this.x) / this.scale));
    const shown = this.tab === "cut";
    this.cut.hidden = !shown;
    this.splitter.hidden = !shown || !this.split;
    this.splitter.style.left = `${at}px`;
    this.splitter.setAttribute("aria-valuenow", Math.round(this.share * 100));
    this.cut.style.clipPath = this.split ? `inset(0 0 0 ${inside}px)` : "none";
  }

  show(tab) {
    this.tab = tab;
    this.sheet.hidden = tab === "outputs";
    this.view.querySelector("#outputs").hidden = tab !== "outputs";
    this.view.querySelector(".zoom").hidden = tab === "outputs";
    this.view.querySelector("#boxes")?.classList.toggle("off", tab !== "photo");
    this.view.setAttribute("aria-labelledby", `tab-${tab}`);
    this.draw();
  }

  background(name) {
    this.cut.classList.toggle("grid", name === "grid");
    this.cut.style.backgroundColor = name === "grid" ? "" : name;
  }

  moveSplit(share) {
    this.share = Math.min(1, Math.max(0, share));
    this.draw();
  }

  listen(root) {
    const { view, splitter } = this;
    const fingers = new Map();
    view.addEventListener("wheel", (event) => {
      if (this.tab === "outputs") return;
      event.preventDefault();
      const { left, top } = view.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - left, event.clientY - top);
    }, { passive: false });
    view.addEventListener("pointerdown", (event) => {
      if (this.tab === "outputs" || event.target.closest("button")) return;
      view.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event);
    });
    view.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const [other] = [...fingers.values()].filter((one) => one.pointerId !== event.pointerId);
      if (other) {
        const reach = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
        const { left, top } = view.getBoundingClientRect();
        this.zoom(reach(event) / Math.max(1, reach(before)), (event.clientX + other.clientX) / 2 - left, (event.clientY + other.clientY) / 2 - top);
      } else this.pan(event.clientX - before.clientX, event.clientY - before.clientY);
      fingers.set(event.pointerId, event);
    });
    for (const kind of ["pointerup", "pointercancel"]) view.addEventListener(kind, (event) => fingers.delete(event.pointerId));
    view.addEventListener("dblclick", (event) => {
      if (event.target.closest("button") || this.tab === "outputs") return;
      const { left, top } = view.getBoundingClientRect();
      if (this.fitted) this.zoom(1 / this.scale, event.clientX - left, event.clientY - top);
      else this.fit();
    });
    splitter?.addEventListener("pointerdown", (event) => splitter.setPointerCapture(event.pointerId));
    splitter?.addEventListener("pointermove", (event) => {
      if (!splitter.hasPointerCapture(event.pointerId)) return;
      const { left, width } = view.getBoundingClientRect();
      this.moveSplit((event.clientX - left) / width);
    });
    splitter?.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.moveSplit(this.share + step);
    });
    root.addEventListener("click", (event) => {
      const how = event.target.closest("[data-zoom]")?.dataset.zoom;
      if (how === "fit") this.fit();
      else if (how) this.zoom(how === "in" ? 1.4 : 1 / 1.4);
    });
    this.watch = new ResizeObserver(() => (this.fitted ? this.fit() : this.draw()));
    this.watch.observe(view);
  }

  close() {
    this.watch.disconnect();
  }
}
