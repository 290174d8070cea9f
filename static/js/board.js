// Reordering components by mouse and arrow keys. Touch screens have buttons.
const board = document.getElementById("component-list");
const listOf = (group) => group.querySelector("ul");
const groupOf = (row) => row.parentElement.closest("li");
const nameOf = (row) => row.querySelector(".row-name a").textContent.trim();
let held, home, walked;

// Next to `by`; or into it, if it is a group and the row is not.
function put(row, by, down, enter) {
  const list = enter && !listOf(row) && listOf(by);
  if (list) list[down ? "prepend" : "append"](row);
  else by[down ? "after" : "before"](row);
}

function save(row) {
  const [all, group] = [[...row.parentElement.children], groupOf(row)];
  const at = all.indexOf(row) + 1;
  const where = group ? `in ${nameOf(group)}` : "on the page";
  board.previousElementSibling.textContent = `${nameOf(row)} is now ${at} of ${all.length} ${where}`;
  board.dispatchEvent(new Event("change"));
  const [item, into, before] = [row, group, all[at]].map((one) => one?.dataset.item || "");
  htmx.ajax("POST", board.dataset.place, { source: board, swap: "none", values: { item, into, before } });
}

// After an error, reload: the page shows the saved order and the message.
board.addEventListener("htmx:afterRequest", ({ detail }) => detail.xhr.status === 204 || location.reload());

board.addEventListener("keydown", (event) => {
  const down = { ArrowDown: true, ArrowUp: false }[event.key];
  if (down === undefined || !event.target.matches(".handle")) return;
  event.preventDefault();
  walked = event.target.closest("li");
  const next = down ? walked.nextElementSibling : walked.previousElementSibling;
  const by = next || groupOf(walked);
  if (by) put(walked, by, down, next);
  event.target.focus();
});
board.addEventListener("keyup", () => {
  walked = walked && save(walked);
});

board.addEventListener("dragstart", ({ target, dataTransfer }) => {
  held = target.closest?.(".handle")?.closest("li");
  if (!held) return;
  dataTransfer.setData("row", ""); // Firefox does not drag without data.
  home = [held.parentElement, held.nextElementSibling];
  held.classList.add("held");
});
board.addEventListener("dragover", (event) => {
  if (!held) return;
  event.preventDefault();
  let over = event.target.closest("li");
  if (over && listOf(held)) over = groupOf(over) || over;
  if (!over) board.append(held);
  if (!over || over === held) return;
  const box = (listOf(held) ? over : over.firstElementChild).getBoundingClientRect();
  const down = event.clientY > box.top + box.height / 2;
  put(held, over, down, down);
});
board.addEventListener("dragend", ({ dataTransfer }) => {
  if (!held) return;
  held.classList.remove("held");
  if (dataTransfer.dropEffect === "none") home[0].insertBefore(held, home[1]);
  else save(held);
  held = null;
});

board.classList.add("live");
