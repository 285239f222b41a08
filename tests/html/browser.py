"""A headless Chromium, spoken to over its DevTools pipe: file descriptors 3 and 4, messages of JSON ended by a zero byte."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "headless_shell")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions", "--mute-audio",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
SECONDS = 60.0


class BrowserError(Exception):
    """Chromium did not do what it was asked to."""


def executable() -> str | None:
    """The path of a Chromium: `RXCALC_CHROMIUM`, else the first of the usual names on the path."""
    named = os.environ.get("RXCALC_CHROMIUM")
    if named:
        return named
    return next((path for path in map(shutil.which, NAMES) if path), None)


@dataclass
class Opened:
    """What happened while a page was loaded: everything written to the console, and every request but the page's own."""

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Browser:
    """One browser process with one tab. Use it as a context manager."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> Browser:
        self.folder = tempfile.mkdtemp(prefix="rxcalc-html-")
        to_read, self.to_write = os.pipe()
        self.to_hear, to_say = os.pipe()
        # Numbers far from 3 and 4 first, so that neither end is overwritten while it is being moved.
        ends = (os.dup2(to_read, 60), os.dup2(to_say, 61))

        def move() -> None:
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [self.path, *FLAGS, f"--user-data-dir={self.folder}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(3, 4, *ends),
            preexec_fn=move,  # noqa: PLW1509 - Chromium wants its pipe at exactly these two numbers
            env={**os.environ, "HOME": self.folder},
        )
        for end in (to_read, to_say, *ends):
            os.close(end)
        self.rest = b""
        self.number = 0
        self.session = ""
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM", "Accessibility"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.to_write)
        os.close(self.to_hear)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- the protocol ----

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """Sends a command and returns its answer; what is reported meanwhile goes to `events`."""
        self.number += 1
        message: dict[str, object] = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + SECONDS
        while True:
            heard = self._hear(until, method)
            if heard.get("id") == self.number:
                if "error" in heard:
                    raise BrowserError(f"{method}: {heard['error']['message']}")
                return dict(heard["result"])
            self.events.append(heard)

    def wait_for(self, method: str) -> None:
        """Waits until an event has been reported."""
        until = time.monotonic() + SECONDS
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self._hear(until, method))

    def _hear(self, until: float, what: str) -> dict[str, Any]:
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.to_hear], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise BrowserError(f"no answer to {what} within {SECONDS:.0f} seconds")
            more = os.read(self.to_hear, 1 << 20)
            if not more:
                raise BrowserError(f"Chromium ended while {what} was waited for")
            self.rest += more
        message, _, self.rest = self.rest.partition(b"\0")
        return dict(json.loads(message))

    # ---- what a test asks ----

    def look(self, *, width: int, height: int = 900, dark: bool = False, scale: float = 1, media: str = "") -> None:
        """The size of the window and the colours that the reader prefers."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def open(self, page: Path) -> Opened:
        """Loads a file."""
        self.events.clear()
        url = page.resolve().as_uri()
        self.ask("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")
        self.value("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
        opened = Opened()
        for event in self.events:
            told = event.get("params", {})
            match event.get("method"):
                case "Runtime.consoleAPICalled":
                    opened.console.append(str(told["args"]))
                case "Runtime.exceptionThrown":
                    opened.console.append(str(told["exceptionDetails"]))
                case "Log.entryAdded":
                    opened.console.append(f"{told['entry']['level']}: {told['entry']['text']}")
                case "Network.requestWillBeSent" if (
                    told["request"]["url"] != url and told["request"]["url"] != "data:,"
                ):
                    opened.requests.append(told["request"]["url"])
                case "Page.javascriptDialogOpening":
                    opened.console.append(f"dialog: {told['message']}")
                case _:
                    pass
        return opened

    def value(self, script: str) -> Any:
        """The value of a script, which runs beside the page and not under its policy."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, *, whole: bool = True) -> bytes:
        """The page as PNG; `whole`: also what lies below the window."""
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def pdf(self) -> bytes:
        """The page as it is printed, on the paper that its style sheet asks for."""
        return base64.b64decode(self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])

    def tree(self) -> list[tuple[str, str]]:
        """Role and name of everything that a screen reader meets, in order."""
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored") and "role" in node
        ]
