// In the frame that other sites show: tells the script around it whether there is something to see.
const codes = document.body.dataset.codes;
const button = document.querySelector("button");
const tell = (action) => parent.postMessage({ action, codes }, "*");

if (parent !== window) {
  button.hidden = false;
  button.addEventListener("click", () => tell("dismissFrame"));
  tell(codes ? "showFrame" : "hideFrame");
  // What is being read or used is left alone.
  setInterval(() => document.hasFocus() || location.reload(), 60_000);
}
