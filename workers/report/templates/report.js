"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const cards = all(".card");
  if (!cards.length) return;
  const tiles = new Map(all(".sheet li").map((tile) => [tile.dataset.card, tile]));
  const tools = one(".tools");
  const search = one("input[type=search]", tools);
  const chips = all("input[name=status]", tools);
  const count = one(".count", tools);

  // Whatever needs this script is hidden in the markup.
  [tools, ...all(".needs-script, .enlarge")].forEach((element) => (element.hidden = false));

  // Every word has to be found; full-width and half-width forms are the same.
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const filter = () => {
    const status = chips.find((chip) => chip.checked)?.value ?? "";
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const card of cards) {
      const fits =
        (!status || card.dataset.status === status) &&
        words.every((word) => card.dataset.search.includes(word));
      card.hidden = tiles.get(card.dataset.card).hidden = !fits;
      shown += fits;
    }
    one(".nothing").hidden = shown > 0;
    count.value = shown === cards.length ? "" : `${shown} of ${cards.length}`;
  };
  tools.addEventListener("input", filter);
  one("[data-reset]").addEventListener("click", () => {
    search.value = "";
    chips[0].checked = true;
    filter();
    search.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.matches("input, textarea") && !one("dialog[open]")) {
      event.preventDefault();
      search.focus();
    }
  });

  // A line of text and its box light up together.
  const light = (card, line, on, scroll) => {
    for (const element of all(`[data-line="${line}"]`, card)) {
      element.classList.toggle("lit", on);
      if (on && scroll && element.matches(".lines li")) {
        const list = element.parentElement;
        list.scrollTop = element.offsetTop - list.clientHeight / 2;
      }
    }
  };
  for (const card of cards) {
    for (const kind of ["pointerover", "pointerout", "focusin", "focusout"]) {
      card.addEventListener(kind, (event) => {
        const element = event.target.closest("[data-line]");
        if (!element) return;
        const on = kind === "pointerover" || kind === "focusin";
        light(card, element.dataset.line, on, !element.matches("li"));
      });
    }
  }

  // Before and after: the photo lies over the cut-out, cut where the handle stands.
  const split = (card) => {
    const frame = one(".cutout .frame", card);
    if (one(".before", frame)) return;
    const photo = one(".original img", card);
    if (!photo) return;
    const before = photo.cloneNode();
    before.className = "before";
    before.alt = "";
    const handle = document.createElement("input");
    Object.assign(handle, { type: "range", min: 0, max: 100, value: 50, className: "handle" });
    handle.setAttribute("aria-label", "Share of the photo that is shown");
    const move = () => frame.style.setProperty("--at", `${handle.value}%`);
    handle.addEventListener("input", move);
    frame.append(before, handle);
    move();
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[value=split]")) split(event.target.closest(".card"));
  });

  // The large view borrows the figure's frame, boxes and backdrop included.
  const dialog = one("dialog.large");
  const enlarge = (card, stage) => {
    const hold = one(".hold", dialog);
    const frame = one(".frame", stage).cloneNode(true);
    all(".handle, .before", frame).forEach((element) => element.remove());
    const back = one("input[name^=back]:checked", card)?.value;
    const view = one("input[name^=view]:checked", card)?.value;
    const matte = stage.matches(".cutout");
    hold.className = matte ? `hold ${view === "alpha" ? "alpha" : back}` : "hold";
    if (!matte && !(one(".show-boxes", card)?.checked ?? true)) one(".boxes", frame)?.remove();
    hold.replaceChildren(frame);
    one(".caption", dialog).textContent = one(".name", card).textContent;
    dialog.showModal();
  };
  for (const card of cards) {
    for (const button of all(".enlarge", card)) {
      const stage = one(".stage", button.closest("section"));
      button.addEventListener("click", () => enlarge(card, stage));
      one(".frame img", stage).addEventListener("click", () => enlarge(card, stage));
      stage.classList.add("zooms");
    }
  }
  dialog.addEventListener("click", (event) => {
    if (!event.target.closest("button")) dialog.close();
  });
})();
