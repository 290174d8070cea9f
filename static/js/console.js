// Small comforts on top of pages that work without: finding a component by typing, and focus where it is needed.
addEventListener("input", (event) => {
  const id = event.target.dataset.filter;
  if (!id) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const item of document.getElementById(id).querySelectorAll("li[data-name]")) {
    item.hidden = wanted !== "" && !item.dataset.name.includes(wanted);
  }
  for (const part of document.querySelectorAll(".picker-part")) part.hidden = !part.querySelector("li:not([hidden])");
});

// Enter in the search must not publish what is only half written.
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.dataset.filter) event.preventDefault();
});

// What no draft keeps is not left without a question.
let unsaved;
addEventListener("input", ({ target }) => (unsaved ||= target.closest("[data-guard]")));
addEventListener("submit", () => (unsaved = null));
addEventListener("beforeunload", (event) => unsaved && event.preventDefault());

// The menu of the bar goes when its reader turns to something else.
for (const type of ["click", "focusin"]) {
  document.addEventListener(type, (event) => {
    const menu = document.querySelector(".topbar-more[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
}

addEventListener("DOMContentLoaded", () => {
  for (const filter of document.querySelectorAll(".filter")) filter.hidden = false;
  document.querySelector("[data-focus]")?.focus();
  const wanted = document.getElementById(location.hash.slice(1));
  if (wanted) wanted.open = true;
});
