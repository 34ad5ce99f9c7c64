#!/usr/bin/env python3
"""Puts llama-regress beside other tools on the same data and writes compare/peers/README.md.

    python3 compare/peers/peers.py                 # everything, some minutes
    python3 compare/peers/peers.py --series 10     # fewer series a family
    python3 compare/peers/peers.py --out -         # to standard output

It is no part of CI: it downloads the other tools, pinned, into a temporary virtual environment, and its
times are those of the machine that it runs on. Each comparison is a function that returns a section; see SECTIONS.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
OTAVA = "apache-otava==0.8.0"


def run(command, **options):
    """The output of a command and the processor seconds that it took with its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, capture_output=True, text=True, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# Change points: the same series for llama-regress, as a store, and for Otava, through its library.

def normal(rng):
    return rng.gauss(0, 1)


def t3(rng):
    return rng.gauss(0, 1) / (sum(rng.gauss(0, 1) ** 2 for _ in range(3)) / 3) ** 0.5


def noise(rng, nights, draw, lag):
    x = draw(rng)
    for _ in range(nights):
        yield x
        x = lag * x + (1 - lag * lag) ** 0.5 * draw(rng)


def series(rng, nights, draw=normal, lag=0.0, steps=(), bad=0.0):
    """Values of one series, and the nights from which on its level is another one."""
    least, most = steps or (0, 0)
    at, night, sizes = [], 0, {}
    while steps and len(at) < 3:
        night += 30 + rng.randrange(nights // 4)
        if night > nights - 30:
            break
        at.append(night)
        sizes[night] = rng.uniform(least, most) * rng.choice((-1, 1))
        if rng.random() < 0.25:
            break
    level, values = 0.0, []
    for n, x in enumerate(noise(rng, nights, draw, lag)):
        level += sizes.get(n, 0)
        value = 100 * (1 + level) * (1 + 0.01 * x)
        if rng.random() < bad:
            value *= 1 - rng.uniform(0.05, 0.15)
        values.append(max(value, 1.0))
    return values, at


FAMILIES = {
    "no change, white": dict(nights=365),
    "no change, autocorrelation 0.3": dict(nights=365, lag=0.3),
    "no change, autocorrelation 0.7": dict(nights=365, lag=0.7),
    "no change, Student t3": dict(nights=365, draw=t3),
    "no change, 3 % of nights lose 5 to 15 %": dict(nights=365, bad=0.03),
    "steps of 4 to 10 %, white": dict(nights=365, steps=(0.04, 0.10)),
    "steps, autocorrelation 0.6": dict(nights=365, steps=(0.04, 0.10), lag=0.6),
    "steps, t3": dict(nights=365, steps=(0.04, 0.10), draw=t3),
    "steps, bad nights": dict(nights=365, steps=(0.04, 0.10), bad=0.03),
    "small steps of 1.5 to 2.5 %, white": dict(nights=365, steps=(0.015, 0.025)),
    "1 000 nights, steps, white": dict(nights=1000, steps=(0.04, 0.10)),
    "1 000 nights, steps, autocorrelation 0.6": dict(nights=1000, steps=(0.04, 0.10), lag=0.6),
}


def store(folder, all_values):
    """A store of one record a night, with one trial of every series."""
    first = datetime.datetime(2024, 1, 1, 2, 0)
    for n in range(len(all_values[0])):
        at = first + datetime.timedelta(days=n)
        started, stamp, commit = at.strftime("%Y-%m-%dT%H:%M:%SZ"), at.strftime("%Y%m%dT%H%M%SZ"), f"{n + 0xabc00000:040x}"[::-1]
        names = [f"m{i:03d}" for i in range(len(all_values))]
        record = {
            "schema": "llama-regress/run/v1", "id": stamp + "-beef", "started": started, "finished": started,
            "tool": {"version": "peers"}, "host": {"name": "peers", "hard": {"cpu": "any"}, "soft": {}},
            "plan": {"id": "", "config_sha256": "", "seed": "0", "blocks": 1, "warmup": 0, "repetitions": 0, "trials": len(names)},
            "baseline": "nightly", "arms": [{"name": "nightly", "bin": "bin", "build": {"commit": commit, "number": 1 + n}}],
            "models": [{"name": name, "path": name + ".gguf", "bytes": 0} for name in names],
            "cells": [{"key": "bench/" + name, "workload": "bench", "model": name,
                       "metrics": [{"name": "tg128", "kind": "throughput", "unit": "tok/s", "better": "higher"}]} for name in names],
            "trials": [{"id": f"t{i}", "arm": "nightly", "cell": "bench/" + name, "block": 0, "order": i, "start": started, "seconds": 1,
                        "outcome": "ok", "measurements": [{"metric": "tg128", "values": [all_values[i][n]]}]} for i, name in enumerate(names)],
        }
        path = folder / "runs/peers" / at.strftime("%Y/%m") / f"{stamp}-{commit[:12]}-{stamp.lower()}-beef.1.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))


def product(tool, folder, margin):
    """What nightly tells of the series of a store, and the processor time with the store read before."""
    command = [tool, "nightly", "--store", f"dir:{folder}", "--margin", margin, "--exit-zero", "--json"]
    environment = dict(os.environ, XDG_CACHE_HOME=str(folder.parent / "cache"))
    run(command, env=environment)
    out, seconds = run(command, env=environment)
    report, told, days = json.loads(out), {}, {}
    for machine in report["machines"]:
        stairs = {p["id"]: [night["key"] for night in p.get("stairs", [])] for p in machine["change_points"]}
        for trend in machine["trends"]:
            keys = [night["key"] for night in trend["nights"]]
            told[int(trend["cell"].removeprefix("bench/m"))] = [
                at for change in trend["changes"]
                for at in ([keys.index(k) for k in stairs[change["change_point"]]] or [change["at"]])]
    return told, seconds


OTAVA_PROGRAM = """
import json, resource, sys
from otava.series import Series, Metric, AnalysisOptions
everything, magnitude = json.load(sys.stdin), float(sys.argv[1])
options = AnalysisOptions()
options.min_magnitude = magnitude
before, told = resource.getrusage(resource.RUSAGE_SELF), []
for values in everything:
    s = Series("s", None, list(range(len(values))), {"x": Metric(1, 1.0)}, {"x": values}, {})
    told.append([int(p.index) for p in s.analyze(options).change_points.get("x", [])])
after = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([told, float(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)]))
"""


def otava(python, all_values, magnitude):
    out, _ = run([python, "-c", OTAVA_PROGRAM, str(magnitude)], input=json.dumps(all_values))
    told, seconds = json.loads(out)
    return dict(enumerate(told)), seconds


def score(told, truth):
    """Hits within 5 nights, false ones, missed ones, and hits at the very night."""
    hit = false = missed = exact = 0
    for i, true in enumerate(truth):
        left = list(true)
        for at in sorted(told.get(i, [])):
            near = [x for x in left if abs(x - at) <= 5]
            if near:
                best = min(near, key=lambda x: abs(x - at))
                left.remove(best)
                hit, exact = hit + 1, exact + (best == at)
            else:
                false += 1
        missed += len(left)
    return hit, false, missed, exact


def change_points(o, work, python, tool):
    run([python, "-m", "pip", "install", "--quiet", OTAVA])
    lines = [
        "## Change points", "",
        f"`llama-regress nightly` with its defaults (margin 3 %) and with `--margin 1%`, and {OTAVA.replace('==', ' ')} through `Series.analyze`, with its defaults and with",
        f"`min_magnitude=0.03`. {o.series} series a family, nights vary by 1 %, up to three steps either way at least 30 nights apart. A hit is within 5 nights.",
        "`hit / false / missed`; processor seconds are those of the analysis of all series of a family, of llama-regress the whole command on a store that was read before.", "",
        "| family | steps | llama-regress | at the very night | `--margin 1%` | Otava | Otava, 3 % | at the very night | s, llama-regress | s, Otava |",
        "|---|---|---|---|---|---|---|---|---|---|"]
    sums = {name: [0, 0, 0, 0] for name in ("llama-regress", "llama-regress `--margin 1%`", "Otava", "Otava, 3 %")}
    for name, how in FAMILIES.items():
        rng = random.Random(f"{o.seed} {name}")
        drawn = [series(rng, **how) for _ in range(o.series)]
        values, truth = [v for v, _ in drawn], [t for _, t in drawn]
        with tempfile.TemporaryDirectory(dir=work) as folder:
            folder = pathlib.Path(folder) / "store"
            store(folder, values)
            ours, seconds = product(tool, folder, "3%")
            fine, _ = product(tool, folder, "1%")
        theirs, their_seconds = otava(python, values, 0)
        large, _ = otava(python, values, 0.03)
        scores = [score(told, truth) for told in (ours, fine, theirs, large)]
        for key, one in zip(sums, scores):
            sums[key] = [a + b for a, b in zip(sums[key], one)]
        text = ["%d / %d / %d" % s[:3] for s in scores]
        at = ["%.0f %%" % (100 * s[3] / s[0]) if s[0] else "" for s in scores]
        lines.append(f"| {name} | {sum(map(len, truth))} | {text[0]} | {at[0]} | {text[1]} | {text[2]} | {text[3]} | {at[3]} | {seconds:.1f} | {their_seconds:.1f} |")
        print(lines[-1], file=sys.stderr, flush=True)
    lines += ["", "| all families | precision | recall |", "|---|---|---|"]
    for name, (hit, false, missed, _) in sums.items():
        lines.append(f"| {name} | {hit / max(hit + false, 1):.3f} | {hit / max(hit + missed, 1):.3f} |")
    return lines


SECTIONS = {"change-points": change_points}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--series", type=int, default=50, help="series a family")
    p.add_argument("--seed", default="1")
    p.add_argument("--only", choices=SECTIONS, action="append", help="only this section; repeat for several")
    p.add_argument("--out", default=str(ROOT / "compare/peers/README.md"))
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as work:
        tool, python = os.path.join(work, "llama-regress"), os.path.join(work, "venv/bin/python")
        run(["go", "build", "-o", tool, "./cmd/llama-regress"], cwd=ROOT)
        run([sys.executable, "-m", "venv", os.path.join(work, "venv")])
        lines = ["# Other tools, side by side", "",
                 f"Generated by `python3 compare/peers/peers.py --series {o.series} --seed {o.seed}` on {datetime.date.today()}, Python {platform.python_version()}, "
                 f"{platform.system().lower()}/{platform.machine()}. Every figure is measured, none is typed."]
        for name, section in SECTIONS.items():
            if not o.only or name in o.only:
                lines += [""] + section(o, work, python, tool)
    text = "\n".join(lines) + "\n"
    if o.out == "-":
        print(text, end="")
    else:
        pathlib.Path(o.out).write_text(text)


if __name__ == "__main__":
    main()
