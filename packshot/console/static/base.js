// What every page has: requests, words, keys, help, messages, times.

const words = JSON.parse(document.getElementById("words").textContent);

/** The sentence under a key, with its {names} filled in. */
export function word(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const csrf = document.querySelector("meta[name=csrf]").content;

/** An answer that is no success: `code` and a sentence, as the API gives them. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Ask the API; returns the JSON of the answer, or the response itself where it is none. */
export async function ask(method, path, body, options = {}) {
  const headers = { "x-csrf-token": csrf };
  let content = body;
  if (body && !(body instanceof Blob) && !(body instanceof URLSearchParams)) {
    headers["content-type"] = "application/json";
    content = JSON.stringify(body);
  } else if (body instanceof Blob) headers["content-type"] = body.type;
  busy(1);
  let response;
  try {
    response = await fetch(path, { method, headers, body: content, ...options });
  } catch {
    throw new Refusal(0, "offline", word("script.offline"));
  } finally {
    busy(-1);
  }
  const json = (response.headers.get("content-type") ?? "").includes("json");
  if (!response.ok) {
    const said = json ? await response.json() : {};
    if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Refusal(response.status, said.code ?? "error", said.message ?? response.statusText);
  }
  return json ? response.json() : response;
}

let running = 0;
function busy(change) {
  running += change;
  document.getElementById("progress").classList.toggle("on", running > 0);
}

/** A message that goes by itself; `link` is [text, address]. */
export function toast(text, link) {
  const box = document.createElement("div");
  box.className = "toast";
  box.append(text);
  if (link) {
    const anchor = document.createElement("a");
    [anchor.textContent, anchor.href] = link;
    box.append(anchor);
  }
  const toasts = document.getElementById("toasts");
  toasts.replaceChildren(...[...toasts.children].slice(-1), box);
  setTimeout(() => box.remove(), link ? 8000 : 4000);
}

const bindings = [];

/** Bind keys: [key, words' key, function]. A key is as in KeyboardEvent.key, "Mod+" before it. */
export function keys(list) {
  for (const [key, name, run, when] of list) bindings.push({ key, name, run, when });
  showKeys();
}

/** Forget what a page bound, when another one takes its place. */
export function unbind() {
  bindings.length = 0;
  keys(common);
}

function showKeys() {
  const box = document.getElementById("help-keys");
  const shown = new Map();
  for (const { key, name } of bindings) if (name) shown.set(name, [...(shown.get(name) ?? []), key]);
  box.replaceChildren(...[...shown].map(([name, list]) => {
    const row = document.createElement("div");
    const what = document.createElement("span");
    what.textContent = word(name);
    const sign = document.createElement("span");
    sign.append(...list.flatMap((key) => [kbd(key), " "]));
    row.append(what, sign);
    return row;
  }));
}

const names = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Enter: "↵", Escape: "Esc", " ": "Space" };
function kbd(key) {
  const box = document.createElement("kbd");
  box.textContent = key.replace("Mod+", "Ctrl ").replace("Shift+", "⇧ ").replace(/(\S+)$/, (last) => names[last] ?? (last.length === 1 ? last.toUpperCase() : last));
  if (key === " ") box.textContent = "Space";
  return box;
}

function typing(target) {
  return target.closest?.("input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=color]), textarea, select") != null;
}

addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const modified = event.ctrlKey || event.metaKey;
  if (event.altKey) return;
  const letter = event.key.length === 1 && /[a-zA-Z]/.test(event.key);
  const name = (modified ? "Mod+" : "") + (event.shiftKey && (letter || modified) ? "Shift+" : "") + (letter ? event.key.toLowerCase() : event.key);
  if (typing(event.target) && !modified) {
    // Escape leaves the field, so that the letters are commands again.
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!modified && (event.key === "Enter" || event.key === " ") && event.target.closest?.("a, button, summary")) return;
  const found = bindings.find((one) => one.key === name && (!one.when || one.when()));
  if (!found) return;
  event.preventDefault();
  found.run(event);
});

function help() {
  document.getElementById("help").showModal();
}

const themes = ["dark", "light"];
function theme() {
  const dark = document.documentElement.dataset.theme === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  const next = themes[dark ? 1 : 0];
  document.documentElement.dataset.theme = next;
  localStorage.setItem("packshot-theme", next);
}

const common = [
  ["?", "key.help", help],
  ["g", "key.queue", () => location.assign("/queue"), () => document.body.dataset.page !== "matte"],
  ["t", "key.theme", theme],
];
keys(common);

addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-help], [data-theme-toggle], [data-close]");
  if (!target) return;
  if ("help" in target.dataset) help();
  else if ("themeToggle" in target.dataset) theme();
  else target.closest("dialog")?.close();
});

/** Write every time in the reader's own zone and language. */
export function times(root = document) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const one of root.querySelectorAll("time[datetime]")) {
    one.title = one.textContent;
    one.textContent = format.format(new Date(one.dateTime));
  }
}
times();
