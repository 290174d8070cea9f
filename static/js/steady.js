// What the server brings anew moves nothing under its reader, and what happened is said once, in one place.

const sent = new Map(); // what each part was sent last, by its id
let held = null;

const onScreen = (one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
};

// What is in use, or else the first thing of the part that stands on the screen, and where it stands.
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
  if (!("steady" in part.dataset) || !detail.shouldSwap) return;
  const text = detail.serverResponse.replace(/csrfmiddlewaretoken" value="\w+/g, "");
  const asked = detail.requestConfig.verb === "get";
  // Nothing new, or somebody is pressing a button of it just now.
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

// A live region is read out when it changes, not for what the page came with.
addEventListener("DOMContentLoaded", () => {
  const said = [...document.getElementById("toasts").children];
  setTimeout(() => said.forEach((one) => one.replaceWith(one.cloneNode(true))), 300);
});
