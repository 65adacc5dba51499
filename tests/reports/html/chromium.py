"""Headless Chromium through the DevTools protocol over a pipe: standard library alone.

``python tests/reports/html/chromium.py PAGE PICTURE`` takes the picture of a report that the README
shows.
"""

from __future__ import annotations

import base64
import io
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)
KEYS = {" ": ("Space", 32), "ArrowRight": ("ArrowRight", 39), "ArrowLeft": ("ArrowLeft", 37)}
WAIT = 60.0
"""Seconds until a page that does not answer is given up."""


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


class Tab:
    """One tab of one browser, with all that it logged and asked the network for."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self._loads = 0
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: object) -> Mapping[str, Any]:
        """Call a method of the protocol and wait for its result."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        """The next message; events are noted down on the way."""
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], WAIT)[0]:
                raise RuntimeError(f"Chromium has not answered for {WAIT:g} s")
            part = os.read(self._read, 1 << 20)
            if not part:
                raise RuntimeError("Chromium has closed")
            self._buffer += part
        raw, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(raw)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, params: Mapping[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Runtime.consoleAPICalled":
            self.errors.append(f"{params['type']}: {params['args']}")
        elif event == "Log.entryAdded":
            self.errors.append(params["entry"]["text"])
        elif event == "Page.loadEventFired":
            self._loads += 1
        elif event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def open(self, path: Path, fragment: str = "") -> None:
        """Load a file and wait until it has drawn itself."""
        self.navigate(path.absolute().as_uri() + fragment)
        self.wait("document.readyState === 'complete' && !!document.querySelector('h1')")

    def navigate(self, url: str) -> None:
        """Load a page, or go to another fragment of the one that is there."""
        before = self._loads
        if "loaderId" in self.send("Page.navigate", url=url):
            self._wait_for_load(before)

    def follow(self, selector: str) -> None:
        """Click a link and wait for the page it leads to."""
        before = self._loads
        self.click(selector)
        self._wait_for_load(before)

    def _wait_for_load(self, before: int) -> None:
        # Events are waited for: a page that is about to go answers questions with an error.
        while self._loads == before:
            self._next()

    def js(self, expression: str) -> Any:
        """Value of an expression in the page; of a promise what it becomes."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Ask until an expression is true."""
        end = time.monotonic() + WAIT
        while not self.js(condition):
            if time.monotonic() > end:
                raise AssertionError(f"not true within {WAIT:g} s: {condition}")
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """Click the first element that fits."""
        self.js(f"document.querySelector({json.dumps(selector)}).click()")

    def key(self, key: str) -> None:
        """Press and release a key, as a user does."""
        code, number = KEYS.get(key, (key, ord(key[0].upper())))
        text = {"text": key} if len(key) == 1 else {}
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        self.send("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def point(self, selector: str) -> None:
        """Press and release the mouse in the middle of an element, as a user does."""
        self.js(f"document.querySelector({json.dumps(selector)}).scrollIntoView()")
        x, y = self.js(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def size(self, width: int, height: int, scale: float = 1.0) -> None:
        """Size of the window in pixels of the page."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def prefer(self, scheme: str) -> None:
        """What the system says of dark and light."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def picture(self) -> bytes:
        """PNG of what the window shows."""
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])


@contextmanager
def browser(program: str) -> Iterator[Tab]:
    """A tab of a browser with a profile of its own; both are gone afterwards."""
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()

    def hand_over() -> None:
        # The protocol reads from 3 and writes to 4. Duplicates first: a pipe may be one of them.
        reading, writing = os.dup(to_browser), os.dup(from_browser)
        os.dup2(reading, 3)
        os.dup2(writing, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=hand_over,
            pass_fds=(3, 4),
        )
        os.close(to_browser)
        os.close(from_browser)
        tab = Tab(to_us, from_us)
        try:
            yield tab
        finally:
            process.kill()
            process.wait()
            os.close(to_us)
            os.close(from_us)


def screenshot(page: Path, picture: Path) -> None:
    """The leaderboard of a report and a clip with its players, light, as a PNG of 256 colours.

    It is the clip with the most onsets, half a second in; the interval plots and what is below the
    tracks are left out for height.
    """
    from PIL import Image

    program = find_chromium()
    if program is None:
        raise SystemExit("no chromium to take a picture with")
    with browser(program) as tab:
        tab.size(1360, 900)
        tab.prefer("light")
        tab.send("Emulation.setScrollbarsHidden", hidden=True)
        tab.open(page)
        tab.js(
            """(() => {
            const { boards } = JSON.parse(document.getElementById('data').textContent);
            const [board] = boards;
            const heard = board.clips.filter((one) => one.media);
            const [clip] = heard.sort((a, b) => (b.onsets || []).length - (a.onsets || []).length);
            document.querySelector('[data-value=disagreement]').click();
            if (clip) location.hash = `#${board.id}/${encodeURIComponent(clip.id)}`;
            document.querySelector('#intervals').hidden = true;
            document.querySelector('.remarks').open = false;
            })()"""
        )
        tab.wait(
            "document.querySelector('.clip h3').textContent === "
            "decodeURIComponent(location.hash.split('/').slice(1).join('/'))"
        )
        tab.wait("!!document.querySelector('.player[data-ready]')")
        tab.click(".track:nth-child(2) .name")
        for _ in range(5):
            tab.key("ArrowRight")
        tab.js("document.activeElement.blur()")
        bottom = "document.querySelector('.tracks').getBoundingClientRect().bottom + scrollY"
        tab.size(1360, round(tab.js(bottom)) + 24)
        time.sleep(1)
        whole = Image.open(io.BytesIO(tab.picture())).convert("RGB")
    whole.quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    screenshot(Path(sys.argv[1]), Path(sys.argv[2]))
