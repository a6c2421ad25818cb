// A text field with suggestions below it: type, arrows, Enter.

let count = 0;

/** `find(text)` gives options {label, note, value}; `pick(option)` is told of a choice. */
export class Combo {
  constructor(root, find, pick) {
    this.input = root.querySelector("input");
    this.list = root.querySelector("[role=listbox]");
    this.find = find;
    this.pick = pick;
    this.options = [];
    this.at = -1;
    if (this.input.readOnly) return;
    this.input.addEventListener("input", () => this.open());
    this.input.addEventListener("focus", () => { this.input.select(); this.open(true); });
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 120));
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("pointerdown", (event) => {
      const option = event.target.closest("[role=option]");
      if (!option) return;
      event.preventDefault();
      this.choose(this.options[Number(option.dataset.at)]);
    });
  }

  async open(fresh = false) {
    const turn = (this.turn = ++count);
    const options = await this.find(fresh ? "" : this.input.value.trim());
    if (turn !== this.turn || document.activeElement !== this.input) return;
    this.options = options;
    this.at = -1;
    this.list.replaceChildren(...options.map((option, index) => {
      const row = document.createElement("div");
      row.role = "option";
      row.id = `${this.list.id}-${index}`;
      row.dataset.at = index;
      row.ariaSelected = "false";
      const note = document.createElement("span");
      note.className = "p";
      note.textContent = option.note ?? "";
      row.append(option.label, note);
      return row;
    }));
    this.list.hidden = !options.length;
    this.input.ariaExpanded = String(!this.list.hidden);
  }

  close() {
    this.turn = ++count;
    this.list.hidden = true;
    this.input.ariaExpanded = "false";
    this.input.removeAttribute("aria-activedescendant");
  }

  choose(option) {
    this.input.value = option.label;
    this.pick(option);
    this.close();
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.options.length) {
      event.preventDefault();
      this.list.children[this.at]?.setAttribute("aria-selected", "false");
      this.at = (this.at + step + this.options.length) % this.options.length;
      const row = this.list.children[this.at];
      row.ariaSelected = "true";
      row.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", row.id);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.isComposing) {
      event.preventDefault();
      if (!this.list.hidden && this.options.length && (this.at >= 0 || this.strict)) this.choose(this.options[Math.max(0, this.at)]);
      else this.close();
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.close();
    }
  }
}
