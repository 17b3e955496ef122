"""The rows of the table that a run prints, and running the programs that measure."""

import statistics
import subprocess

ROWS = []


def row(what, doctor, peer="", ratio="", aim=""):
    ROWS.append((what, doctor, peer, ratio, aim))
    print(f"  {what}: {doctor}  {peer}  {ratio}  {'aim ' + aim if aim else ''}", flush=True)


def judged(aim, value):
    """The aim ("≥ 4", "≤ 4 KiB"), marked if the value misses it."""
    if not aim:
        return ""
    sign, bound = aim.split()[:2]
    met = value >= float(bound) if sign == "≥" else value <= float(bound)
    return aim if met else f"{aim}, missed"


def table():
    lines = ["| what | Doctor | peer | ratio | aim |", "|---|---|---|---|---|"]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in ROWS])


def median(values):
    return statistics.median(values)


def command_of(options, name, *arguments):
    return [f"{options.programs}/{name}", *map(str, arguments)]


def program(options, name, *arguments):
    return subprocess.run(command_of(options, name, *arguments), check=True, capture_output=True, text=True).stdout


def figures_of(text):
    return {line.split()[0]: float(line.split()[1]) for line in text.splitlines()}
