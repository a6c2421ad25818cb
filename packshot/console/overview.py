"""The insight page's numbers and plots, from what the store counted."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from markupsafe import Markup

from packshot.console import plots
from packshot.console.words import Words
from packshot.store.insight import Hour, Insight, Rate

#: Columns of the plot over time; longer spans are gathered into wider columns.
MAX_COLUMNS = 48
#: Rows of one plot of rates: the most frequent ones.
MAX_ROWS = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """One large number."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Worker:
    """What one person decided; `per_hour` counts the hours in which they decided anything."""

    name: str
    decisions: int
    per_hour: float


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the page shows; a plot without data is None."""

    tiles: tuple[Tile, ...]
    throughput: Markup | None
    people: tuple[Worker, ...]
    corrections: tuple[tuple[str, Markup], ...]
    accepted_wrong: Markup | None

    @classmethod
    def of(
        cls,
        insight: Insight,
        names: Mapping[UUID, str],
        words: Words,
        since: datetime,
        categories: Mapping[str, str],
    ) -> "Overview":
        """Ask the store and draw; `categories` are the reader's names of the store's."""
        hours = insight.throughput(since)
        rates = insight.corrections(since)
        return cls(
            tiles=tuple(_tiles(insight, hours, words)),
            throughput=_throughput(hours, since, words),
            people=_people(hours, names),
            corrections=tuple(_corrections(rates, words, categories)),
            accepted_wrong=_accepted_wrong(insight, since, words),
        )


def _tiles(insight: Insight, hours: Sequence[Hour], words: Words) -> list[Tile]:
    now = datetime.now(UTC)
    tiles = [
        Tile(
            words("insight.decided"),
            f"{sum(hour.decisions for hour in hours):,}",
            words("insight.decided_note"),
        )
    ]
    tiles += [
        Tile(
            words("insight.waiting", lane=words(f"lane.{one.lane}")),
            words.age(one.created_at, now) if one.created_at else "–",
            words("insight.waiting_note" if one.created_at else "insight.waiting_none"),
        )
        for one in insight.oldest()
    ]
    return tiles


def _throughput(hours: Sequence[Hour], since: datetime, words: Words) -> Markup | None:
    if not hours:
        return None
    start = since.replace(minute=0, second=0, microsecond=0)
    span = int((datetime.now(UTC) - start) / timedelta(hours=1)) + 1
    width = -(-span // MAX_COLUMNS)
    sums: dict[int, int] = defaultdict(int)
    for hour in hours:
        sums[int((hour.at - start) / timedelta(hours=width))] += hour.decisions
    bars = []
    for column in range(-(-span // width)):
        at = start + timedelta(hours=column * width)
        label = f"{at:%H:%M}" if span <= 48 else f"{at:%m-%d}"
        bars.append(plots.Bar(label, sums[column] / width, f"{sums[column] / width:.3g}"))
    return plots.columns(words("insight.throughput"), bars)


def _people(hours: Sequence[Hour], names: Mapping[UUID, str]) -> tuple[Worker, ...]:
    decisions: dict[UUID | None, int] = defaultdict(int)
    active: dict[UUID | None, set[datetime]] = defaultdict(set)
    for hour in hours:
        decisions[hour.person] += hour.decisions
        active[hour.person].add(hour.at)
    found = [
        Worker(names.get(person, "–") if person else "–", count, count / len(active[person]))
        for person, count in decisions.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.decisions))


def _corrections(
    rates: Sequence[Rate], words: Words, categories: Mapping[str, str]
) -> list[tuple[str, Markup]]:
    kinds: dict[str, list[Rate]] = defaultdict(list)
    for rate in rates:
        kinds[rate.kind].append(rate)
    drawn = []
    for kind, found in kinds.items():
        title = words(f"insight.corrections_{kind}")
        most = sorted(found, key=lambda rate: -rate.total)[:MAX_ROWS]
        rows = [
            plots.Interval(
                _name(rate, words, categories),
                rate.rate,
                rate.low,
                rate.high,
                words(
                    "insight.rate",
                    share=words.share(rate.rate),
                    wrong=rate.wrong,
                    total=rate.total,
                ),
            )
            for rate in most
        ]
        drawn.append((title, plots.intervals(title, rows)))
    return drawn


def _name(rate: Rate, words: Words, categories: Mapping[str, str]) -> str:
    if rate.kind == "field":
        return words.either(f"field.{rate.name}", rate.name)
    return categories.get(rate.name, rate.name) if rate.kind == "category" else rate.name


def _accepted_wrong(insight: Insight, since: datetime, words: Words) -> Markup | None:
    found = insight.accepted_but_wrong(since)
    if found.rate is None:
        return None
    told = words(
        "insight.rate", share=words.share(found.rate), wrong=found.wrong, total=found.decided
    )
    row = plots.Interval(
        words("insight.accepted_wrong_row"), found.rate, found.low, found.high, told
    )
    return plots.intervals(words("insight.accepted_wrong"), [row])
