"use strict";
// Draws the charts. Their options come as JSON and hold no code. Every colour
// is a variable of the page's style, so that dark mode and print need no
// second drawing.
const charts = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const rows = new Map(data.rows.map(row => [row.id, row]));
  const able = typeof echarts === "object"; // without it the tables say everything
  const drawings = new Map(); // element -> function that draws it anew
  const color = name => "var(--" + name + ")";
  const narrow = () => innerWidth < 640;

  // What options may name; an unknown name is a fault.
  const functions = {
    interval(params, api) {
      const [y, gain, low, high, from, to] = [0, 1, 2, 3, 4, 5].map(i => api.value(i));
      const box = params.coordSys, middle = api.coord([gain, y])[1], half = Math.min(9, api.size([0, 1])[1] * 0.4);
      const at = x => Math.max(box.x, Math.min(box.x + box.width, api.coord([x, y])[0]));
      const inside = x => Math.abs(at(x) - api.coord([x, y])[0]) < 1;
      const tone = { stroke: api.visual("color"), fill: api.visual("color"), lineWidth: 2 };
      const children = [];
      if (!Number.isNaN(from)) children.push({ type: "rect", shape: { x: at(from), y: middle - half, width: at(to) - at(from), height: 2 * half }, style: { fill: color("soft"), opacity: 0.18 } });
      if (!Number.isNaN(low)) {
        children.push({ type: "line", shape: { x1: at(low), y1: middle, x2: at(high), y2: middle }, style: tone });
        // An end without a bar lies beyond what is shown.
        for (const end of [low, high].filter(inside)) children.push({ type: "line", shape: { x1: at(end), y1: middle - 4, x2: at(end), y2: middle + 4 }, style: tone });
      }
      // What lies beyond what is shown stands at the edge, with an arrow.
      const out = inside(gain) ? 0 : api.coord([gain, y])[0] < box.x ? -1 : 1, x = at(gain) - 10 * out;
      children.push({ type: "circle", shape: { cx: x, cy: middle, r: 4.5 }, style: tone });
      if (out) children.push({ type: "polygon", shape: { points: [[x + 6 * out, middle - 4], [x + 6 * out, middle + 4], [x + 12 * out, middle]] }, style: tone });
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
      Object.assign(axis, { axisLabel: { ...text, ...axis.axisLabel }, nameTextStyle: { ...text, ...axis.nameTextStyle }, splitLine: { ...faint, show: axis.type === "value" }, axisLine: { show: false }, axisTick: { show: false } });
    }
    option.legend = { ...option.legend, textStyle: text };
    option.aria = { enabled: true, label: { description: label } };
    // Plain text in tooltips: names in them are foreign.
    option.tooltip = { ...option.tooltip, renderMode: "richText", confine: true, backgroundColor: color("panel"), borderColor: color("line"), textStyle: text };
    echarts.getInstanceByDom(element)?.dispose();
    const chart = echarts.init(element, null, { renderer: "svg" });
    chart.setOption(option);
    const svg = element.querySelector("svg"); // so that paper can show all of it, only smaller
    svg.setAttribute("viewBox", "0 0 " + svg.getAttribute("width") + " " + svg.getAttribute("height"));
    return chart;
  };

  const clone = option => JSON.parse(JSON.stringify(option));
  // Left is worse, so of a time that grew: a sign would say the opposite of the table's.
  const size = x => String(Math.abs(Number(x.toPrecision(6))));
  const cut = (s, n) => s.length > n ? s.slice(0, n - 1) + "…" : s;
  const wrap = (s, n) => s.split("\n").map(line => line.replace(new RegExp("(.{1," + n + "})(\\s|$)", "g"), "$1\n").trim()).join("\n");

  // The forest shows at most this many bars at once; a slider moves over more.
  const bars = 30;

  // Custom series do not widen an axis. Every judged estimate fits; the ends of
  // intervals do as far as that leaves the others legible: one wild interval must
  // not flatten all.
  const range = shown => {
    // An estimate without a margin does so too, unless it is far out: what is not
    // judged must not flatten what is.
    const judged = shown.filter(row => row.margin !== null), reach = 4 * Math.max(...judged.map(row => Math.abs(row.gain)), ...judged.flatMap(row => row.margin.map(Math.abs)), 0);
    const fits = row => row.margin !== null || judged.length === 0 || Math.abs(row.gain) <= reach;
    const ends = shown.filter(fits).flatMap(row => [row.low, row.high, ...(row.margin ?? [])]).filter(x => x !== null);
    const sizes = ends.map(Math.abs).sort((a, b) => a - b), most = Math.max(reach, 3 * (sizes[sizes.length >> 1] ?? 0));
    const all = shown.filter(fits).map(row => row.gain).concat(0, ends.map(x => Math.max(-most, Math.min(most, x))));
    const [min, max] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
    const step = 10 ** Math.floor(Math.log10(max - min || 1)) / 2;
    return { min: Math.floor(min / step - 0.2) * step, max: Math.ceil(max / step + 0.2) * step };
  };

  const forest = (element, ids, describe, choose) => {
    const shown = ids.map(id => rows.get(id)).filter(row => row.gain !== null);
    drawings.set(element, () => forest(element, ids, describe, choose));
    if (!able || shown.length === 0) {
      if (able) echarts.getInstanceByDom(element)?.dispose();
      element.replaceChildren();
      element.style.height = "";
      return;
    }
    const option = clone(data.forest), small = narrow();
    element.style.height = 70 + 24 * Math.min(shown.length, bars) + "px";
    option.yAxis[0].data = shown.map(row => cut(row.name, small ? 24 : 70));
    option.yAxis[0].axisLabel = { interval: 0, color: (_, i) => color(shown[i].class) };
    const unit = shown.every(row => row.points) ? "points" : shown.some(row => row.points) ? "% (of shares: points)" : "%";
    const name = small ? "← worse    better →" : "← worse     size of the change in " + unit + "     better →";
    Object.assign(option.xAxis[0], range(shown), { name, axisLabel: { formatter: size, hideOverlap: true } });
    Object.assign(option.series[0], {
      data: shown.map((row, i) => ({ value: [i, row.gain, row.low ?? NaN, row.high ?? NaN, row.margin?.[0] ?? NaN, row.margin?.[1] ?? NaN], itemStyle: { color: color(row.class) } })),
      encode: { x: [1, 2, 3], y: 0 },
      emphasis: { disabled: true }, // it would compute with colours that only the style knows
      markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: color("ink"), type: "solid" }, data: [{ xAxis: 0 }] },
    });
    if (shown.length > bars) {
      option.dataZoom = [{ type: "slider", yAxisIndex: 0, startValue: 0, endValue: bars - 1, width: 14, right: 2, showDetail: false, brushSelect: false, filterMode: "filter", borderColor: color("line"), fillerColor: color("line"), dataBackground: { areaStyle: { opacity: 0 }, lineStyle: { opacity: 0 } }, emphasis: { disabled: true } }];
      option.grid[0].right = 40;
    }
    option.tooltip.formatter = p => p.componentType === "series" ? wrap(shown[p.value[0]].name + "\n" + describe(shown[p.value[0]].id), small ? 36 : 60) : "";
    draw(element, option, "change of " + shown.length + " comparisons with interval and margin; the same numbers are in the table")
      .on("click", p => { if (p.componentType === "series") choose(shown[p.value[0]].id); });
  };

  // A strip is drawn from the table below it: head has the unit and the arms,
  // a row its order, block, and a value in the column of its arm.
  const strip = (element, id, table) => {
    const unit = table.dataset.unit, arms = [...table.tHead.rows[0].cells].slice(2, 4).map(th => th.textContent);
    const sides = [[], []];
    for (const tr of table.tBodies[0].rows) {
      const text = i => tr.cells[i].textContent.trim(), i = text(2) === "" ? 1 : 0;
      if (tr.cells.length === 5) sides[i].push([Number(text(0)), Number(text(2 + i)), text(1) === "" ? null : Number(text(1)), text(4)]);
    }
    if (!able || sides.every(side => side.length === 0)) return;
    element.classList.add("drawn");
    const option = clone(data.strip), row = rows.get(id);
    sides.forEach((side, i) => Object.assign(option.series[i], {
      name: cut(arms[i], narrow() ? 24 : 60), data: side.map(t => t.slice(0, 3)), symbol: i ? "diamond" : "circle", symbolSize: i ? 11 : 8,
      itemStyle: { color: color(i === 0 ? "soft" : row.class === "equivalent" ? "link" : row.class) },
      emphasis: { disabled: true },
      encode: { x: 0, y: 1 },
    }));
    if (data.paired) option.series[0].markLine = blocks(sides);
    option.legend.itemStyle = { borderWidth: 0 };
    option.yAxis[0].name = unit;
    option.yAxis[0].nameTextStyle = { align: "left" };
    option.xAxis[0].minInterval = 1;
    option.tooltip.formatter = p => {
      if (p.componentType !== "series") return "";
      const [, value, block, trial] = sides[p.seriesIndex][p.dataIndex];
      return wrap(arms[p.seriesIndex] + "\n" + value + " " + unit + (block === null ? "" : "\nblock " + block) + "\n" + trial, 60);
    };
    draw(element, option, "every trial of " + row.name + " in measured order; the same numbers are in the table below");
    drawings.set(element, () => strip(element, id, table));
  };

  // Lines join the two trials of a block.
  const blocks = ([base, head]) => {
    const of = new Map(base.filter(t => t[2] !== null).map(t => [t[2], t]));
    const pairs = head.filter(t => of.has(t[2])).map(t => [{ coord: of.get(t[2]).slice(0, 2) }, { coord: t.slice(0, 2) }]);
    return { silent: true, symbol: "none", lineStyle: { color: color("line"), type: "solid" }, label: { show: false }, data: pairs };
  };

  // On paper the style scales what was drawn.
  const redraw = () => { if (!matchMedia("print").matches) [...drawings.values()].forEach(f => f()); };

  // A chart whose option another script has made; again says how to make it anew.
  const table = (element, option, label, again) => {
    option.legend.itemStyle = { borderWidth: 0, ...option.legend.itemStyle };
    draw(element, option, label);
    drawings.set(element, again);
  };

  return { data, able, rows, forest, strip, table, redraw, drew: element => drawings.has(element) };
})();
