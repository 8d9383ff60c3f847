"""What a person sees of a learning: from how much, how far it is trusted, what moves."""

from rich.console import Console

from flows.learn import Learnt
from flows.next_leads import NextLeads
from flows.present import print_table
from training.taught import RANKED_CASES

SHOWN = 20


def print_learnt(out: Console, learnt: Learnt) -> None:
    """From which reviews, with what weight, and which units enter the first week."""
    out.print(
        f"learnt from {learnt.confirmed:,} confirmed and {learnt.excluded:,} excluded units "
        f"on list {learnt.run.id} (version {learnt.base_version}), "
        f"refitted in {learnt.refit_seconds:.2f} s"
    )
    if learnt.left_out:
        out.print(
            f"{learnt.left_out:,} reviewed units took no part: their list was made with "
            "other features, or they were gone from it"
        )
    _print_trust(out, learnt)
    if learnt.bands:
        print_table(out, learnt.bands, "Confirmed of the reviewed, by band (95 %)")
    else:
        out.print(
            "confirmation bands: not yet; they need 40 reviewed cases (a ring is one), of which "
            "10 confirmed and 10 excluded. Until then a place on the list is a rank, no probability"
        )
    print_table(
        out,
        learnt.entering[:SHOWN],
        f"Open units that enter the first week ({len(learnt.entering):,})",
    )


def _print_trust(out: Console, learnt: Learnt) -> None:
    if learnt.explore_share:
        out.print(
            "nothing was confirmed yet: what is like the excluded falls, and "
            f"{learnt.explore_share:.0%} of the next list are drawn at random"
        )
        return
    if learnt.cases < RANKED_CASES:
        out.print(
            f"a ranker joins from {RANKED_CASES} confirmed cases on; until then reviews move "
            "rules, and what is like the reviewed"
        )
        return
    out.print(
        f"weight of the ranker: {learnt.weight:.0%}"
        + ("" if learnt.weight else " (held-out cases come no earlier with it)")
    )


def print_next_leads(out: Console, found: NextLeads) -> None:
    """Units in the order in which to open them; ranks are those of the published list."""
    rows = [
        {
            "next": lead.position,
            "unit": lead.unit_id,
            "rank": lead.rank_fused,
            "rules": " ".join(lead.rules),
        }
        for lead in found.leads
    ]
    print_table(
        out,
        rows,
        f"To review next of list {found.run.id}, after {found.confirmed:,} confirmed and "
        f"{found.excluded:,} excluded",
    )
