// Selecting a group selects its components. The number selected is shown next to the button.
const board = document.getElementById("component-list");
const form = document.getElementById("statuses");
const boxes = (group) => [...group.closest("li").querySelectorAll("[name=chosen]")];
const groups = () => [...board.querySelectorAll("[name=groups]")];
const spread = (group) => boxes(group).forEach((box) => (box.checked = group.checked));

const count = (event) => {
  if (event?.target.name === "groups") spread(event.target);
  for (const group of groups()) group.checked = boxes(group).length > 0 && boxes(group).every((box) => box.checked);
  form.querySelector("[data-chosen]").textContent = `${board.querySelectorAll("[name=chosen]:checked").length} chosen`;
};
board.addEventListener("change", count);
groups().filter((group) => group.checked).forEach(spread);
count();
