"""Pages in headless Chromium: they load in silence, sort, filter, play, and obey keys."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import bootstrap

from vsseval.reports.html.content import Board, Media, Page
from vsseval.reports.html.page import page_html, write_pages
from vsseval.reports.markdown import number

pytestmark = pytest.mark.browser

MODELS = "[...document.querySelectorAll('.board tbody.system tr')].map((row) => row.dataset.model)"
CLIPS = "[...document.querySelectorAll('.clips [data-clip]')].map((one) => one.dataset.clip)"
POSITION = "Number(document.querySelector('.time').dataset.position)"
ACTIVE = "document.querySelector('.track.active .name span').textContent"
READY = "!!document.querySelector('.player[data-ready]')"
SPY = """
window.gains = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (this instanceof GainNode && to instanceof AudioDestinationNode) window.gains.push(this);
  return connect.call(this, to, ...rest);
};
"""


@pytest.fixture(scope="module", autouse=True)
def spy(tab) -> None:
    """Notes down the gains that lead to the loudspeaker."""
    tab.send("Page.addScriptToEvaluateOnNewDocument", source=SPY)


@pytest.fixture
def page(tab, toy_page: Path) -> Callable[[], object]:
    """The toy report, loaded anew, its first clip ready to play."""
    tab.errors.clear()
    tab.requests.clear()
    tab.size(1280, 1000)
    tab.prefer("light")
    tab.send("Page.navigate", url="about:blank")
    tab.open(toy_page)
    tab.wait(READY)
    yield tab
    assert tab.errors == []


def choose(tab, label: str, value: str) -> None:
    """Set the select with this label."""
    tab.js(
        f"""(() => {{
        const field = [...document.querySelectorAll('.field')].find((one) =>
          one.querySelector('span').textContent === {json.dumps(label)});
        const control = field.querySelector('select');
        control.value = {json.dumps(value)};
        control.dispatchEvent(new Event('change'));
        }})()"""
    )


def type_into(tab, selector: str, text: str) -> None:
    tab.js(
        f"""(() => {{
        const box = document.querySelector({json.dumps(selector)});
        box.value = {json.dumps(text)};
        box.dispatchEvent(new Event('input'));
        }})()"""
    )


def values(tab, column: int) -> dict[str, tuple[float, str]]:
    """Value and interval of each model in a column of the table, counted from the first metric."""
    rows = tab.js(
        f"""[...document.querySelectorAll('.board tr[data-model]')].map((row) => {{
        const cells = [...row.querySelectorAll('td.number')].slice(-4);
        const cell = cells[{column}];
        const interval = cell.querySelector('.interval');
        return [row.dataset.model, Number(cell.dataset.value), interval && interval.textContent];
        }})"""
    )
    return {model: (value, interval) for model, value, interval in rows}


def test_page_loads_without_a_word_and_asks_nobody(page, toy_page: Path) -> None:
    asked = [url for url in page.requests if not url.startswith(("data:", "blob:"))]
    assert [url for url in asked if url != "about:blank"] == [toy_page.as_uri()]


def test_report_of_a_run_plays_what_the_run_made(
    tab, vsseval, ran: Path, toy: Path, tmp_path: Path
) -> None:
    assert vsseval("report", ran, "--html", "run.html", "--data", toy).exit_code == 0
    tab.errors.clear()
    tab.open(tmp_path / "run.html")
    tab.wait(READY)
    names = "[...document.querySelectorAll('.track .name span')].map((one) => one.textContent)"
    assert tab.js(names) == ["Ground truth", "noise", "silence"]
    tab.key("2")
    tab.key(" ")
    tab.wait(f"{POSITION} > 0.2")
    assert tab.js("gains.map((one) => one.gain.value)") == [0, 1, 0]
    assert tab.errors == []


def test_policy_forbids_every_request(page) -> None:
    blocked = page.js("fetch('https://example.org/').then(() => 'reached', (e) => e.name)")
    page.errors.clear()
    assert blocked == "TypeError"


def test_text_of_labels_and_notes_is_never_markup(page, toy_board: Board) -> None:
    assert page.js("window.hacked") is None
    assert page.js("document.querySelectorAll('img').length") == 0
    assert toy_board.notes[0] in page.js("document.querySelector('.notes').textContent")
    assert page.js("document.querySelector('.words').textContent") == toy_board.clips[20].caption
    options = page.js("[...document.querySelectorAll('.slice option')].map((one) => one.value)")
    assert toy_board.clips[1].label in options


def test_columns_sort_best_first_then_the_other_way_then_back(page) -> None:
    assert page.js(MODELS) == ["alpha", "beta", "gamma"]
    button = ".board [data-sort='2']"
    # IS is better when higher: beta 7, gamma 9, alpha 8.
    page.click(button)
    assert page.js(MODELS) == ["gamma", "alpha", "beta"]
    head = "document.querySelector(\".board [data-sort='2']\").closest('th').ariaSort"
    assert page.js(head) == "ascending"
    page.click(button)
    assert page.js(MODELS) == ["beta", "alpha", "gamma"]
    page.click(button)
    assert page.js(MODELS) == ["alpha", "beta", "gamma"]
    page.click(".board [data-sort='seconds']")
    assert page.js(MODELS) == ["gamma", "beta", "alpha"]


def test_oracles_stand_apart_and_can_be_hidden(page) -> None:
    oracles = "document.querySelectorAll('.board tbody.oracle tr[data-model]').length"
    page.click(".board [data-sort='1']")
    assert page.js(oracles) == 1
    assert "silence" not in page.js(MODELS)
    page.click(".toolbar input[type=checkbox]")
    assert page.js(oracles) == 0
    assert page.js("document.querySelectorAll('.plot .line.oracle').length") == 0


def test_reported_numbers_stand_apart_with_their_source(page, toy_board: Board) -> None:
    assert "theirs" not in page.js("document.querySelector('#leaderboard').textContent")
    reported = page.js("document.querySelector('#reported').textContent")
    assert "theirs7.5" in reported
    assert f"Source: {toy_board.reported[0].source}." in reported


def test_filter_keeps_models_by_name_or_setting(page) -> None:
    type_into(page, ".toolbar input[type=search]", "BET")
    assert page.js(MODELS) == ["beta"]
    type_into(page, ".toolbar input[type=search]", "steps 2")
    assert page.js(MODELS) == ["gamma"]
    type_into(page, ".toolbar input[type=search]", "no such")
    assert page.js("document.querySelector('.nothing') !== null")


def test_cells_mark_ranks_best_second_and_partial_coverage(page) -> None:
    cell = "document.querySelector(\"tr[data-model='{}'] td:nth-of-type({})\")"
    assert page.js(f"{cell.format('alpha', 2)}.querySelector('.value.best') !== null")
    assert page.js(f"{cell.format('beta', 2)}.querySelector('.value.second') !== null")
    assert page.js(f"{cell.format('gamma', 2)}.querySelector('.rank').textContent") == "#2"
    coverage = page.js(f"{cell.format('beta', 3)}.querySelector('.coverage.short').textContent")
    assert coverage == "23/24 clips"
    assert page.js(f"{cell.format('alpha', 3)}.querySelector('.coverage.short')") is None


def test_numbers_read_as_in_the_other_reports(tab, toy_board: Board, tmp_path: Path) -> None:
    cases = [0.0, 1.0, 0.98765, 12.3456, 123.456, -4.42163, 98765.4, 5.684e-14, 0.00012345]
    cases += [9.99996, 99.9996, 1e6, -1234567.0, 999999.4, 0.5, 2.5e-5]
    rows = [
        replace(
            toy_board.rows[0],
            label=f"m{at}",
            cells=(replace(toy_board.rows[0].cells[0], value=value, rank=None), None, None),
        )
        for at, value in enumerate(cases)
    ]
    path = tmp_path / "numbers.html"
    small = replace(toy_board, rows=tuple(rows), contestants=(0, 1))
    path.write_text(page_html(Page("n", "", "", "0", (small,)), []), encoding="utf-8")
    tab.open(path)
    shown = tab.js(
        "[...document.querySelectorAll('.board tr[data-model]')].map((row) =>"
        "row.querySelector('.value').textContent.replaceAll('\\u2212', '-'))"
    )
    assert shown == [number(value) for value in cases]


def test_slice_pools_the_values_of_its_clips(page, toy_board: Board) -> None:
    choose(page, "Label", "wood")
    chosen = [at for at in range(24) if at % 3 == 0]
    assert page.js("document.querySelector('.slice .count').textContent") == "8 of 24 clips"
    for row in toy_board.rows:
        expected = np.mean([row.scores[0][at][0] for at in chosen])
        assert values(page, 0)[row.label][0] == pytest.approx(expected, rel=1e-12)
        edits, words = np.sum([row.scores[1][at] for at in chosen], axis=0)
        value, interval = values(page, 1)[row.label]
        assert value == pytest.approx(100 * edits / words, rel=1e-12)
        # Eight clips are too few for an interval.
        assert interval is None
    # A value of the whole set has no slices, and the oracle has no value at all.
    dashes = page.js(
        "[...document.querySelectorAll('.board tr[data-model]')].map((row) =>"
        "row.querySelector('td:last-of-type').textContent)"
    )
    assert set(dashes) == {"\N{EN DASH}"}
    assert page.js("document.querySelector('.without').textContent") == (
        "IS: not available on a slice."
    )
    # Records hold the time of whole runs alone.
    assert page.js("document.querySelector('[data-sort=seconds]')") is None
    page.click(".slice button")
    assert page.js("document.querySelector('.slice .count').textContent") == "24 of 24 clips"


def test_page_of_slices_shows_each_with_its_clips(tab, vsseval, boards, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    names = [f"i{at:03d}" for at in range(40)]
    slices = {"speaker=s1": tuple(names[:8]), "v/a b": tuple(names[8:]), "v/a-b": tuple(names[:30])}
    kl = {name: random.normal(3, 1, 40) for name in ("one", "two")}
    for name, values_of in kl.items():
        boards.run(
            tmp_path / "results",
            name,
            boards.scored("fd.aisfx", boards.column(np.zeros(40)), value=4.0),
            boards.scored("kl.aisfx", boards.column(values_of)),
            slices=slices,
        )
    made = vsseval(
        "report", "results", "--html", "page.html", "--slice", "speaker=s1", "--slice", "v"
    )
    assert made.exit_code == 0, made.output
    tab.errors.clear()
    tab.open(tmp_path / "page.html")
    tabs = "[...document.querySelectorAll('.tabs a')]"
    assert tab.js(f"{tabs}.map((one) => one.textContent)") == list(slices)
    assert tab.js("document.title") == "toy by slice (3): vsseval report"
    rows = "[...document.querySelectorAll('.board tr[data-model]')]"
    for at, (name, items) in enumerate(slices.items()):
        tab.js(f"{tabs}[{at}].click()")
        tab.wait(f"document.querySelector('h1').textContent === 'toy, slice {name}'")
        chosen = [names.index(item) for item in items]
        shown = dict(
            tab.js(
                f"{rows}.map((row) => [row.dataset.model, row.querySelector('[data-value]')"
                ".dataset.value])"
            )
        )
        for model, values_of in kl.items():
            assert float(shown[model]) == pytest.approx(values_of[chosen].mean(), rel=1e-12)
        tab.click("[data-value=all]")
        assert set(tab.js(CLIPS)) == set(items)
        # FD is no metric of clips here, and is last of the columns with a dash and the reason.
        metrics = "[...document.querySelector('.side .fields select').options]"
        assert tab.js(f"{metrics}.map((one) => one.text)") == ["All metrics", "KL (aiSFX)"]
        last = tab.js(f"{rows}.map((row) => row.querySelector('td:last-of-type').textContent)")
        assert set(last) == {"\N{EN DASH}"}
        reason = "not available on a slice: a value of a whole set needs the embeddings"
        assert f"FD (aiSFX): {reason}" in tab.js("document.querySelector('.without').textContent")
        assert reason in tab.js("document.querySelector('.notes').textContent")
        signature = tab.js("document.querySelector('.signatures code').textContent")
        assert f"|slice:{name}|" in signature
    # With metrics of sets alone there are no scores of clips, and all clips are listed.
    sets = ("--html", "sets.html", "--slice", "speaker=s1", "--metrics", "fd")
    assert vsseval("report", "results", *sets).exit_code == 0
    tab.open(tmp_path / "sets.html")
    assert tab.js(CLIPS) == names[:8]
    assert tab.errors == []


def test_clip_that_is_open_is_one_of_the_slice(page, toy_board: Board) -> None:
    title = "document.querySelector('.clip h3').textContent"
    assert page.js(title) == "part/clip-20"
    # Every third clip is of wood: 3 can be heard, 20 is not of it.
    choose(page, "Label", "wood")
    page.wait(f"{title} === 'part/clip-03'")
    choose(page, "Label", "")
    assert page.js(title) == "part/clip-03"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(
    tab, toy_board: Board, toy_media: list[Media], tmp_path: Path, width: int
) -> None:
    many = range(12)
    columns = tuple(
        replace(toy_board.columns[at % 3], title=f"A metric with a name {at}") for at in many
    )
    rows = tuple(
        replace(
            row,
            cells=tuple(row.cells[at % 3] for at in many),
            scores=tuple(row.scores[at % 2] for at in many),
        )
        for row in toy_board.rows
    )
    path = tmp_path / "wide.html"
    checks = (("audio checks", *(f"a check {at}" for at in range(20))), ("alpha", *["7"] * 20))
    wide = replace(toy_board, rows=rows, columns=columns, checks=checks)
    boards = tuple(replace(wide, slice=f"label=a kind {at}", id=f"b{at}") for at in range(20))
    path.write_text(page_html(Page("n", "", "", "0", boards), toy_media), encoding="utf-8")
    tab.size(width, 900)
    tab.open(path, "#b19")
    tab.wait(READY)
    assert tab.js("document.documentElement.scrollWidth") <= width
    # The tab of the board is in sight.
    left, right = tab.js(
        "(({ left, right }) => [left, right])"
        "(document.querySelector('.tabs [aria-current]').getBoundingClientRect())"
    )
    assert 0 <= left < right <= width
    assert tab.js("document.querySelectorAll('.scores thead th').length") == 13


def test_slice_interval_is_the_percentile_bootstrap(page, toy_board: Board) -> None:
    choose(page, "Sound", "discrete")
    assert page.js("document.querySelector('.slice .count').textContent") == "12 of 24 clips"
    chosen = [at for at in range(24) if at % 2]
    row = toy_board.rows[0]
    top, bottom = np.array([row.scores[1][at] for at in chosen]).T
    assert values(page, 1)["alpha"][0] == pytest.approx(100 * top.sum() / bottom.sum(), rel=1e-12)

    def rate(top: np.ndarray, bottom: np.ndarray, axis: int = -1) -> np.ndarray:
        return 100 * top.sum(axis=axis) / bottom.sum(axis=axis)

    expected = bootstrap(
        (top, bottom),
        rate,
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    low, high = map(float, values(page, 1)["alpha"][1].split(" … "))
    # An end of 1000 draws has a standard error of about sqrt(0.025 * 0.975 / 1000) / density,
    # which is a tenth of the width for a normal distribution.
    width = expected.high - expected.low
    assert low == pytest.approx(expected.low, abs=0.12 * width)
    assert high == pytest.approx(expected.high, abs=0.12 * width)


def test_many_items_are_drawn_in_groups_without_narrowing_the_interval(
    tab, toy_board: Board, tmp_path: Path
) -> None:
    values_of = np.random.default_rng(11).normal(0, 1, 6000).round(5)
    clips = tuple(
        replace(
            toy_board.clips[0], id=f"c{at}", item=at, media=None, onsets=(1.0,) if at % 2 else None
        )
        for at in range(6000)
    )
    rows = tuple(
        replace(
            row,
            scores=(tuple((float(value),) for value in values_of), (None,) * 6000, (None,) * 6000),
            badness=(0.5,) * 6000,
        )
        for row in toy_board.rows[:1]
    )
    path = tmp_path / "many.html"
    many = replace(toy_board, rows=rows, clips=clips, contestants=(0,))
    path.write_text(page_html(Page("n", "", "", "0", (many,)), []), encoding="utf-8")
    tab.open(path)
    choose(tab, "Sound", "discrete")
    value, interval = values(tab, 0)["alpha"]
    chosen = values_of[1::2]
    assert value == pytest.approx(chosen.mean(), abs=1e-9)
    low, high = (float(end.replace("\N{MINUS SIGN}", "-")) for end in interval.split(" … "))
    # The width of 400 groups and 1000 draws is uncertain by some 6 %: 1/sqrt(800) and the ends'
    # own error; a third of it would be far outside.
    expected = 2 * 1.96 * chosen.std(ddof=1) / np.sqrt(len(chosen))
    assert high - low == pytest.approx(expected, rel=0.2)


def test_worst_clips_come_in_the_order_of_their_scores(page, toy_board: Board) -> None:
    choose(page, "Metric", "0")
    choose(page, "Model", "2")
    row = toy_board.rows[2]
    known = [at for at in range(24) if row.scores[0][at] is not None]
    worst = sorted(known, key=lambda at: -row.scores[0][at][0])[:10]
    assert page.js(CLIPS) == [toy_board.clips[at].id for at in worst]


def test_disputed_clips_come_in_the_order_of_their_range(page, toy_board: Board) -> None:
    page.click("[data-value='disagreement']")
    assert page.js(CLIPS) == [clip.id for clip in toy_board.clips[:10]]
    choose(page, "Metric", "0")
    spread = []
    for at in range(24):
        found = [row.scores[0][at][0] for row in toy_board.rows[:3] if row.scores[0][at]]
        spread.append(max(found) - min(found))
    order = np.argsort(-np.array(spread), kind="stable")[:10]
    assert page.js(CLIPS) == [toy_board.clips[at].id for at in order]


def test_clips_are_searched_and_filtered(page, toy_board: Board) -> None:
    page.click("[data-value='all']")
    type_into(page, ".side input[type=search]", "CLIP-1")
    assert page.js(CLIPS) == [f"part/clip-{at}" for at in range(10, 20)]
    type_into(page, ".side input[type=search]", "")
    page.click(".side input[type=checkbox]")
    assert page.js(CLIPS) == ["part/clip-03", "part/clip-20"]


def test_clip_without_media_shows_its_scores_and_says_so(tab, toy_page: Path) -> None:
    tab.open(toy_page, "#toy-1-abcdef01/part%2Fclip-07")
    tab.wait("document.querySelector('.clip h3')?.textContent === 'part/clip-07'")
    assert "2 of 24 clips can be heard" in tab.js("document.querySelector('.clip').textContent")
    assert tab.js("document.querySelectorAll('.scores tbody tr').length") == 4


def test_address_opens_a_clip_with_what_is_odd_about_it(tab, toy_page: Path) -> None:
    tab.open(toy_page, "#toy-1-abcdef01/part%2Fclip-03")
    tab.wait("document.querySelector('.clip h3')?.textContent === 'part/clip-03'")
    assert "beta: silent" in tab.js("document.querySelector('.findings').textContent")


def test_missing_track_says_why(page) -> None:
    last = "document.querySelector('.track:last-child')"
    assert "its sound is not in the cache" in page.js(f"{last}.textContent")
    assert page.js(f"{last}.querySelector('button').disabled")


def test_switching_while_it_plays_keeps_the_moment(page) -> None:
    page.key(" ")
    page.wait(f"{POSITION} > 0.3")
    before = page.js("[performance.now(), " + POSITION + "]")
    page.key("3")
    assert page.js(ACTIVE) == "beta"
    page.wait("gains.at(-2).gain.value > 0.99")
    assert [round(gain) for gain in page.js("gains.map((one) => one.gain.value)")] == [0, 0, 1, 0]
    time.sleep(0.3)
    after = page.js("[performance.now(), " + POSITION + "]")
    elapsed = (after[0] - before[0]) / 1000
    # No source was started anew, and the clock went on as the wall's did.
    assert page.js("gains.length") == 4
    assert after[1] - before[1] == pytest.approx(elapsed, abs=0.25)


def test_video_follows_the_sound(page) -> None:
    page.key(" ")
    page.wait(f"{POSITION} > 1")
    apart = page.js(f"Math.abs(document.querySelector('video').currentTime - {POSITION})")
    assert apart < 0.3
    page.key(" ")
    assert page.js("document.querySelector('video').paused")
    page.js("document.querySelector('.seek').value = 500")
    page.js("document.querySelector('.seek').dispatchEvent(new Event('input'))")
    page.wait("Math.abs(document.querySelector('video').currentTime - 3) < 0.05")
    assert page.js(POSITION) == pytest.approx(3.0, abs=0.001)


def test_end_stops_and_loop_goes_on(page) -> None:
    page.js("document.querySelector('.seek').value = 970")
    page.js("document.querySelector('.seek').dispatchEvent(new Event('input'))")
    page.key(" ")
    page.wait("document.querySelector('.play').textContent === 'Play'")
    page.key("l")
    page.key(" ")
    page.js("document.querySelector('.seek').value = 970")
    page.js("document.querySelector('.seek').dispatchEvent(new Event('input'))")
    page.wait(f"{POSITION} < 1")
    assert page.js("document.querySelector('.play').textContent") == "Pause"
    page.key("l")


def test_keys_move_switch_and_open(page) -> None:
    page.key("ArrowRight")
    assert page.js(POSITION) == pytest.approx(0.1, abs=0.001)
    page.key("ArrowLeft")
    assert page.js(POSITION) == 0
    page.key("]")
    assert page.js(ACTIVE) == "alpha"
    page.key("[")
    page.key("[")
    # Backwards past the first: the last that has a sound.
    assert page.js(ACTIVE) == "gamma"
    page.key("j")
    page.wait("document.querySelector('.clip h3').textContent === 'part/clip-19'")
    page.key("k")
    page.wait("document.querySelector('.clip h3').textContent === 'part/clip-20'")
    page.key("?")
    assert page.js("document.querySelector('dialog').open")
    page.js("document.querySelector('dialog').close()")
    page.key("/")
    assert page.js("document.activeElement.getAttribute('aria-label')") == "Search clips"
    # Inside a box a letter is a letter.
    page.key("l")
    assert page.js("document.querySelector('.loop').ariaPressed") == "false"


def test_space_plays_after_a_track_was_clicked(page) -> None:
    page.point(".track:nth-child(3) .name")
    assert page.js(ACTIVE) == "beta"
    page.key(" ")
    page.wait(f"{POSITION} > 0.1")
    assert page.js(ACTIVE) == "beta"


def test_click_into_a_lane_hears_it_from_there(page) -> None:
    page.point(".track:nth-child(2) .lanes")
    assert page.js(ACTIVE) == "alpha"
    assert page.js(POSITION) == pytest.approx(3.0, abs=0.02)


def test_every_control_has_a_name_and_a_visible_focus(page) -> None:
    nameless = page.js(
        """[...document.querySelectorAll('button, input, select, a, [tabindex="0"]')].filter(
        (one) => !(one.textContent.trim() || one.ariaLabel || one.closest('label')))
        .map((one) => one.outerHTML)"""
    )
    assert nameless == []
    page.key("Tab")
    page.key("Tab")
    style = page.js("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"


def test_spectrogram_shows_a_tone_at_its_pitch(page) -> None:
    rows = page.js(
        """[...document.querySelectorAll('canvas.spectrogram')].map((canvas) => {
        const { width, height } = canvas;
        const pixels = canvas.getContext('2d').getImageData(width >> 1, 0, 1, height).data;
        const light = Array.from({ length: height }, (_, y) =>
          pixels[4 * y] + pixels[4 * y + 1] + pixels[4 * y + 2]);
        return [light.indexOf(Math.max(...light)), height];
        })"""
    )
    mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)  # noqa: E731
    top, low = mel(8000), mel(60)
    for (y, height), pitch in zip(rows, (1000, 500, 4000, 2000), strict=True):
        share = 1 - (y + 0.5) / height
        found = low + share * (top - low)
        # A pixel is (top - low) / height mel high, and a bin of 512 samples 31 Hz wide.
        assert found == pytest.approx(mel(pitch), abs=2 * (top - low) / height)


def test_onsets_are_drawn_where_they_are(tab, toy_page: Path) -> None:
    tab.open(toy_page, "#toy-1-abcdef01/part%2Fclip-03")
    tab.wait(READY)
    lines = (
        "[...document.querySelectorAll('.track:nth-child({}) .onset.{}')]"
        ".map((one) => parseFloat(one.style.left))"
    )
    for track in (1, 2, 3, 4):
        assert tab.js(lines.format(track, "annotated")) == [25.0, 50.0]
        # 0.6 s and 4.8 s of 6 s, detected in one sound alone.
        assert tab.js(lines.format(track, "found")) == ([10.0, 80.0] if track == 2 else [])


def test_dark_follows_the_system_and_the_key_and_is_kept(page, toy_page: Path) -> None:
    paper = (
        "getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g)"
        ".reduce((sum, part) => sum + Number(part), 0)"
    )
    assert page.js(paper) > 600
    page.prefer("dark")
    assert page.js(paper) < 150
    page.key("t")
    assert page.js(paper) > 600
    page.open(toy_page)
    assert page.js(paper) > 600
    page.js("localStorage.clear()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(page, scheme: str) -> None:
    page.prefer(scheme)
    pairs = page.js(
        """['.legend', '.value', '.interval', '.warnings li', '.notes li', '.said', '.chip',
        '[aria-sort] small', '.coverage.short', '.clips [aria-current] small', '.hint', '.play']
        .map((selector) => {
          const node = document.querySelector(selector);
          let behind = node;
          const paint = (one) => getComputedStyle(one).backgroundColor;
          while (behind && /, 0\\)$/.test(paint(behind))) behind = behind.parentElement;
          return [selector, getComputedStyle(node).color, paint(behind)];
        })"""
    )
    for selector, ink, paper in pairs:
        light = sorted((_luminance(ink), _luminance(paper)))
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 4.5, selector


def _luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)`` (WCAG 2.2)."""
    parts = np.array([float(part) for part in colour[4:-1].split(",")]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_site_can_be_moved_and_loads_media_when_asked(
    tab, toy_board: Board, toy_media: list[Media], tmp_path: Path
) -> None:
    write_pages([toy_board], toy_media, tmp_path / "made")
    shutil.move(tmp_path / "made", tmp_path / "moved")
    tab.errors.clear()
    tab.open(tmp_path / "moved" / "index.html")
    tab.requests.clear()
    tab.click(".boards a")
    tab.wait(READY)
    folder = (tmp_path / "moved").as_uri()
    asked = [url for url in tab.requests if url.startswith("file:")]
    assert asked == [f"{folder}/{toy_board.id}.html", f"{folder}/media/toy-20.js"]
    (tmp_path / "moved" / "media" / "toy-3.js").unlink()
    assert tab.errors == []
    tab.js("location.hash = '#toy-1-abcdef01/part%2Fclip-03'")
    tab.wait("document.querySelector('.player').textContent.includes('not beside the page')")
