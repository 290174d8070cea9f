// A tick on a group ticks all that is in it, and beside the button stands how many are chosen.
const board = document.getElementById("shelves");
const form = document.getElementById("statuses");
const ticks = (group) => [...group.closest("li").querySelectorAll("[name=chosen]")];
const groups = () => [...board.querySelectorAll("[name=groups]")];
const spread = (group) => ticks(group).forEach((tick) => (tick.checked = group.checked));

const count = (event) => {
  if (event?.target.name === "groups") spread(event.target);
  for (const group of groups()) group.checked = ticks(group).length > 0 && ticks(group).every((tick) => tick.checked);
  form.querySelector("[data-chosen]").textContent = `${board.querySelectorAll("[name=chosen]:checked").length} chosen`;
};
board.addEventListener("change", count);
groups().filter((group) => group.checked).forEach(spread);
count();
