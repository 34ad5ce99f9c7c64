// Draws trends when they are first seen, and finds them.
(() => {
  const color = name => "var(--" + name + ")";
  const cut = (s, n) => s.length > n ? s.slice(0, n - 1) + "…" : s;
  const clone = option => JSON.parse(JSON.stringify(option));
  const trends = new Map();
  for (const machine of charts.data.machines) for (const [id, trend] of Object.entries(machine.trends)) trends.set(id, { ...trend, nights: machine.nights });
  const day = t => new Date(t).toISOString().slice(0, 10);
  const number = x => String(Number(x.toPrecision(5)));

  const draw = element => {
    const trend = trends.get(element.dataset.trend);
    if (!charts.able || !trend || trend.points.length === 0) return;
    element.classList.add("drawn");
    const at = i => trend.nights[trend.points[i][0]].at * 60000;
    const unit = trend.unit ? " " + trend.unit : "";
    const option = clone(charts.data.tables.trend), small = innerWidth < 640;
    const lines = trend.levels.flatMap(([from, to, value]) => [[at(from), value], [at(to - 1), value], [null, null]]);
    // A line half way to the night before it, so that no dot hides it.
    const between = i => (at(i) + at(Math.max(0, i - 1))) / 2;
    option.series = [
      {
        type: "line", name: "level and 95 % band", data: lines, showSymbol: false, connectNulls: false, silent: true, emphasis: { disabled: true },
        lineStyle: { color: color("link"), width: 2 }, itemStyle: { color: color("link") },
        markArea: { silent: true, itemStyle: { color: color("link"), opacity: 0.12 }, data: trend.levels.filter(l => l[3] < l[4]).map(([from, to, , low, high]) => [{ xAxis: at(from), yAxis: low }, { xAxis: at(to - 1), yAxis: high }]) },
      },
      {
        type: "scatter", name: "night", data: trend.points.map(([night, value]) => [trend.nights[night].at * 60000, value]), symbol: "circle", symbolSize: trend.points.length > 200 ? 4 : 6,
        itemStyle: { color: color("soft") }, emphasis: { disabled: true },
        markLine: {
          symbol: "none", silent: true, emphasis: { disabled: true },
          data: trend.breaks.map(b => ({ xAxis: between(b.at), lineStyle: { color: color("soft"), type: "dashed", width: 1 }, label: { show: true, position: "end", rotate: 0, color: color("soft"), formatter: cut("break: " + b.why, small ? 16 : 44) } })),
        },
        markPoint: {
          silent: true, emphasis: { disabled: true },
          data: trend.changes.map(c => ({
            coord: [at(c.at), trend.points[c.at][1]], symbol: c.drift ? "diamond" : "triangle", symbolRotate: c.worse ? 180 : 0, symbolSize: 12, symbolOffset: [0, c.worse ? -16 : 16],
            itemStyle: { color: color(c.worse ? "regression" : "improvement") },
            label: { show: true, position: c.worse ? "top" : "bottom", backgroundColor: color("paper"), padding: [1, 3], borderRadius: 2, color: color(c.worse ? "regression" : "improvement"), formatter: (c.drift ? "drift from " : "") + day(at(c.at)) },
          })),
        },
      },
    ];
    option.yAxis[0].name = trend.unit;
    option.yAxis[0].nameTextStyle = { align: "left" };
    // Bands and marks do not widen an axis.
    const all = [...trend.points.map(p => p[1]), ...trend.levels.flatMap(l => [l[3], l[4]])], span = Math.max(...all) - Math.min(...all) || 1;
    const step = 10 ** Math.floor(Math.log10(span)) / 2;
    option.yAxis[0].min = Math.floor((Math.min(...all) - span * 0.08) / step) * step;
    option.yAxis[0].max = Math.ceil((Math.max(...all) + span * 0.08) / step) * step;
    option.yAxis[0].axisLabel = { showMinLabel: false, showMaxLabel: false }; // they are where the data end
    option.xAxis[0].axisLabel = { hideOverlap: true };
    option.tooltip.formatter = p => {
      if (p.componentType !== "series" || p.seriesType !== "scatter") return "";
      const night = trend.nights[trend.points[p.dataIndex][0]];
      return day(night.at * 60000) + "\n" + number(p.value[1]) + unit + (night.build ? "\n" + night.build : "");
    };
    charts.table(element, option, "history of " + trend.name + ": every night, levels, changes and breaks; the levels are in the table", () => draw(element));
  };

  const seen = element => { if (!charts.drew(element)) draw(element); };
  // Those in view at once, others when they come near it.
  const watch = "IntersectionObserver" in window ? new IntersectionObserver(entries => entries.filter(e => e.isIntersecting).forEach(e => { watch.unobserve(e.target); seen(e.target); }), { rootMargin: "400px" }) : null;
  const elements = [...document.querySelectorAll("[data-trend]")];
  for (const element of elements) watch ? watch.observe(element) : seen(element);
  addEventListener("beforeprint", () => elements.filter(e => e.closest("details:not([open])") === null).forEach(seen));

  const rows = [...document.querySelectorAll("details.trend")].map(d => ({ d, text: d.querySelector("summary").textContent.toLowerCase() }));
  const search = document.getElementById("search"), changed = document.getElementById("changed");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of rows) {
      row.d.hidden = !words.every(w => row.text.includes(w)) || changed.getAttribute("aria-pressed") === "true" && !row.d.dataset.changed;
      shown += !row.d.hidden;
    }
    document.getElementById("shown").textContent = shown === rows.length ? "" : shown + " of " + rows.length + " shown";
  };

  const open = id => {
    const target = /^[pt]-[a-z0-9-]+$/.test(id) && document.getElementById(id);
    if (!target) return;
    if (target.hidden) {
      search.value = "";
      changed.setAttribute("aria-pressed", "false");
      filter();
    }
    document.querySelectorAll(".here").forEach(other => other.classList.remove("here"));
    target.classList.add("here");
    for (let d = target.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    target.scrollIntoView({ block: "start" });
  };

  if (search) {
    document.querySelector(".filters").hidden = false;
    search.addEventListener("input", filter);
    changed.addEventListener("click", () => {
      changed.setAttribute("aria-pressed", changed.getAttribute("aria-pressed") !== "true");
      filter();
    });
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
