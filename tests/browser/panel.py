"""The training panel in a page, by the names that a screen reader would say."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class Panel:
    """A live training panel."""

    def __init__(self, page: Page, output: Locator) -> None:
        self.page = page
        self.element = output.get_by_role("region", name=re.compile("^Training of"))

    @property
    def status(self) -> Locator:
        """The word beside the lamp."""
        return self.element.locator("header").get_by_role("status")

    @property
    def changes(self) -> Locator:
        """What was changed, the last first; in the list that :meth:`open_changes` opens."""
        return self.element.get_by_role("listitem")

    def open_changes(self) -> None:
        """Unfold the list of changes, which is there once there is one."""
        self.element.get_by_text(re.compile(r"^\d+ changes?$")).click()

    def button(self, name: str) -> Locator:
        """Pause, Resume, Step or Stop."""
        return self.element.get_by_role("button", name=name, exact=True)

    def slider(self, name: str | re.Pattern[str]) -> Locator:
        """The slider of a parameter."""
        return self.element.get_by_role("slider", name=name)

    def wait_until(self, status: str, timeout: float = 60_000) -> None:
        """Return when the panel says so."""
        expect(self.status).to_have_text(status, timeout=timeout)

    def steps(self) -> int:
        """How many steps of the epoch are done."""
        return self._count("Steps")

    def epoch(self) -> int:
        """Which epoch it is, the first one being 1."""
        return self._count("Epochs")

    def _count(self, name: str) -> int:
        bar = self.element.get_by_role("progressbar", name=name)
        text = bar.get_attribute("aria-valuetext") or ""
        return int(re.sub(r"\D", "", text.partition("/")[0]))

    def wait_for_epoch(self, least: int, timeout: float = 60_000) -> None:
        """Return when the training has come that far."""
        self.page.wait_for_function(
            """([bar, least]) =>
                Number(bar.getAttribute('aria-valuetext').split('/')[0].replace(/\\D/g, ''))
                    >= least""",
            arg=[
                self.element.get_by_role("progressbar", name="Epochs").element_handle(),
                least,
            ],
            timeout=timeout,
        )

    def drag(self, slider: Locator, share: float) -> None:
        """Take a slider by its thumb and move it, with the mouse, to a part of its length."""
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box is not None
        low, high, now = (
            float(slider.evaluate(f"input => input.{name} || 0"))
            for name in ("min", "max", "value")
        )
        thumb = 8  # half of its width: where its middle is at the ends
        track = box["width"] - 2 * thumb
        middle = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + thumb + track * (now - low) / (high - low), middle)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + thumb + track * share, middle, steps=12)
        self.page.mouse.up()
