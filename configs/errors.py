"""The errors a user meets: each names the thing, what was got and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


class LeadlineError(Exception):
    """Base of every error that is explained to the user; `exit_code` ends the CLI."""

    exit_code = 1


class DeclarationError(LeadlineError):
    """A supervision model's YAML is not valid."""

    exit_code = 2


class DeliveryError(LeadlineError):
    """A delivered table breaks its contract so far that nothing may be published."""

    exit_code = 3


class StoreError(LeadlineError):
    """The store or the run registry cannot give or keep what was asked."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a declaration, in words that a person can act on."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def declaration_error(problems: Iterable[Problem]) -> DeclarationError:
    """One error that lists every problem found, so that a file is mended in one go."""
    return DeclarationError("\n".join(str(problem) for problem in problems))


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` or, when nothing is near, the list of what is known."""
    names = sorted({str(k) for k in known})
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    if not names:
        return "; nothing is declared there"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; known: {shown}"
