// Keeps an open page up to date; see docs/published-page.md.
let { version, every = 30, stale = 180 } = document.documentElement.dataset;
const all = (what, root = document) => [...root.querySelectorAll(what)];
const key = (one) => one.href || one.closest("[id]").id;
const get = (path) => fetch(path, { cache: "no-cache" });
const shown = new Map(all("[data-live]").map((part) => [part, part.innerHTML]));
let heard = Date.now();
let due = 0;

// Times in texts get the local time, if different, as a tooltip and on click.
const clock = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const translate = () => {
  for (const one of all(".prose time")) {
    const at = new Date(one.dateTime);
    const own = at.toLocaleString("en", clock);
    if (isNaN(at) || one.innerText.includes(own.slice(-5))) continue;
    one.title = `${own} your time`;
    one.onclick = () => (one.innerText += ` (${one.title})`) && (one.onclick = null);
  }
};
translate();

const renew = async (time) => {
  const page = await get(location);
  if (!page.ok) return;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  for (const [part, was] of shown) {
    const now = fresh.getElementById(part.id);
    if (!now || now.innerHTML === was) continue;
    shown.set(part, now.innerHTML);
    const open = all("[open]", part).map(key);
    const [focus] = all(":focus", part).map(key);
    part.replaceChildren(...now.childNodes);
    for (const one of all("details", part)) one.open ||= open.includes(key(one));
    all("a,summary", part).find((one) => key(one) === focus)?.focus();
    translate();
    document.all.news.innerText = `Updated at ${time}`;
  }
  due--;
};

const look = async () => {
  if (document.hidden) return;
  try {
    const live = await get("/live.json");
    const [date, made, age] = ["Date", "Last-Modified", "Age"].map((name) => live.headers.get(name));
    const news = await live.json();
    // By the server's clock.
    heard = Date.now() - (Date.parse(date) - Date.parse(made) + age * 1e3 || 0);
    // Twice: a cache may be behind.
    if (news.version !== version) due = 2;
    version = news.version;
    const time = news.as_of.slice(11, 16);
    if (due) await renew(time);
    for (const one of all("#as-of time")) one.innerText = one.innerText.replace(/\d+:\d+/, time);
  } catch {}
  document.all.stale.hidden = Date.now() - heard < stale * 1e3;
};

const again = (wait) => setTimeout(() => look().then(() => again(every)), wait * (850 + 300 * Math.random()));
addEventListener("visibilitychange", look);
again(2);
