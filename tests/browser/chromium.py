"""The system's Chromium, driven through a pair of pipes in its own debugging protocol."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def program() -> str | None:
    """Return the browser's path, None if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None)


class Chromium:
    """A browser with one page; `errors` and `requests` say what the page did that it must not."""

    def __init__(self, folder: Path) -> None:
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        executable = program()
        assert executable is not None

        def plumb() -> None:
            # By way of high numbers: one pipe may already be at the other's place.
            os.dup2(commands, 103)
            os.dup2(answers, 104)
            os.dup2(103, 3)
            os.dup2(104, 4)

        self._process = subprocess.Popen(
            [executable, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=plumb,  # noqa: PLW1509 - no threads here
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._number = 0
        self._waiting = b""
        self._session = ""
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.events: list[dict[str, Any]] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Performance"):
            self._ask(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._in)
        os.close(self._out)

    def open(
        self,
        path: Path | str,
        *,
        width: int = 1600,
        height: int = 1000,
        fragment: str = "",
        **media: str,
    ) -> None:
        """Load the page at a path or an address; *media* are features, `-` as `_`."""
        self.errors.clear()
        self.requests.clear()
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self._ask("Emulation.setDeviceMetricsOverride", **size, mobile=False)
        features = [{"name": n.replace("_", "-"), "value": v} for n, v in media.items()]
        self._ask("Emulation.setEmulatedMedia", media="", features=features)
        self._ask("Page.navigate", url="about:blank")
        address = path if isinstance(path, str) else path.as_uri()
        self._ask("Page.navigate", url=f"{address}{fragment}")
        self.wait_for("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """Return the value of an expression, awaited."""
        answer = self._ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def go(self, steps: int) -> None:
        """Go back or forward, as people do: when nothing is evaluated any more."""
        self.run(f"void setTimeout(() => history.go({steps}))")

    def wait_for(self, condition: str, *, seconds: float = 30) -> None:
        """Return when *condition* holds."""
        until = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < until, condition
            time.sleep(0.01)

    def press(self, key: str, code: int = 0) -> None:
        """Press and release a key."""
        more = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            pressed = {"type": kind, "key": key, "windowsVirtualKeyCode": code}
            self._ask("Input.dispatchKeyEvent", **pressed, **more)

    def metric(self, name: str) -> float:
        """Return one of the browser's own measurements, `Nodes` say."""
        found = self._ask("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in found if each["name"] == name)

    def screenshot(self, path: Path) -> None:
        """Write what is in view as a PNG."""
        shot = self._ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self) -> bytes:
        """Return the page as it is printed."""
        return base64.b64decode(self._ask("Page.printToPDF")["data"])

    def media(self, name: str) -> None:
        """Show the page as another medium does, `print` say."""
        self._ask("Emulation.setEmulatedMedia", media=name)

    def scripts(self, *, enabled: bool) -> None:
        """Let pages run their scripts, or not."""
        self._ask("Emulation.setScriptExecutionDisabled", value=not enabled)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        for answer in self._messages():
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer.get("result", {})
                return result
            self._note(answer)
        raise AssertionError("the browser has gone")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            message, end, rest = self._waiting.partition(b"\0")
            if end:
                self._waiting = rest
                yield json.loads(message)
                continue
            piece = os.read(self._in, 1 << 20)
            if not piece:
                return
            self._waiting += piece

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(parameters["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if parameters["type"] in {"error", "warning"}:
                self.errors.append(json.dumps(parameters["args"]))
            case "Log.entryAdded" if parameters["entry"]["level"] in {"error", "warning"}:
                self.errors.append(parameters["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
