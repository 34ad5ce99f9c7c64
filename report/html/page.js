// Filters, sorts and opens rows.
(() => {
  const table = document.getElementById("comparisons");
  const search = document.getElementById("search");
  const chart = document.getElementById("forest");
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const pairs = table ? [...table.tBodies[0].querySelectorAll("tr.row")].map(tr => ({ tr, more: tr.nextElementSibling, text: tr.textContent.toLowerCase() })) : [];

  const describe = id => document.getElementById(id).nextElementSibling.querySelector("summary").textContent.trim();
  const drawForest = () => charts.forest(chart, pairs.filter(p => !p.tr.hidden).map(p => p.tr.id), describe, open);

  const filter = () => {
    const classes = new Set(buttons.filter(b => b.getAttribute("aria-pressed") === "true").map(b => b.dataset.filter));
    const words = search.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const p of pairs) {
      const show = classes.has(p.tr.dataset.class) && words.every(w => p.text.includes(w));
      p.tr.hidden = p.more.hidden = !show;
      shown += show;
    }
    document.getElementById("shown").textContent = shown === pairs.length ? "" : shown + " of " + pairs.length + " shown";
    drawForest();
  };

  // In reading order, as the filter's buttons are.
  const order = buttons.map(b => b.dataset.filter);

  const sortable = th => {
    const column = th.cellIndex, button = document.createElement("button");
    button.type = "button";
    button.textContent = th.textContent;
    th.replaceChildren(button);
    const key = tr => {
      const cell = tr.cells[column];
      if (th.dataset.sort === "class") return order.indexOf(tr.dataset.class);
      if (th.dataset.sort !== "number") return cell.textContent.trim();
      const x = parseFloat(cell.dataset.sort ?? cell.textContent);
      return Number.isNaN(x) ? null : x;
    };
    button.addEventListener("click", () => {
      const down = th.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of th.parentNode.cells) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", down === 1 ? "ascending" : "descending");
      const compare = (x, y) => {
        if (x === null || y === null) return (x === null) - (y === null); // the unknown last, either way
        return down * (typeof x === "number" ? x - y : x.localeCompare(y, "en", { numeric: true }));
      };
      for (const p of pairs) p.key = key(p.tr);
      pairs.sort((a, b) => compare(a.key, b.key));
      table.tBodies[0].append(...pairs.flatMap(p => [p.tr, p.more]));
      drawForest();
    });
  };

  // A strip is drawn when its details are opened for the first time.
  document.addEventListener("toggle", event => {
    const more = event.target.closest?.("tr.more");
    const strip = more && event.target.open && event.target.querySelector(":scope > .strip");
    if (strip && !charts.drew(strip)) charts.strip(strip, more.previousElementSibling.id, more.querySelector("table"));
  }, true);

  const open = id => {
    const tr = charts.rows.has(id) && document.getElementById(id);
    if (!tr) return;
    if (tr.hidden) {
      search.value = "";
      buttons.forEach(b => b.setAttribute("aria-pressed", "true"));
      filter();
    }
    document.querySelectorAll("tr.here").forEach(other => other.classList.remove("here"));
    tr.classList.add("here");
    tr.nextElementSibling.querySelector("details").open = true;
    tr.scrollIntoView({ block: "start" });
    if (location.hash !== "#" + id) history.replaceState(null, "", "#" + id);
  };

  if (table) {
    document.querySelector(".filters").hidden = false;
    search.addEventListener("input", filter);
    for (const b of buttons) b.addEventListener("click", () => {
      b.setAttribute("aria-pressed", b.getAttribute("aria-pressed") !== "true");
      filter();
    });
    [...table.tHead.rows[0].cells].forEach(sortable);
    drawForest();
    document.addEventListener("keydown", event => {
      if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && document.activeElement !== search) {
        event.preventDefault();
        search.focus();
      } else if (event.key === "Escape" && document.activeElement === search) {
        search.value = "";
        filter();
        search.blur();
      }
    });
  }

  addEventListener("hashchange", () => open(location.hash.slice(1)));
  open(location.hash.slice(1));
})();
