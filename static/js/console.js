// Optional conveniences: filtering components while typing, and setting the focus.
addEventListener("input", (event) => {
  const id = event.target.dataset.filter;
  if (!id) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const item of document.getElementById(id).querySelectorAll("li[data-name]")) {
    item.hidden = wanted !== "" && !item.dataset.name.includes(wanted);
  }
  for (const part of document.querySelectorAll(".picker-part")) part.hidden = !part.querySelector("li:not([hidden])");
});

// Enter in the search must not submit the form.
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.dataset.filter) event.preventDefault();
});

// Ask before leaving a form that is not saved as a draft.
let unsaved;
addEventListener("input", ({ target }) => (unsaved ||= target.closest("[data-guard]")));
addEventListener("submit", () => (unsaved = null));
addEventListener("beforeunload", (event) => unsaved && event.preventDefault());

// Close the top bar's menu on a click or focus elsewhere.
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
