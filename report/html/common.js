// What every page of ours does: commands can be copied, charts follow the width
// of the window.
(() => {
  for (const command of document.querySelectorAll(".command")) {
    if (!navigator.clipboard) break;
    const code = command.querySelector("code"), button = document.createElement("button");
    button.type = "button";
    button.textContent = "copy";
    button.addEventListener("click", () => navigator.clipboard.writeText(code.textContent).then(
      () => { button.textContent = "copied"; },
      () => getSelection().selectAllChildren(code))); // not allowed: one key press away
    command.append(button);
  }

  let width = innerWidth, waiting;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // a phone's address bar, not its width
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(charts.redraw, 150);
  });
})();
