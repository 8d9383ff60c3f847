"""Near-duplicates against the exact Jaccard index, and at the edges of what a text is."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.near_duplicates import NO_CLUSTER, near_duplicates, rows_per_band
from features.shingles import PERMUTATIONS, ngram_hashes, normalised

PLEADING = (
    "原告{}就号牌为浙D{}的轿车向被告投保商业险，{}年{}月{}日在人民路与对向来车相撞，修复需{}元，"
    "被告以免责条款为由拒绝理赔，为维护合法权益，特诉至贵院，望判如所请。"
)


def column(texts):
    return pa.chunked_array([pa.array(texts, pa.string())])


def found(texts, ngram=4, similar=0.8, **options):
    return near_duplicates(column(texts), ngram=ngram, similar=similar, **options)


def clusters(texts, **options):
    """The clusters of two or more texts, as sets of the texts' positions."""
    cluster = found(texts, **options).cluster
    held = [np.flatnonzero(cluster == c) for c in np.unique(cluster) if c != NO_CLUSTER]
    return {frozenset(c.tolist()) for c in held if len(c) > 1}


def grams(text, ngram):
    padded = "\0" * (ngram - 1) + text + "\0" * (ngram - 1)
    return {padded[i : i + ngram] for i in range(len(padded) - ngram + 1)}


def jaccard(one, other):
    return len(one & other) / len(one | other)


def drawn(rng, length):
    return "".join(map(chr, rng.integers(0x4E00, 0x4E00 + 3000, length)))


def edited(rng, text, edits):
    letters = list(text)
    for place in rng.choice(len(text), edits, replace=False):
        letters[place] = drawn(rng, 1)
    return "".join(letters)


@pytest.mark.parametrize(("ngram", "similar"), [(4, 0.8), (2, 0.6), (1, 0.9), (5, 0.4)])
def test_pairs_and_similarities_agree_with_exact_jaccard(ngram, similar):
    rng = np.random.default_rng(5)
    bases = [drawn(rng, 150) for _ in range(12)]
    edits = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
    texts = [edited(rng, base, count) for base in bases for count in edits]
    sets = [grams(text, ngram) for text in texts]
    exact = np.array([[jaccard(a, b) for b in sets] for a in sets])
    np.fill_diagonal(exact, 0)
    got = found(texts, ngram, similar)
    together = got.cluster[:, None] == got.cluster
    np.fill_diagonal(together, False)
    three_errors = 3 * (similar * (1 - similar) / PERMUTATIONS) ** 0.5
    clear = exact >= similar + three_errors
    assert clear.sum() >= 24
    assert together[clear].mean() > 0.98
    assert (exact.max(axis=1)[together.any(axis=1)] >= similar - three_errors).all()
    # A text is compared with a few of its cluster, not with its very nearest for sure.
    tied = got.similarity > 0
    assert (np.abs(got.similarity - exact.max(axis=1))[tied] < 0.2).all()
    assert np.abs(got.similarity - exact.max(axis=1))[tied].mean() < 0.05


def test_template_with_other_names_dates_and_sums_is_one_cluster():
    rng = np.random.default_rng(1)
    family = [
        PLEADING.format(
            *f"{drawn(rng, 3)} {10_000 + n} {2015 + n} {n + 1} {n} {n}5.5".split()
        )
        for n in range(12)
    ]
    others = [drawn(rng, 90) for _ in range(50)]
    assert clusters(family + others, similar=0.7) == {frozenset(range(12))}
    written_out = PLEADING.format(
        "王小明", "A12B3", "二〇二三", "五", "十六", "叁仟伍佰"
    )
    assert clusters([family[0], written_out], similar=0.7) == {frozenset({0, 1})}


def test_thousands_of_equal_and_similar_texts_are_not_compared_each_with_each():
    """A hundred million comparisons would take minutes; this takes a second."""
    rng = np.random.default_rng(2)
    base = drawn(rng, 200)
    texts = [base] * 10_000 + [edited(rng, base, 2) for _ in range(4000)]
    got = found(texts)
    assert set(got.cluster) == {0}
    assert (got.similarity[:10_000] == 1).all()
    assert (got.similarity > 0.85).all()


def test_order_of_the_texts_changes_nothing():
    rng = np.random.default_rng(3)
    bases = [drawn(rng, 100) for _ in range(30)]
    texts = [edited(rng, b, rng.integers(0, 12)) for b in bases for _ in range(10)]
    order = rng.permutation(len(texts))
    straight, mixed_up = found(texts), found([texts[n] for n in order])
    assert np.array_equal(straight.cluster[order], mixed_up.cluster)
    assert np.array_equal(straight.similarity[order], mixed_up.similarity)


def test_texts_that_say_nothing_belong_nowhere():
    nothing = [None, "", "   ", "。！？", "12345", "二〇二三", "\x00\n"]
    got = found(
        [*nothing, "见上", "详见起诉状所列明细", "详见起诉状所列明细"], min_length=3
    )
    assert (got.cluster[:8] == NO_CLUSTER).all()
    assert np.isnan(got.similarity[:8]).all()
    assert got.similarity[8:].tolist() == [1, 1]


@pytest.mark.parametrize("texts", [[], [None], ["", "。"], ["字"], [None, "字"]])
def test_too_few_texts_to_be_alike(texts):
    got = found(texts)
    assert len(got.cluster) == len(got.similarity) == len(texts)
    assert [c != NO_CLUSTER for c in got.cluster] == [t == "字" for t in texts]
    assert (got.similarity[got.cluster != NO_CLUSTER] == 0).all()


@pytest.mark.parametrize("ngram", [1, 2, 4, 10])
def test_texts_shorter_than_an_ngram_are_compared_too(ngram):
    texts = ["甲", "甲。", "乙", "前保险杠", "前保险杠 ", "后视镜", "后视镜总成"]
    assert clusters(texts, ngram=ngram) == {frozenset({0, 1}), frozenset({3, 4})}


def test_addresses_differ_by_their_numbers_if_numbers_count():
    addresses = ["越城区府山街道胜利西路12号", "越城区府山街道胜利西路388号"]
    assert clusters(addresses, ngram=2) == {frozenset({0, 1})}
    assert clusters(addresses, ngram=2, numbers=True) == set()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("（２０２３）浙０６０２民初１２３号", "0浙0民初0号"),
        ("2023年5月6日 09:30", "0年0月0日0"),
        ("赔偿1,234.50元", "赔偿0元"),
        ("赔偿壹仟贰佰元", "赔偿0元"),
        ("车牌浙D·A12B3", "车牌浙d0"),
        ("Ａｂｃ　def，《保险法》", "abcdef保险法"),
        ("On 5 May the car", "on0maythecar"),
        ("买买提·热合曼", "买买提热合曼"),
        (None, None),
    ],
)
def test_normal_form(text, plain):
    assert normalised(column([text]), numbers=False).to_pylist() == [plain]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("甲乙丙𠮷ab", min_size=1, max_size=9), max_size=6),
    st.integers(1, 5),
)
def test_hashes_are_those_of_each_texts_own_padded_ngrams(texts, ngram):
    hashes, ends = ngram_hashes(column(texts), ngram)
    assert len(ends) == len(texts) + 1
    assert ends[-1] == len(hashes)
    named = {}
    for text, start, end in zip(texts, ends, ends[1:], strict=False):
        padded = "\0" * (ngram - 1) + text + "\0" * (ngram - 1)
        own = [padded[i : i + ngram] for i in range(len(text) + ngram - 1)]
        assert len(own) == end - start
        for gram, value in zip(own, hashes[int(start) : int(end)], strict=True):
            assert named.setdefault(gram, value) == value
    assert len(set(named.values())) == len(named)


@pytest.mark.parametrize("similar", [0.3, 0.5, 0.6, 0.8, 0.9, 0.95, 1.0])
def test_bands_are_as_long_as_the_wanted_recall_allows(similar):
    def met(rows):
        return 1 - (1 - similar**rows) ** (PERMUTATIONS // rows)

    rows = rows_per_band(similar)
    assert met(rows) >= 0.98
    assert all(met(longer) < 0.98 for longer in range(rows + 1, PERMUTATIONS + 1))
