"""Who is planted: staff, outsiders, clans and households of the wage scenario."""

import numpy as np
import pandas as pd

from training.simulation.sampling import Ints, Rng, between, lognormal, pick
from training.simulation.wages_world import POST_PAY, POSTS, World


def take_staff(rng: Rng, world: World, debtor: int, size: int) -> pd.DataFrame:
    """Members of staff of a debtor who have no claim yet."""
    here = (world.staff["debtor"] == debtor).to_numpy() & ~world.spent
    chosen = rng.permutation(np.flatnonzero(here))[:size]
    if len(chosen) < size:  # a small debtor: colleagues from elsewhere fill up
        rest = rng.permutation(np.flatnonzero(~world.spent & ~here))
        chosen = np.concatenate([chosen, rest[: size - len(chosen)]])
    world.spent[chosen] = True
    return world.staff.iloc[chosen].reset_index(drop=True)


def outsiders(rng: Rng, world: World, debtor: int, people: Ints) -> pd.DataFrame:
    """People who never worked there, with the posts and pay that they say they had."""
    size = len(people)
    post = pick(rng, POSTS[str(world.debtors["kind"].iloc[debtor])].split(), size)
    base = pd.Series(post).map(POST_PAY).to_numpy(dtype=float)
    return pd.DataFrame(
        {
            "person": people,
            "debtor": debtor,
            "post": post,
            "pay": np.round(base * lognormal(rng, 1.0, 0.15, size), -1),
            "insured": False,
            "payroll": False,
            "tenure": between(rng, 1, 6, size),
        }
    )


def clan_of(rng: Rng, world: World, debtor: int, size: int) -> Ints:
    """The controller's household and namesakes of the town; the debtor gets that head."""
    free = world.pool.order[~world.pool.used[world.pool.order]]
    clans, counts = np.unique(world.clan[free], return_counts=True)
    enough = clans[counts >= size + 1]
    chosen = rng.choice(enough) if len(enough) else clans[np.argmax(counts)]
    members = rng.permutation(free[world.clan[free] == chosen])
    head, members = int(members[0]), members[1 : size + 1]
    company = world.debtors["company"].iloc[debtor]
    world.population.companies.loc[company, "legal_rep"] = head
    world.pool.mark(np.array([head]))
    mates = world.population.mates_of(np.array([head]))
    mates = mates[~world.pool.used[mates]]
    kin = pd.unique(np.concatenate([mates, members]))[:size]
    world.pool.mark(kin)
    rest = world.pool.draw(rng, size - len(kin))
    return np.concatenate([kin, rest])


def at_home(rng: Rng, world: World, together: int) -> Ints:
    """Free adults of working age who live together, so many to a household."""
    free = world.pool.order[~world.pool.used[world.pool.order]]
    homes = world.population.persons["household"].to_numpy()[free]
    held, counts = np.unique(homes, return_counts=True)
    home = rng.choice(held[counts >= together])
    return world.pool.mark(free[homes == home][:together])


def pairs_at_home(rng: Rng, world: World, debtor: int, size: int) -> Ints:
    """Couples, the first of them out of the household of an owner of the debtor."""
    people = np.concatenate(
        [at_home(rng, world, 2) for _ in range(-(-size // 2))],
    )[:size]
    owner = pd.DataFrame(
        {"debtor": [debtor], "person": people[:1], "role": "shareholder"}
    )
    mates = world.population.mates_of(people[:1])
    others = np.setdiff1d(mates, people)
    # Who claims holds no share; a member of the household does.
    if len(others):
        world.extra_roles.append(owner.assign(person=others[:1]))
    return people
