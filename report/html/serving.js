// Draws the charts of serving. Each is drawn from the table that follows it,
// so that chart and table cannot disagree.
const serving = (() => {
  const data = charts.data;
  const color = name => "var(--" + name + ")";
  const dashes = ["solid", "dashed", "dotted", [8, 3, 2, 3], [2, 2], [12, 4]];
  const symbols = ["circle", "diamond", "triangle", "rect", "pin", "arrow"];
  const cut = (s, n) => s.length > n ? s.slice(0, n - 1) + "…" : s;
  const text = cell => cell.textContent.trim();
  const value = cell => { const s = cell.dataset.value ?? text(cell); return s === "" || Number.isNaN(Number(s)) ? null : Number(s); };
  const heads = table => [...table.tHead.rows[0].cells];
  const rows = table => [...table.tBodies[0].rows];
  // Told apart by dash and symbol; colour only helps.
  const look = i => ({ color: color("series-" + i % 6), lineStyle: { color: color("series-" + i % 6), type: dashes[i % 6], width: 2 }, itemStyle: { color: color("series-" + i % 6) }, symbol: symbols[i % 6], emphasis: { disabled: true } });
  const option = kind => JSON.parse(JSON.stringify(data.tables[kind]));
  const point = (unit, what) => p => p.componentType === "series" ? p.seriesName + "\n" + what(p.value) + (unit ? " " + unit : "") : "";

  const kinds = {
    outcomes(table) {
      const o = option("outcomes"), names = heads(table).slice(1).map(text), arms = rows(table).map(tr => cut(text(tr.cells[0]), 24));
      Object.assign(o.xAxis[0], { min: 0, max: "dataMax", minInterval: 1 });
      Object.assign(o.yAxis[0], { type: "category", inverse: true, data: arms });
      o.series = names.map((name, i) => ({
        type: "bar", name: cut(name, 40), stack: "requests", barMaxWidth: 26, data: rows(table).map(tr => value(tr.cells[i + 1])), emphasis: { disabled: true },
        itemStyle: { color: color(i === 0 ? "series-0" : "series-" + (i % 5 === 0 ? 5 : i % 5)), borderColor: color("paper"), borderWidth: 1, decal: i === 0 ? { symbol: "none" } : { symbol: ["rect", "triangle", "circle", "diamond"][i % 4], dashArrayX: i % 2 ? [1, 0] : [[4, 4], [0, 4, 4, 0]], dashArrayY: [2, 3 + i], rotation: i * Math.PI / 5, color: color("paper") } },
      }));
      o.tooltip.formatter = p => p.componentType === "series" ? arms[p.dataIndex] + "\n" + p.seriesName + ": " + p.value : "";
      return { option: o, height: 6 + 2.4 * arms.length, says: "requests of each arm, answered and failed by class" };
    },

    ttft(table) {
      const o = option("ttft"), unit = table.dataset.unit, arms = heads(table).map(text).filter((name, i) => i > 0 && !name.endsWith(" longer, " + unit));
      o.xAxis[0].name += ", " + unit;
      Object.assign(o.yAxis[0], { min: 0, max: 100, nameTextStyle: { align: "left" } });
      o.series = arms.map((name, i) => {
        const points = rows(table).map(tr => [value(tr.cells[i + 1]), value(tr.cells[0])]).filter(p => p[0] !== null);
        return { type: "line", name: cut(name.slice(0, -unit.length - 2), 40), ...look(i), data: points, showSymbol: true, symbolSize: (v) => v[1] === 50 ? 11 : v[1] === 95 ? 9 : 0.1,
          label: { show: true, position: "right", distance: 8, color: color("ink"), formatter: p => i === 0 && (p.value[1] === 50 || p.value[1] === 95) ? "p" + p.value[1] : "" } };
      });
      o.tooltip.formatter = point("", v => v[1] + " % of requests within " + v[0] + " " + unit);
      return { option: o, says: "how many requests had their first token by when" };
    },

    shift(table) {
      const o = option("shift"), unit = table.dataset.unit, deciles = new Set([10, 20, 30, 40, 50, 60, 70, 80, 90, 95]);
      const columns = heads(table).map((th, i) => [text(th), i]).filter(([name]) => name.endsWith(" longer, " + unit));
      Object.assign(o.xAxis[0], { min: 0, max: 100 });
      o.yAxis[0].name += ", " + unit;
      o.yAxis[0].nameTextStyle = { align: "left" };
      o.series = columns.map(([name, column], i) => ({
        type: "line", name: cut(name.slice(0, -unit.length - 9), 40), ...look(i + 1), symbolSize: 8,
        data: rows(table).map(tr => [value(tr.cells[0]), value(tr.cells[column])]).filter(p => deciles.has(p[0]) && p[1] !== null),
      }));
      if (o.series.length) o.series[0].markLine = { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: color("ink"), type: "solid" }, data: [{ yAxis: 0 }] };
      o.tooltip.formatter = point(unit, v => (v[0] === 95 ? "95th percentile" : v[0] / 10 + ". decile") + ": " + (v[1] > 0 ? "+" : "") + v[1]);
      return { option: o, empty: o.series.every(s => s.data.length === 0), says: "how much longer the deciles and the 95th percentile of the time to first token are than the baseline's" };
    },

    machine(table) {
      const o = option("machine"), columns = heads(table).map((th, i) => ({ name: text(th), kind: th.dataset.kind, i }));
      const panels = [["cores", "cores"], ["share", "%"], ["memory", "MiB"], ["clock", "MHz"], ["celsius", "°C"]].filter(([kind]) => columns.some(c => c.kind === kind));
      const at = rows(table).map(tr => value(tr.cells[0])), last = Math.max(1, ...at), first = Math.min(0, ...at);
      const top = innerWidth < 640 ? 24 : 13, high = (89 - top) / panels.length;
      o.grid = panels.map((_, i) => ({ left: 64, right: 24, top: top + high * i + "%", height: high - 6 + "%" }));
      o.xAxis = panels.map((_, i) => ({ ...o.xAxis[0], name: i === panels.length - 1 ? o.xAxis[0].name : "", min: first, max: last, gridIndex: i, axisLabel: { show: i === panels.length - 1, hideOverlap: true, showMinLabel: false, showMaxLabel: false } }));
      o.yAxis = panels.map(([kind, unit], i) => ({ ...o.yAxis[0], name: unit, gridIndex: i, splitNumber: 3, min: ["cores", "share"].includes(kind) ? 0 : undefined, scale: !["cores", "share"].includes(kind), nameLocation: "middle", nameGap: 44 }));
      o.series = [];
      panels.forEach(([kind], panel) => columns.filter(c => c.kind === kind).forEach((c, i) => o.series.push({
        type: "line", name: c.name, ...look(o.series.length), ...(at.length > 3 ? { symbol: "none" } : { symbolSize: 8 }), xAxisIndex: panel, yAxisIndex: panel, data: rows(table).map((tr, j) => [at[j], value(tr.cells[c.i])]),
      })));
      const failed = columns.find(c => c.kind === "failed");
      const marks = rows(table).map((tr, j) => [at[j], 0, value(tr.cells[failed.i])]).filter(m => m[2] !== null);
      if (marks.length) o.series.push({ type: "scatter", name: "failed requests", symbol: "path://M0 0L2 0L5 3L8 0L10 0L6 5L10 10L8 10L5 7L2 10L0 10L4 5Z", symbolSize: 10, itemStyle: { color: color("regression") }, emphasis: { disabled: true }, data: marks, clip: false, z: 5 });
      o.tooltip.formatter = p => p.componentType !== "series" ? "" : p.seriesName + "\n" + (p.value.length === 3 ? p.value[2] + " until " : p.value[1] + " at ") + p.value[0] + " s";
      return { option: o, says: "processors, memory, pressure and devices during the trial, and when requests failed" };
    },

    grid(table) {
      const o = option("grid"), xs = heads(table).map(text).slice(1), unit = table.dataset.unit, corner = text(heads(table)[0]).split(/ [↓→] ?/);
      o.xAxis[0] = { ...o.xAxis[0], type: "category", data: xs, name: corner[1] };
      Object.assign(o.yAxis[0], { name: unit, scale: true, nameTextStyle: { align: "left" } });
      o.series = rows(table).map((tr, i) => ({
        type: "line", name: cut(corner[0] + " " + text(tr.cells[0]), 60), ...look(i), symbolSize: 8,
        data: [...tr.cells].slice(1).map((td, n) => ({ value: [n, value(td)], says: td.title, best: "best" in td.dataset, symbolSize: "best" in td.dataset ? 14 : 8 })).filter(p => p.value[1] !== null),
      }));
      o.tooltip.formatter = p => p.componentType === "series" ? p.seriesName + ", " + corner[1] + " " + xs[p.value[0]] + "\n" + p.value[1] + " " + unit + (p.data.says ? ", interval " + p.data.says : "") + (p.data.best ? "\nno cell is better beyond chance" : "") : "";
      return { option: o, says: "each line is a value of " + corner[0] + "; larger marks are cells that no other exceeds beyond chance" };
    },

    work(table) {
      const o = option("work"), lines = rows(table).map(tr => ({ name: cut(text(tr.cells[0]), innerWidth < 640 ? 22 : 44), full: text(tr.cells[0]), value: value(tr.cells[3]), says: text(tr.cells[3]) + ", " + text(tr.cells[4]) + " a token" }));
      o.legend = { show: false };
      o.grid = { left: 8, right: 24, top: 8, bottom: 34, containLabel: true };
      Object.assign(o.yAxis[0], { type: "category", inverse: true, data: lines.map(l => l.name), axisTick: { show: false } });
      o.series = [{
        type: "bar", name: "change", barMaxWidth: 18, emphasis: { disabled: true },
        data: lines.map(l => ({ value: l.value, itemStyle: { color: color(l.value > 0 ? "regression" : "improvement") } })),
      }];
      o.tooltip.formatter = p => p.componentType === "series" ? lines[p.dataIndex].full + "\n" + lines[p.dataIndex].says : "";
      return { option: o, height: 5 + 1.5 * lines.length, says: "change of each function's instructions, more work to the right" };
    },

    capacity(table) {
      const o = option("capacity"), arms = heads(table).filter((_, i) => i % 2 === 1).map(text);
      o.xAxis[0].min = 0;
      Object.assign(o.yAxis[0], { name: arms[0].split(", ").at(-1) + ", " + table.dataset.unit, min: 0, nameTextStyle: { align: "left" } });
      o.series = arms.map((name, i) => ({
        type: "line", name: cut(name, 60), ...look(i), symbolSize: 10,
        data: rows(table).map(tr => ({ value: [value(tr.cells[0]), value(tr.cells[1 + 2 * i])], symbol: "holds" in tr.cells[1 + 2 * i].dataset ? symbols[i % 6] : "emptyCircle", success: text(tr.cells[2 + 2 * i]) })).filter(p => p.value[1] !== null),
      }));
      o.tooltip.formatter = p => p.componentType === "series" ? p.seriesName + "\n" + p.value[0] + " at a time: " + p.value[1] + " " + table.dataset.unit + ", " + p.data.success + " succeeded" : "";
      return { option: o, says: "what is served a second at each concurrency; hollow where too many requests failed" };
    },
  };

  const draw = element => {
    const table = [...element.closest(".served, .trial, section").querySelectorAll("table.data")].find(t => element.compareDocumentPosition(t) & Node.DOCUMENT_POSITION_FOLLOWING);
    const kind = kinds[element.dataset.kind];
    if (!kind || !table) throw new Error("no chart " + element.dataset.kind);
    const made = kind(table);
    if (made.empty) return;
    if (made.height) element.style.height = made.height + "rem";
    element.classList.add("drawn");
    charts.table(element, made.option, made.says + "; the same numbers are in the table below", () => draw(element));
  };

  // What lies in closed details is drawn when these are opened.
  const reveal = root => {
    if (!charts.able) return;
    for (const element of root.querySelectorAll(".chart")) {
      if (!charts.drew(element) && !element.matches("details:not([open]) .chart")) draw(element);
    }
  };
  return { reveal };
})();
document.addEventListener("toggle", event => { if (event.target.open && event.target.closest?.(".served")) serving.reveal(event.target); }, true);
serving.reveal(document);
