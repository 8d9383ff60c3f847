"""What fifty analysts do, for locust: `benchmarks.load` starts it.

A click every one to five seconds: the list, its next page, a filter, another order, a deep
rank; mostly a lead, and back; now and then a decision. Pages and panels are asked for as
the browser does it, with htmx; style sheets and scripts it has kept.
"""

import itertools
import json
import os
import random
import re
import uuid
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, between, task

SEED = os.environ.get("LOAD_SEED", "1")
PASSWORD = os.environ["LOAD_PASSWORD"]
DECIDED = Path(os.environ["LOAD_DECIDED"])  # decisions that were answered as recorded
LEADS = int(os.environ["LOAD_LEADS"])
USERS = int(os.environ["LOAD_USERS"])
SECONDS = float(os.environ["LOAD_SECONDS"])  # from when the last one is signed in
READY = Path(os.environ["LOAD_READY"])  # made then
LIST = "/models/vehicle_insurance/"

FILTERS = (
    *("state=open", "found_by=both", "found_by=score", "order=score", "order=rules"),
    *("order=money", "code=V6", "office=district+3", "code=V9&order=score"),
)
_CONFLICT = 'class="message warning conflict"'
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_LEAD = re.compile(r'href="(/leads/\d+/)" data-lead')
_NEXT = re.compile(r'rel="next" href="(\?[^"]+)" hx-get')
_SEEN = re.compile(r'name="seen" value="(\d+)"')
_AUTHOR = re.compile(r'name="author" value="([^"]*)"')
_HTMX = {"HX-Request": "true", "HX-Target": "region"}
_numbers, _signed_in = itertools.count(1), itertools.count(1)


class Analyst(FastHttpUser):
    """One of them; each with chances of its own, the same in every run."""

    wait_time = between(1, 5)

    def on_start(self) -> None:
        number = next(_numbers)
        self.chance = random.Random(f"{SEED} {number}")  # noqa: S311  no secret
        self.page, self.lead, self.shown = LIST, "", ""
        token = self._found(_CSRF, self._get("/sign-in/", "sign in").text)
        form = {
            "csrfmiddlewaretoken": token,
            "username": f"analyst{number}",
            "password": PASSWORD,
        }
        self.client.post("/sign-in/", data=form, name="sign in")
        self._open_list()
        if next(_signed_in) == USERS:
            self.environment.stats.reset_all()
            READY.touch()
            gevent.spawn_later(SECONDS, self.environment.runner.quit)

    @task
    def click(self) -> None:
        """The next thing that an analyst does where they are."""
        if self.lead:
            self._at_lead()
        else:
            self._at_list()

    def _at_list(self) -> None:
        leads = _LEAD.findall(self.shown)
        dice = self.chance.random()
        if leads and dice < 0.55:
            self._open_lead(self.chance.choice(leads))
        elif dice < 0.70:
            self._turn_page()
        elif dice < 0.85:
            self._ask(f"?{self.chance.choice(FILTERS)}", "list: filter or order")
        elif dice < 0.92:
            self._ask(f"?rank={self.chance.randint(1, LEADS)}", "list: go to rank")
        else:
            self._open_list()

    def _at_lead(self) -> None:
        if self.chance.random() < 0.15:
            self._decide()
        self.lead = ""
        self.shown = self._get(self.page, "list: back").text

    def _open_list(self) -> None:
        answer = self._get(LIST, "list")
        self.page, self.shown = _path(answer.url), answer.text

    def _turn_page(self) -> None:
        after = _NEXT.search(self.shown)
        if after is None:
            self._open_list()
        else:
            self._ask(after[1].replace("&amp;", "&"), "list: next page")

    def _ask(self, query: str, name: str) -> None:
        self.page = self.page.partition("?")[0] + query
        self.shown = self._get(self.page, name, _HTMX).text

    def _open_lead(self, address: str) -> None:
        self.lead = address
        self.shown = self._get(address, "lead").text

    def _decide(self) -> None:
        reason = f"{uuid.uuid4()}"  # by which it is found again
        form = {
            "csrfmiddlewaretoken": self._found(_CSRF, self.shown),
            "seen": self._found(_SEEN, self.shown),
            "author": self._found(_AUTHOR, self.shown),
            "verdict": "excluded",
            "cause": "lawful",
            "reason": reason,
        }
        address = f"{self.lead}decide/"
        with self.client.post(
            address, data=form, headers=_HTMX, name="decide", catch_response=True
        ) as answer:
            # Another analyst was first, and is shown; htmx takes a panel with 200 alone.
            if answer.status_code == 409 or _CONFLICT in (answer.text or ""):
                answer.success()
                return
            if "Recorded: " not in (answer.text or ""):
                answer.failure(
                    f"not recorded: {answer.status_code} {answer.text!r:.200}"
                )
                return
        with DECIDED.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"lead": self.lead, "reason": reason}) + "\n")

    def _get(self, address: str, name: str, headers: Any = None) -> Any:
        with self.client.get(
            address, name=name, headers=headers or {}, catch_response=True
        ) as answer:
            if name != "sign in" and "/sign-in/" in (answer.url or ""):
                answer.failure("signed out")
        return answer

    def _found(self, pattern: re.Pattern[str], text: str) -> str:
        found = pattern.search(text or "")
        return found[1] if found else ""


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]
