"""White space and width: the short way for tidy texts says what the long way says."""

from hypothesis import given
from hypothesis import strategies as st

from features.identifiers import FULL_WIDTH, HALF_WIDTH, stripped, tidy
from tests.features.identifiers.reading import batches, computed

BLANK = " \t\n\r\v\f"
HELD = len(HALF_WIDTH)  # of the full-width ones; the others are dropped
NARROW = str.maketrans(FULL_WIDTH[:HELD], HALF_WIDTH, FULL_WIDTH[HELD:])
texts = st.lists(
    st.text(
        st.sampled_from([*BLANK, *FULL_WIDTH, *"aZ09!~甲é\x01\u2003𠀀"]), max_size=6
    ),
    min_size=300,
    max_size=300,
)


@batches
@given(texts)
def test_a_tidy_text_is_half_width_without_white_space_around_it(catalog, written):
    expected = [text.translate(NARROW).strip(BLANK) for text in written]
    assert computed(catalog, tidy, written) == expected


@batches
@given(texts)
def test_a_stripped_text_is_as_it_was_within(catalog, written):
    expected = [text.strip(BLANK) for text in written]
    assert computed(catalog, stripped, written) == expected
