"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byID = new Map(data.rows.map(row => [row.id, row]));
  const draws = typeof echarts === "object"; // without it the tables say everything
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const color = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const charts = new Map(); // element -> function that draws it anew

  // What the page can draw. Options name these; an unknown name is a fault.
  const functions = {
    interval(params, api) {
      const [y, gain, low, high, from, to] = [0, 1, 2, 3, 4, 5].map(i => api.value(i));
      const at = x => api.coord([x, y]);
      const stroke = { stroke: api.visual("color"), lineWidth: 2 };
      const box = params.coordSys, middle = at(0)[1], half = Math.min(9, api.size([0, 1])[1] * 0.4);
      const clip = x => Math.max(box.x, Math.min(box.x + box.width, at(x)[0]));
      const children = [];
      if (!Number.isNaN(from)) children.push({ type: "rect", shape: { x: clip(from), y: middle - half, width: clip(to) - clip(from), height: 2 * half }, style: { fill: color("soft"), opacity: 0.16 } });
      if (!Number.isNaN(low)) {
        children.push({ type: "line", shape: { x1: clip(low), y1: middle, x2: clip(high), y2: middle }, style: stroke });
        for (const end of [low, high]) children.push({ type: "line", shape: { x1: clip(end), y1: middle - 4, x2: clip(end), y2: middle + 4 }, style: stroke });
      }
      children.push({ type: "circle", shape: { cx: clip(gain), cy: middle, r: 4 }, style: { fill: api.visual("color") } });
      return { type: "group", children };
    },
  };

  const bind = series => {
    if (series.renderItem === undefined) return;
    const f = functions[series.renderItem];
    if (!f) throw new Error("unknown function " + series.renderItem);
    series.renderItem = f;
  };

  const draw = (element, option, label) => {
    option.series.forEach(bind);
    const text = { color: color("ink") }, faint = { lineStyle: { color: color("line") } };
    for (const axis of [...option.xAxis, ...option.yAxis]) {
      Object.assign(axis, { axisLabel: { ...axis.axisLabel, ...text }, nameTextStyle: text, splitLine: { show: axis.type === "value", ...faint }, axisLine: faint });
    }
    option.legend = { ...option.legend, textStyle: text };
    // Plain text in tooltips: names in them are foreign.
    option.tooltip = { ...option.tooltip, renderMode: "richText", backgroundColor: color("panel"), borderColor: color("line"), textStyle: text };
    echarts.getInstanceByDom(element)?.dispose();
    const chart = echarts.init(element, null, { renderer: "svg" });
    chart.setOption(option);
    element.setAttribute("aria-label", label);
    return chart;
  };

  const clone = option => JSON.parse(JSON.stringify(option));
  const percent = x => (x > 0 ? "+" : x < 0 ? "−" : "") + Math.abs(x).toFixed(2);
  const cut = (s, n) => s.length > n ? s.slice(0, n - 1) + "…" : s;

  // The forest shows at most this many bars at once; a slider moves over more.
  const bars = 40;

  const drawForest = rows => {
    const element = document.getElementById("forest");
    rows = rows.filter(row => row.gain !== null);
    if (!draws || rows.length === 0) {
      if (draws) echarts.getInstanceByDom(element)?.dispose();
      element.replaceChildren();
      return;
    }
    const option = clone(data.forest), narrow = innerWidth < 640;
    element.style.height = 90 + 24 * Math.min(rows.length, bars) + "px";
    option.yAxis[0].data = rows.map(row => cut(row.name, narrow ? 22 : 60));
    option.yAxis[0].axisLabel = { interval: 0 };
    const values = rows.map((row, i) => [i, row.gain, row.low, row.high, ...(row.margin ?? [null, null])]);
    option.series[0].data = values.map((v, i) => ({ value: [v[0], v[1], v[2] ?? NaN, v[3] ?? NaN, v[4] ?? NaN, v[5] ?? NaN], itemStyle: { color: color(rows[i].class) } }));
    option.series[0].encode = { x: [1, 2, 3], y: 0 };
    option.series[0].markLine = { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: color("soft"), type: "solid" }, data: [{ xAxis: 0 }] };
    // Custom series do not widen the axis. Every estimate fits; of the ends of
    // intervals the middle 96 %, so that one wild interval does not flatten all.
    const ends = values.flatMap(v => v.slice(2)).filter(Number.isFinite).sort((a, b) => a - b);
    const cutoff = ends.length > 100 ? Math.floor(ends.length * 0.02) : 0;
    const inner = ends.slice(cutoff, ends.length - cutoff);
    const all = values.map(v => v[1]).concat(0, inner[0] ?? 0, inner.at(-1) ?? 0);
    const [min, max] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
    const step = 10 ** Math.floor(Math.log10(max - min || 1)) / 2;
    Object.assign(option.xAxis[0], { min: Math.floor(min / step - 0.2) * step, max: Math.ceil(max / step + 0.2) * step, scale: true, axisLabel: { formatter: x => percent(x).replace(/\.?0+$/, "") } });
    if (rows.length > bars) {
      option.dataZoom = [{ type: "slider", yAxisIndex: 0, startValue: 0, endValue: bars - 1, width: 14, right: 2, showDetail: false, brushSelect: false, filterMode: "filter" }];
      option.grid[0].right = 40;
    }
    option.tooltip.formatter = p => wrap(rows[p.value[0]].name + "\n" + rows[p.value[0]].text, 60);
    const chart = draw(element, option, "change of " + rows.length + " comparisons with interval and margin; the same numbers are in the table");
    chart.on("click", p => open(rows[p.value[0]].id));
    charts.set(element, () => drawForest(visible()));
  };

  const wrap = (s, n) => s.split("\n").map(line => line.replace(new RegExp("(.{1," + n + "})(\\s|$)", "g"), "$1\n").trim()).join("\n");

  const drawStrip = (element, row) => {
    if (!draws || row.sides.every(side => side.trials.length === 0)) return;
    element.classList.add("drawn");
    const option = clone(data.strip);
    const colors = [color("soft"), color(row.class === "equivalent" ? "link" : row.class)];
    row.sides.forEach((side, i) => Object.assign(option.series[i], {
      name: side.arm, data: side.trials, symbol: i ? "diamond" : "circle", symbolSize: i ? 10 : 8,
      itemStyle: { color: colors[i] },
      encode: { x: 0, y: 1 },
    }));
    option.series[0].markLine = link(row);
    option.yAxis[0].name = row.unit;
    option.xAxis[0].minInterval = 1;
    option.tooltip.formatter = p => p.value === undefined || !Array.isArray(p.value) ? "" : p.seriesName + ": " + Number(p.value[1].toPrecision(6)) + " " + row.unit + (p.value[2] < 0 ? "" : "\nblock " + p.value[2]);
    draw(element, option, "every trial of " + row.name);
    charts.set(element, () => drawStrip(element, row));
  };

  // Lines join the two trials of a block.
  const link = row => {
    const [base, head] = row.sides.map(side => side.trials);
    const of = new Map(base.filter(t => t[2] >= 0).map(t => [t[2], t]));
    const pairs = head.filter(t => of.has(t[2])).map(t => [{ coord: of.get(t[2]).slice(0, 2) }, { coord: t.slice(0, 2) }]);
    return { silent: true, symbol: "none", lineStyle: { color: color("line"), type: "solid" }, label: { show: false }, data: pairs };
  };

  // Filter, search, sort.
  const table = document.getElementById("comparisons");
  const search = document.getElementById("search");
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const pairs = table ? [...table.tBodies[0].querySelectorAll("tr.row")].map(tr => ({ tr, more: tr.nextElementSibling, text: tr.textContent.toLowerCase() })) : [];
  const visible = () => pairs.filter(p => !p.tr.hidden).map(p => byID.get(p.tr.id));

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
    drawForest(visible());
  };

  const sortable = th => {
    const column = th.cellIndex, button = document.createElement("button");
    button.type = "button";
    button.textContent = th.textContent;
    th.replaceChildren(button);
    const order = ["regression", "not_measured", "suspected", "improvement", "inconclusive", "not_judged", "equivalent"];
    const key = tr => {
      const cell = tr.cells[column], raw = cell.dataset.sort ?? cell.textContent.trim();
      if (th.dataset.key === "class") return order.indexOf(raw);
      if (th.dataset.key === "number") return raw === "" ? Infinity : parseFloat(raw);
      return raw;
    };
    button.addEventListener("click", () => {
      const down = th.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of th.parentNode.cells) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", down === 1 ? "ascending" : "descending");
      pairs.sort((a, b) => {
        const [x, y] = [key(a.tr), key(b.tr)];
        return down * (typeof x === "number" ? x - y || 0 : x.localeCompare(y, "en", { numeric: true }));
      });
      table.tBodies[0].append(...pairs.flatMap(p => [p.tr, p.more]));
      drawForest(visible());
    });
  };

  // Details are drawn when they are opened; #id opens one.
  document.addEventListener("toggle", event => {
    const detail = event.target.querySelector?.(":scope > .detail");
    if (!detail || !event.target.open) return;
    const strip = detail.querySelector(".strip");
    if (!charts.has(strip)) drawStrip(strip, byID.get(detail.dataset.detail));
  }, true);

  const open = id => {
    const tr = byID.has(id) && document.getElementById(id);
    if (!tr) return;
    if (tr.hidden) {
      search.value = "";
      buttons.forEach(b => b.setAttribute("aria-pressed", "true"));
      filter();
    }
    document.querySelectorAll("tr.here").forEach(other => other.classList.remove("here"));
    tr.classList.add("here");
    tr.nextElementSibling.querySelector("details").open = true;
    tr.scrollIntoView({ block: "center" });
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
    drawForest(visible());
  }
  document.addEventListener("keydown", event => {
    if (event.key === "/" && search && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      filter();
    }
  });
  for (const command of document.querySelectorAll(".command")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command.querySelector("code").textContent);
      button.textContent = "copied";
    });
    command.append(button);
  }
  const redraw = () => [...charts.values()].forEach(f => f());
  dark.addEventListener("change", redraw);
  let waiting;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(redraw, 150); });
  addEventListener("hashchange", () => open(location.hash.slice(1)));
  open(location.hash.slice(1));
})();
