// One item: claim it, look, put right, decide, and have the next one there at once.
import { ask, keys, times, toast, unbind, word } from "./base.js";
import { Claim } from "./claim.js";
import { Fields } from "./fields.js";
import { Viewer } from "./viewer.js";

/** How long a page that was fetched ahead may wait: its links to pictures end (milliseconds). */
const STALE = 10 * 60 * 1000;
/** Items passed over in this tab, so that they are not fetched ahead again. */
const passed = new Set(JSON.parse(sessionStorage.getItem("packshot-passed") ?? "[]"));
/** How long a decision waits for the page that is just being fetched ahead (milliseconds). */
const PATIENCE = 1500;
let ahead = null;
let looking = null;

class Desk {
  constructor(main) {
    this.main = main;
    this.get = (id) => main.querySelector(`#${id}`);
    this.id = main.dataset.id;
    this.query = main.dataset.query;
    this.data = JSON.parse(this.get("item-data").textContent);
    this.viewer = new Viewer(main);
    this.fields = new Fields(main, this.data, () => this.show());
    this.claim = new Claim(this.id, (error) => this.conflict(error));
    this.open = main.dataset.reviews === "1" && main.dataset.status !== "decided";
    this.listen();
    if (this.data.edited && this.fields.matte) this.showEdited();
    this.bind();
    this.show();
    if (this.open) this.take();
    else looking = this.look();
  }

  listen() {
    this.main.addEventListener("click", (event) => {
      const tab = event.target.closest("[data-tab]");
      if (tab && !tab.disabled) this.tab(tab.dataset.tab);
      const swatch = event.target.closest("[data-background]");
      if (swatch) this.background(swatch.dataset.background);
    });
    this.get("any-colour").addEventListener("input", (event) => this.background(event.target.value));
    this.get("split-toggle").addEventListener("click", () => this.toggleSplit());
    for (const [id, run] of [["approve", () => this.approve()], ["reject", () => this.refuse("rejected")], ["send-back", () => this.refuse("sent_back")], ["skip", () => this.skip()], ["give", () => this.give()]]) this.get(id)?.addEventListener("click", run);
    // The editor claims again: releasing in between would offer the item to others.
    this.get("edit-matte")?.addEventListener("click", () => this.claim.forget());
    this.get("fields").addEventListener("submit", (event) => event.preventDefault());
    this.get("reasons").addEventListener("keydown", (event) => {
      const choice = /^[1-9]$/.test(event.key) && event.target.id !== "note" && this.get("reasons").querySelectorAll("input[type=radio]")[Number(event.key) - 1];
      if (choice) { choice.checked = true; choice.focus(); }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.get("reasons-go").click(); }
    });
  }

  bind() {
    unbind();
    const ready = () => this.open;
    keys([
      ["a", "key.approve", () => this.approve(), ready],
      ["Mod+Enter", "key.approve", () => this.approve(), ready],
      ["r", "key.reject", () => this.refuse("rejected"), ready],
      ["b", "key.send_back", () => this.refuse("sent_back"), ready],
      ["s", "key.skip", () => this.skip(), ready],
      ["Enter", "key.next", () => this.next(), () => !this.open || !this.get("conflict").hidden],
      ["e", "key.text", () => this.fields.focusText()],
      ["c", "key.category", () => this.fields.value("category")?.focus()],
      ["n", "key.brand", () => this.fields.value("brand")?.focus()],
      ["p", "key.person", () => this.get("give-to").focus(), () => this.get("give-to")],
      ["m", "key.matte", () => this.get("edit-matte")?.click(), ready],
      ["1", "key.tabs", () => this.tab("photo")],
      ["2", "key.tabs", () => this.tab("cut")],
      ["3", "key.tabs", () => this.tab("outputs")],
      ["w", "key.backgrounds", () => this.nextBackground()],
      ["/", "key.split", () => this.toggleSplit()],
      ["+", "key.zoom", () => this.viewer.zoom(1.4)],
      ["=", "", () => this.viewer.zoom(1.4)],
      ["-", "key.zoom", () => this.viewer.zoom(1 / 1.4)],
      ["0", "key.fit", () => this.viewer.fit()],
      ["Escape", "key.queue", () => location.assign(`/queue${this.query}`)],
    ]);
  }

  tab(name) {
    const button = this.main.querySelector(`[data-tab="${name}"]`);
    if (button.disabled) return;
    for (const one of this.main.querySelectorAll("[data-tab]")) {
      one.ariaSelected = String(one === button);
      one.tabIndex = one === button ? 0 : -1;
    }
    this.get("backgrounds").hidden = name !== "cut";
    this.viewer.show(name);
  }

  background(name) {
    this.shade = name;
    this.viewer.background(name);
    for (const one of this.main.querySelectorAll("[data-background]")) one.ariaPressed = String(one.dataset.background === name);
  }

  nextBackground() {
    const list = ["white", "black", "grid"];
    this.tab("cut");
    this.background(list[(list.indexOf(this.shade ?? "white") + 1) % list.length]);
  }

  toggleSplit() {
    this.viewer.split = !this.viewer.split;
    this.get("split-toggle").ariaPressed = String(this.viewer.split);
    this.tab("cut");
  }

  /** The cut-out as the edited matte makes it: the photo behind a mask. */
  showEdited() {
    const picture = this.get("cutout");
    picture.src = this.get("photo").src;
    picture.style.maskImage = `url("${this.data.edited.preview}")`;
    picture.style.maskMode = "luminance";
    picture.style.maskSize = "100% 100%";
    this.tab("cut");
  }

  async take() {
    const state = this.get("claim");
    try {
      await this.claim.take();
      state.textContent = word("script.yours");
      state.className = "pill good";
      this.get("conflict").hidden = true;
      this.get("edit-matte")?.removeAttribute("hidden");
      this.open = true;
      for (const one of this.main.querySelectorAll(".decide button")) one.disabled = false;
      this.main.dataset.claimed = "1";
    } catch (error) {
      this.conflict(error);
    }
    looking = this.look();
  }

  /** Somebody else has it, or decided it, or the claim ended: say so, and show a way on. */
  conflict(error) {
    this.open = false;
    this.main.dataset.claimed = "0";
    const state = this.get("claim");
    state.textContent = word("script.not_yours");
    state.className = "pill bad";
    for (const one of this.main.querySelectorAll(".decide button")) one.disabled = true;
    this.get("edit-matte")?.setAttribute("hidden", "");
    const box = this.get("conflict");
    box.hidden = false;
    box.className = "notice warn over";
    box.role = "alert";
    const title = document.createElement("strong");
    title.textContent = word(`script.${error.code}`) === `script.${error.code}` ? word("script.not_saved") : word(`script.${error.code}`);
    const sentence = document.createElement("p");
    sentence.textContent = error.message;
    const row = document.createElement("div");
    row.className = "row";
    const next = button(word("script.next"), () => this.next());
    next.className = "main";
    row.append(next);
    if (error.code === "already_decided") row.append(button(word("script.look"), () => location.reload()));
    else row.append(button(word("script.again"), () => this.take()));
    box.replaceChildren(title, sentence, row);
    // On a narrow window it lies below the photo.
    box.scrollIntoView({ block: "center" });
  }

  /** What the large button does: approve, or save what was put right. */
  show() {
    const approve = this.get("approve");
    if (!approve) return;
    const correction = this.fields.correction();
    approve.querySelector("span").textContent = correction ? approve.dataset.correct : approve.dataset.approve;
    approve.classList.toggle("good", !correction);
    approve.classList.toggle("main", Boolean(correction));
  }

  approve() {
    const correction = this.fields.correction();
    return this.decide(correction ? { decision: "corrected", correction } : { decision: "approved" });
  }

  refuse(decision) {
    if (!this.open) return;
    const dialog = this.get("reasons");
    const title = this.get("reasons-title");
    const go = this.get("reasons-go");
    const which = decision === "rejected" ? "reject" : "back";
    title.textContent = title.dataset[which];
    go.querySelector("span").textContent = go.dataset[which];
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return;
      this.decide({ decision, reason: dialog.querySelector("input[name=reason]:checked").value, note: this.get("note").value });
    };
    dialog.returnValue = "";
    dialog.showModal();
    dialog.querySelector("input[name=reason]").focus();
  }

  async decide(ruling) {
    if (!this.open || !this.claim.hold) return;
    this.open = false;
    const { hold } = this.claim;
    try {
      await ask("POST", `/api/v1/reviews/${this.id}/decide`, { ...hold, ruling: { ...ruling, seconds: this.claim.seconds } }, { keepalive: true });
    } catch (error) {
      if (error.status === 409) { this.claim.forget(); this.conflict(error); } else { this.open = true; toast(error.message); }
      return;
    }
    this.claim.forget();
    toast(word(`script.${ruling.decision}`), [word("script.see"), `/jobs/${this.main.dataset.job}`]);
    this.next();
  }

  async skip() {
    if (!this.open || !this.claim.hold) return;
    try {
      await ask("POST", `/api/v1/reviews/${this.id}/skip`, this.claim.hold);
    } catch (error) {
      if (error.status !== 409) { toast(error.message); return; }
    }
    this.claim.forget();
    this.next();
  }

  /** A lead gives the item to somebody, or back into the queue, whoever has it. */
  async give() {
    const { value, selectedOptions } = this.get("give-to");
    try {
      await ask("POST", `/api/v1/reviews/${this.id}/reassign`, { login: value || null });
    } catch (error) {
      toast(error.message);
      return;
    }
    this.claim.forget();
    toast(value ? word("script.given", { name: selectedOptions[0].textContent }) : word("script.given_back"));
    this.next();
  }

  /** Fetch the next page and its pictures while this one is worked on. */
  async look() {
    if (this.main.dataset.reviews !== "1") return;
    passed.add(this.id);
    sessionStorage.setItem("packshot-passed", JSON.stringify([...passed].slice(-80)));
    const without = [...passed].slice(-80).join(",");
    const path = `/queue/ahead${this.query ? `${this.query}&` : "?"}without=${without}`;
    ahead = null;
    const response = await fetch(path).catch(() => null);
    if (response?.status !== 200) return;
    const found = new DOMParser().parseFromString(await response.text(), "text/html");
    const main = found.querySelector("main.desk");
    if (!main) return;
    const pictures = [...main.querySelectorAll("#sheet img")].map((one) => { const picture = new Image(); picture.src = one.getAttribute("src"); return picture; });
    ahead = { main, title: found.title, pictures, at: Date.now() };
  }

  async next() {
    if (this.leaving) return;
    this.leaving = true;
    this.claim.release();
    // Whoever decides faster than the next page comes waits for it: loading it anew takes longer.
    if (!ahead) await Promise.race([looking, new Promise((done) => setTimeout(done, PATIENCE))]);
    this.leaving = false;
    const found = ahead;
    if (!found || Date.now() - found.at > STALE) {
      location.assign(`/queue/next${this.query}`);
      return;
    }
    ahead = null;
    this.viewer.close();
    document.title = found.title;
    const main = document.adoptNode(found.main);
    this.main.replaceWith(main);
    history.pushState(null, "", `/reviews/${main.dataset.id}${main.dataset.query}`);
    times(main);
    begin(main);
    main.focus();
  }
}

function button(text, run) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", run);
  return made;
}

function begin(main) {
  new Desk(main);
}

addEventListener("popstate", () => location.reload());
addEventListener("pageshow", (event) => event.persisted && location.reload());
begin(document.getElementById("main"));
