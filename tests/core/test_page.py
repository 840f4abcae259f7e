"""Reading the page of an environment back from a docstring."""

import pytest

from ntn_gym.core.page import SECTIONS, indices, parse_page

PAGE = "A summary.\n\n" + "\n\n".join(f"    ## {title}\n    text of {title}" for title in SECTIONS)


def test_sections() -> None:
    page = parse_page(PAGE)
    assert page.summary == "A summary." and list(page.sections) == list(SECTIONS)
    assert page.sections["Rewards"] == "text of Rewards"
    more = parse_page(PAGE.replace("    ## Rewards", "    ## Extra\n    more\n\n    ## Rewards"))
    assert more.sections["Extra"] == "more"


def test_missing_or_misplaced_sections() -> None:
    with pytest.raises(ValueError, match="has no docstring"):
        parse_page(None)
    with pytest.raises(ValueError, match="in this order"):
        parse_page(PAGE.replace("## Rewards", "## Payment"))
    with pytest.raises(ValueError, match="in this order"):
        parse_page(PAGE.replace("## Rewards", "## X").replace("## Episode End", "## Rewards"))


def test_tables() -> None:
    table = "| index | meaning |\n    |---|---|\n    | 0 | a |\n    | 1 | b |\n    \n    | 9 | other |"
    page = parse_page(PAGE.replace("text of Rewards", table))
    assert page.table("Rewards") == [{"index": "0", "meaning": "a"}, {"index": "1", "meaning": "b"}]
    with pytest.raises(ValueError, match="has no table"):
        page.table("Arguments")
    with pytest.raises(ValueError, match="no section 'Colours'"):
        page.table("Colours")
    with pytest.raises(ValueError, match="has not the columns"):
        parse_page(PAGE.replace("text of Rewards", table.replace("| b |", "| b | c |"))).table("Rewards")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("3", [3]),
        ("0 to 4", [0, 1, 2, 3, 4]),
        ("k", [0, 1, 2]),
        ("5k + 1", [1, 6, 11]),
        ("`5K + 2`", [17]),
        ("K to K + 1", [3, 4]),
        ("2K + n", [6, 7]),
    ],
)
def test_indices(cell: str, expected: list[int]) -> None:
    assert list(indices(cell, {"K": 3, "N": 2})) == expected


@pytest.mark.parametrize("cell", ["j", "3 - 1", "", "k + n", "2.5", "kk"])
def test_indices_that_cannot_be_read(cell: str) -> None:
    with pytest.raises(ValueError, match="index"):
        list(indices(cell, {"K": 3, "N": 2}))
