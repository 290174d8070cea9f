// An open page keeps itself true: asks now and then whether there is news, takes over what changed, and says so when
// it can no longer know. Everything that it does is a comfort; the page is whole without it.
"use strict";

(() => {
  const EVERY = 30e3;
  const STALE = 180e3;
  const parts = () => document.querySelectorAll("[data-live]");
  const banner = document.getElementById("stale");
  const told = document.getElementById("news");
  let version = document.documentElement.dataset.version;
  let heard = 0; // when this page was last known to be true, on performance.now()'s clock

  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch("/live.json", { cache: "no-cache" });
        const news = await answer.json();
        // The server's own two clocks: neither the reader's nor the publisher's has to be right.
        const age = Date.parse(answer.headers.get("Date")) - Date.parse(answer.headers.get("Last-Modified"));
        heard = performance.now() - (age || 0);
        if (news.version !== version) await renew(news.version);
      } catch {
        // Offline, or the server is: the banner says so when it has lasted.
      }
      banner.hidden = performance.now() - heard < STALE;
    }
  };

  const renew = async (to) => {
    const text = await (await fetch(location.pathname, { cache: "no-cache" })).text();
    const fresh = new DOMParser().parseFromString(text, "text/html");
    if (!fresh.querySelector("[data-live]")) return;
    let changed = false;
    for (const part of parts()) {
      const now = fresh.getElementById(part.id);
      if (now && now.innerHTML !== part.innerHTML) {
        part.replaceChildren(...now.childNodes);
        changed ||= !part.matches("time");
      }
    }
    version = to;
    document.title = fresh.title;
    if (changed) told.textContent = "This page has just been updated.";
  };

  const again = () => setTimeout(() => look().then(again), EVERY * (0.85 + 0.3 * Math.random()));
  document.addEventListener("visibilitychange", look);
  look().then(again);
})();
