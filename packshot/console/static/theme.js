// Before the first paint: the theme that was chosen, else the system's.
"use strict";
(() => {
  const chosen = localStorage.getItem("packshot-theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
})();
