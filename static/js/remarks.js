// Proofreading remarks: a button replaces the words in the text. The browser's undo works.
function place(text, words, start, end) {
  if (!words) return text.length;
  if (text.slice(start, end) === words) return start;
  const before = text.lastIndexOf(words, start);
  const after = text.indexOf(words, start);
  return before < 0 || (after >= 0 && after - start < start - before) ? after : before;
}

function announce(found, words) {
  const status = found.parentElement.querySelector("[data-remarks-status]");
  if (status.textContent !== words) status.textContent = words;
}

function fix(button) {
  const found = button.closest("[data-remarks-of]");
  const area = document.getElementById(found.dataset.remarksOf);
  const { words, suggestion, start, end } = button.dataset;
  const at = place(area.value, words, Number(start), Number(end));
  if (at < 0) return announce(found, "These words are not in the text any more.");
  area.focus();
  area.setSelectionRange(at, at + words.length);
  if (!document.execCommand("insertText", false, suggestion)) {
    area.setRangeText(suggestion, at, at + words.length, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  button.closest("li").remove();
  announce(found, "Changed. Undo takes it back.");
}

function show(root) {
  for (const button of root.querySelectorAll("[data-fix]")) button.hidden = false;
}

addEventListener("click", (event) => {
  const button = event.target.closest("[data-fix]");
  if (button) fix(button);
});

let used;
addEventListener("htmx:beforeSwap", ({ detail }) => {
  used = detail.target.contains(document.activeElement) && document.activeElement.id;
});

addEventListener("htmx:afterSwap", (event) => {
  const found = event.target;
  if (!found.dataset.remarksOf) return;
  show(found);
  // htmx could not: the button was still hidden.
  if (used && document.activeElement === document.body) document.getElementById(used)?.focus({ preventScroll: true });
  const words = found.querySelector("[data-remarks-count]")?.textContent || "";
  if (words || found.dataset.had) announce(found, words || "No remarks on this text any more");
  found.dataset.had = words;
});

addEventListener("DOMContentLoaded", () => {
  show(document);
  // Text typed before the scripts loaded, or restored by the browser.
  for (const found of document.querySelectorAll("[data-remarks-of]")) {
    const area = document.getElementById(found.dataset.remarksOf);
    if (area.value !== area.defaultValue) area.dispatchEvent(new Event("input", { bubbles: true }));
  }
});
