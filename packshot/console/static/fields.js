// The fields of an item: what was found, what a person made of it, and the difference.
import { ask } from "./base.js";
import { Combo } from "./combo.js";

export class Fields {
  /** `changed` is called whenever there is more or less to correct. */
  constructor(root, data, changed) {
    this.root = root;
    this.data = data;
    this.changed = changed;
    this.lines = [...root.querySelectorAll("#lines li")];
    this.matte = data.edited && data.edited.key !== data.used ? data.edited.key : null;
    this.chinese = document.documentElement.lang.startsWith("zh");
    this.listen();
    this.combos();
  }

  listen() {
    const boxes = this.root.querySelector("#boxes");
    const light = (number, on) => {
      boxes?.querySelector(`[data-line="${number}"]`)?.classList.toggle("lit", on);
      this.lines[number]?.classList.toggle("lit", on);
    };
    for (const [number, line] of this.lines.entries()) {
      const input = line.querySelector("input");
      for (const [kind, on] of [["pointerenter", true], ["pointerleave", false]]) line.addEventListener(kind, () => light(number, on));
      input.addEventListener("focus", () => light(number, true));
      input.addEventListener("blur", () => light(number, false));
      input.addEventListener("input", () => this.mark());
      input.addEventListener("keydown", (event) => {
        if (event.isComposing || event.ctrlKey || event.metaKey || !["Enter", "ArrowDown", "ArrowUp"].includes(event.key)) return;
        event.preventDefault();
        this.lines[number + (event.key === "ArrowUp" ? -1 : 1)]?.querySelector("input").focus();
      });
      line.querySelector("[data-drop]")?.addEventListener("click", () => {
        line.classList.toggle("gone");
        this.mark();
      });
    }
    boxes?.addEventListener("pointerover", (event) => event.target.dataset.line && light(Number(event.target.dataset.line), true));
    boxes?.addEventListener("pointerout", (event) => event.target.dataset.line && light(Number(event.target.dataset.line), false));
    boxes?.addEventListener("click", (event) => {
      const line = this.lines[Number(event.target.dataset.line)];
      line?.querySelector("input").focus();
      line?.scrollIntoView({ block: "nearest" });
    });
  }

  combos() {
    const name = (one) => (this.chinese && one.zh ? one.zh : one.en);
    const other = (one) => (this.chinese ? one.en : one.zh);
    const category = this.root.querySelector("#category");
    if (category) {
      const offer = (list) => list.map((one) => ({ label: name(one), note: one.probability === undefined ? other(one) : `${other(one)} ${Math.round(100 * one.probability)} %`, value: one }));
      const combo = new Combo(category, async (text) => offer(text ? await ask("GET", `/api/v1/categories?q=${encodeURIComponent(text)}`) : this.data.guesses), ({ value }) => {
        this.category = value;
        this.mark();
      });
      combo.strict = true;
      combo.input.addEventListener("change", () => {
        // Text that was not chosen from the list means nothing.
        const wanted = this.category ? name(this.category) : combo.input.dataset.was;
        if (combo.input.value !== wanted) combo.input.value = wanted;
      });
    }
    const texts = () => this.lines.map((line) => line.querySelector("input").value).filter(Boolean);
    for (const field of ["brand", "model"]) {
      const box = this.root.querySelector(`#${field}`);
      if (!box) continue;
      const find = async (text) => {
        const seen = texts().filter((one) => one.length <= 60 && one.toLowerCase().includes(text.toLowerCase()));
        const known = field === "brand" && text ? await ask("GET", `/api/v1/brands?q=${encodeURIComponent(text)}`) : [];
        return [...new Set([...known, ...seen])].slice(0, 20).map((label) => ({ label }));
      };
      const combo = new Combo(box, find, () => this.mark());
      combo.input.addEventListener("input", () => this.mark());
    }
  }

  value(field) {
    return this.root.querySelector(`#${field} input`);
  }

  /** Show what was changed, and tell. */
  mark() {
    for (const input of this.root.querySelectorAll("#fields input[data-was]")) input.classList.toggle("changed", input.value !== input.dataset.was);
    this.changed();
  }

  /** What a person put right, as the API wants it; null when nothing was. */
  correction() {
    const found = {};
    const kept = this.lines.filter((line) => !line.classList.contains("gone") && line.querySelector("input").value.trim());
    if (kept.length !== this.lines.length || kept.some((line) => line.querySelector("input").value !== line.querySelector("input").dataset.was)) {
      found.text = kept.map((line) => ({ ...this.data.lines[Number(line.dataset.line)], text: line.querySelector("input").value.trim() }));
    }
    const picked = this.category;
    if (picked && String(picked.id) !== this.value("category").dataset.id) found.category = { id: picked.id, en: picked.en, zh: picked.zh, product: picked.product };
    for (const field of ["brand", "model"]) {
      const input = this.value(field);
      if (input && input.value.trim() !== input.dataset.was) found[field] = input.value.trim() || null;
    }
    if (this.matte) found.matte = this.matte;
    return Object.keys(found).length ? found : null;
  }

  /** Go to the line that is least certain. */
  focusText() {
    const line = this.lines.find((one) => one.classList.contains("doubt")) ?? this.lines[0];
    line?.querySelector("input").focus();
  }
}
