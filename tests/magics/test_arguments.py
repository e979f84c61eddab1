"""Lines of magics: split, parsed, evaluated, and refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError

from nbkeras.magics.arguments import CommandParser, Namespace, closest, command, split


@pytest.fixture
def parser() -> CommandParser:
    parser = CommandParser("go", "[NAME]", "Go.", examples=["net --batch-size 8"])
    parser.add_value("batch-size", "N", "rows")
    parser.add_value("epochs", "N", "rounds")
    parser.add_flag("background", "at once")
    return parser


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("net x y", ["net", "x", "y"]),
        ("  f(a, b)  [1, 2]\t{'k': 'a b'} ", ["f(a, b)", "[1, 2]", "{'k': 'a b'}"]),
        ("x[:, 0] (x, y)", ["x[:, 0]", "(x, y)"]),
        ("""'it''s' "a b" 'don\\'t'""", ["'it''s'", '"a b"', "'don\\'t'"]),
        ("x y # a comment ( [", ["x", "y"]),
        ("x '# none'", ["x", "'# none'"]),
        ("colour#1", ["colour#1"]),
    ],
)
def test_split(line: str, words: list[str]) -> None:
    assert split(line) == words


@given(st.lists(st.from_regex(r"[a-z]+(\([a-z ,]*\)|\[[0-9 :,]*\]|'[a-z #]*')?", fullmatch=True)))
def test_split_finds_the_words_that_were_joined(words: list[str]) -> None:
    assert split("  ".join(words)) == words


@pytest.mark.parametrize(
    ("line", "problem"), [("f(a", "missing )"), ("x 'a", "missing '"), ("a)", "nothing opened")]
)
def test_split_refuses_what_is_not_closed(line: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem.replace(")", r"\)")):
        split(line)


def test_options_stand_anywhere_and_are_spelled_both_ways(parser: CommandParser) -> None:
    found = parser.parse_line("net --batch_size 8 x, --epochs=3 y --background;")
    assert found.words == ["net", "x", "y"]
    assert (found.batch_size, found.epochs, found.background) == ("8", "3", True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--batch 8", "%go: there is no option --batch. Did you mean --batch-size?"),
        ("--batch_sise 8", "there is no option --batch_sise. Did you mean --batch-size?"),
        ("-epochs 8", "there is no option -epochs. Did you mean --epochs?"),
        ("--zzz", "there is no option --zzz. For example: %go net --batch-size 8"),
        ("--epochs", "--epochs needs a value, as in --epochs N"),
        ("--background=1", "--background takes no value"),
        ("net batch_size=8", "write --batch-size 8"),
    ],
)
def test_wrong_lines_are_answered_with_the_closest_right_one(
    parser: CommandParser, line: str, message: str
) -> None:
    with pytest.raises(UsageError) as error:
        parser.parse_line(line)
    assert message in str(error.value)


def test_command_documents_the_magic(parser: CommandParser) -> None:
    @command(parser)
    def go() -> None: ...

    assert go.__doc__.startswith("usage: %go [NAME] [options]")
    assert "--batch-size N" in go.__doc__
    assert "--batch_size" not in go.__doc__


def test_closest() -> None:
    assert closest("dense", ["Dense", "Dropout"]) == "Dense"
    assert closest("Convd2D", ["Conv1D", "Conv2D", "Conv3D"]) == "Conv2D"
    assert closest("q", ["Dense"]) is None


# ---------------------------------------------------------------- values


def test_local_names_hide_the_users_and_those_hide_the_offered() -> None:
    space = Namespace({"a": 1, "b": 2}, {"a": 10}, lambda: {"b": 0, "c": 3})
    assert space.evaluate("[a, b, c]", "--it") == [10, 2, 3]


def test_offered_names_are_asked_for_only_when_needed() -> None:
    def offered() -> dict[str, int]:
        raise AssertionError("Nothing was missing.")

    assert Namespace({"a": 1}, None, offered).evaluate("(a, 'b')", "--it") == (1, "b")


@pytest.mark.parametrize("text", ["$n", "{n}", "{ n }", "n"])
def test_expansions_of_other_magics_are_understood(text: str) -> None:
    assert Namespace({"n": 5}).evaluate(text, "--it") == 5


def test_dicts_and_sets_are_what_they_look_like() -> None:
    space = Namespace({"n": 5})
    assert space.evaluate("{0: 1., 1: 2.}", "--it") == {0: 1.0, 1: 2.0}
    assert space.evaluate("{1, n}", "--it") == {1, 5}


def test_comprehensions_and_lambdas_see_the_names() -> None:
    space = Namespace({"n": 3}, {"m": 2})
    assert space.evaluate("[n * m for _ in range(m)]", "--it") == [6, 6]
    assert space.evaluate("(lambda: n + m)()", "--it") == 5


def test_known_words_stand_for_themselves_also_in_lists() -> None:
    space = Namespace({"adam": 1, "mine": max})
    assert space.evaluate("adam", "--it", {"adam"}.__contains__) == "adam"
    assert space.evaluate("acc,mine", "--it", {"acc"}.__contains__) == ("acc", max)
    assert space.evaluate("{'a': acc}", "--it", {"acc"}.__contains__) == {"a": "acc"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x_trian", "--it: there is no 'x_trian'. Did you mean 'x_train'?"),
        ("1 +", "--it: '1 +' is no Python expression"),
        ("1 / 0", "--it: 1 / 0 gives ZeroDivisionError: division by zero"),
    ],
)
def test_expressions_without_a_value(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        Namespace({"x_train": 1}).evaluate(text, "--it")
    assert message in str(error.value)
