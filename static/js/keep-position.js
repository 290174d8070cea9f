// Keeps the scroll position and focus when htmx replaces a part with [data-keep-position].

const sent = new Map(); // the last response for each part, by id
let held = null;

const onScreen = (one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
};

// The focused element, or else the first visible one of the part, and its position.
function hold(part) {
  const used = document.activeElement;
  const named = [...part.querySelectorAll("[id]")];
  const mark = used.id && !used.contains(part) && onScreen(used) ? used : named.find(onScreen);
  return {
    mark: mark?.id,
    top: mark?.getBoundingClientRect().top,
    wide: part.querySelector(".table-wrap")?.scrollLeft,
    used: part.contains(used) && [used.closest("tr")?.querySelector("[id]")?.id, part.id],
  };
}

addEventListener("htmx:beforeSwap", ({ detail }) => {
  const part = detail.target;
  if (!("keepPosition" in part.dataset) || !detail.shouldSwap) return;
  const text = detail.serverResponse.replace(/csrfmiddlewaretoken" value="\w+/g, "");
  const asked = detail.requestConfig.verb === "get";
  // Unchanged, or a button in it is being pressed.
  detail.shouldSwap = !asked || (sent.get(part.id) !== text && !part.querySelector(":active"));
  if (!detail.shouldSwap) return;
  sent.set(part.id, text);
  held = hold(part);
});

addEventListener("htmx:afterSwap", () => {
  if (!held) return;
  const { mark, top, wide, used } = held;
  held = null;
  if (used && document.activeElement === document.body) {
    used.map((id) => document.getElementById(id)).find(Boolean)?.focus({ preventScroll: true });
  }
  const now = mark && document.getElementById(mark);
  if (wide) now?.closest(".table-wrap")?.scrollTo({ left: wide });
  if (now) scrollBy({ top: now.getBoundingClientRect().top - top, behavior: "instant" });
});

// A live region is announced when it changes, not for its initial content.
addEventListener("DOMContentLoaded", () => {
  const toasts = [...document.getElementById("toasts").children];
  setTimeout(() => toasts.forEach((one) => one.replaceWith(one.cloneNode(true))), 300);
});
