// The command bar: / or Ctrl-K opens it, arrow keys move through the results, Escape closes it. Without scripts it is a page.
(() => {
  const dialog = document.getElementById("commands");
  const input = document.getElementById("command");
  if (!dialog) return;

  const open = () => {
    if (!dialog.open) dialog.showModal();
    input.select();
    htmx.trigger(input, "load-commands");
  };

  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest("input, textarea, select, [contenteditable]");
    const slash = event.key === "/" && !writes && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (slash || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-commands]")) {
      event.preventDefault();
      open();
    } else if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.tagName === "SELECT") return;
    event.preventDefault();
    const stops = [input, ...dialog.querySelectorAll(".commands-found a, .commands-found select")];
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  });
  // Enter opens the first result.
  input.form.addEventListener("submit", (event) => {
    const first = dialog.querySelector(".commands-found a");
    if (!first) return;
    event.preventDefault();
    first.click();
  });
})();
