"""The Markdown table of one mode."""

from statistics import median

HEADINGS = [
    "engine",
    "precision",
    "posts/s",
    "least to most",
    "to the best peer",
    "to the best peer of its precision",
    "of peak",
]


def best(speeds, chosen):
    """The engine among `chosen` with the highest median."""
    return max(chosen, key=lambda engine: median(speeds[engine.name, engine.precision]), default=None)


def ratio(own, other):
    """The median of the ratios of the rounds."""
    return f"{median(left / right for left, right in zip(own, other)):.2f}" if other else "-"


def share(speed, operations, peak):
    """Of the machine's peak in the same precision."""
    return f"{speed * operations / peak:.0%}" if peak else "-"


def table(engines, speeds, operations, peaks):
    """`speeds`: posts a second of each round by (name, precision); `operations`: those of a text, a mean."""
    peers = [engine for engine in engines if engine.is_peer]
    overall = best(speeds, peers)
    lines = [f"| {' | '.join(HEADINGS)} |", "|---|---|---:|---:|---:|---:|---:|"]
    for engine in engines:
        own = speeds[engine.name, engine.precision]
        same = best(speeds, [peer for peer in peers if peer.precision == engine.precision])
        ratios = [ratio(own, peer and speeds[peer.name, peer.precision]) for peer in (overall, same)]
        cells = [engine.name, engine.precision, f"{median(own):.1f}", f"{min(own):.1f} to {max(own):.1f}", *ratios]
        lines.append(f"| {' | '.join(cells)} | {share(median(own), operations, peaks.get(engine.precision))} |")
    return "\n".join(lines)
