// The queue: move with the keys, open, choose, accept look-alikes.
import { ask, keys, toast, word } from "./base.js";

const items = [...document.querySelectorAll("#items .item")];
const bar = document.getElementById("bulkbar");
let at = -1;

function go(step) {
  if (!items.length) return;
  items[at]?.classList.remove("at");
  at = Math.min(items.length - 1, Math.max(0, at + step));
  const item = items[at];
  item.classList.add("at");
  item.querySelector("a.name").focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

const box = (item) => item.querySelector("input[type=checkbox]");
const chosen = () => items.filter((item) => box(item).checked);

function choose() {
  const item = items[at];
  if (!item || box(item).disabled) return;
  box(item).checked = !box(item).checked;
  count();
}

function count() {
  if (!bar) return;
  const number = chosen().length;
  bar.hidden = !number;
  document.getElementById("bulk-count").textContent = word("script.chosen", { n: number });
  document.getElementById("bulk-alike").hidden = number !== 1;
}

function clear() {
  for (const item of items) box(item).checked = false;
  count();
}

/** Choose what looks like the one that is chosen, then show all of it. */
async function alike() {
  const [first] = chosen().length ? chosen() : [items[at]];
  if (!first || !bar) return;
  const found = await ask("GET", `/api/v1/reviews/${first.dataset.id}/alike`).catch((error) => toast(error.message));
  if (!found) return;
  const ids = new Set(found.map((one) => one.id));
  for (const item of items) if (!box(item).disabled) box(item).checked = item === first || ids.has(item.dataset.id);
  count();
  if (chosen().length < 2) toast(word("script.none_alike"));
  else preview();
}

function preview() {
  const list = chosen();
  if (!list.length) return;
  document.getElementById("bulk-title").textContent = word("script.accept_n", { n: list.length });
  document.getElementById("bulk-sheet").replaceChildren(...list.map((item) => {
    const figure = document.createElement("figure");
    const picture = item.querySelector("img").cloneNode();
    for (const name of ["loading", "class", "width", "height"]) picture.removeAttribute(name);
    const label = document.createElement("label");
    const check = document.createElement("input");
    check.type = "checkbox";
    check.checked = true;
    check.addEventListener("change", () => { box(item).checked = check.checked; count(); });
    const name = document.createElement("span");
    name.className = "clip";
    name.textContent = item.querySelector(".name").textContent;
    const facts = document.createElement("small");
    facts.textContent = item.querySelector(".facts .category")?.textContent ?? "";
    label.append(check, name, facts);
    figure.append(picture, label);
    return figure;
  }));
  document.getElementById("bulk").showModal();
}

async function accept() {
  const list = chosen();
  document.getElementById("bulk").close();
  if (!list.length) return;
  try {
    const answer = await ask("POST", "/api/v1/reviews/accept", { items: list.map((item) => ({ id: item.dataset.id, version: Number(item.dataset.version) })) });
    const refused = Object.keys(answer.refused).length;
    for (const item of list) if (answer.accepted.includes(item.dataset.id)) item.remove();
    clear();
    toast(refused ? word("script.accepted_some", { n: answer.accepted.length, m: refused }) : word("script.accepted", { n: answer.accepted.length }));
    if (!document.querySelector("#items .item")) location.reload();
  } catch (error) {
    toast(error.message);
  }
}

document.getElementById("items")?.addEventListener("change", count);
document.getElementById("bulk-accept")?.addEventListener("click", preview);
document.getElementById("bulk-go")?.addEventListener("click", accept);
document.getElementById("bulk-alike")?.addEventListener("click", alike);
document.getElementById("bulk-clear")?.addEventListener("click", clear);
const form = document.getElementById("filters");
form?.addEventListener("change", () => form.requestSubmit());
form?.addEventListener("submit", () => {
  for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
});
count();

keys([
  ["j", "key.down", () => go(1)],
  ["ArrowDown", "key.down", () => go(1)],
  ["k", "key.up", () => go(at < 0 ? 1 : -1)],
  ["ArrowUp", "key.up", () => go(at < 0 ? 1 : -1)],
  ["Enter", "key.open", () => (at < 0 ? document.getElementById("start") : items[at].querySelector("a.name"))?.click()],
  ["x", "key.choose", choose],
  ["l", "key.alike", alike],
  ["Shift+a", "key.accept", preview],
  ["/", "key.filter", () => document.getElementById("sku").focus()],
  ["Escape", "", clear],
]);
