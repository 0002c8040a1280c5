"""Cheap truths about answers, in several languages."""
# ruff: noqa: RUF001

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.finetune.evaluation.truths import (
    cheap_truths,
    cut_by_limit,
    empty,
    endless_repetition,
    other_script,
    repeats_prompt,
)

ENGLISH = "The ship left the harbour at dawn, and the captain saw the ring on the table beside the old map."
ANSWERS = [
    ENGLISH,
    "Das Schiff verließ den Hafen im Morgengrauen, und der Kapitän sah den Ring neben der alten Karte.",
    "Корабль вышел из гавани на рассвете, и капитан увидел кольцо на столе рядом со старой картой.",
    "船在黎明时离开了港口,船长看到了放在旧地图旁边桌子上的戒指,然后他把它收了起来。",
    "船は夜明けに港を出て、船長は古い地図のそばの机の上にある指輪を見つけた。",
    "배는 새벽에 항구를 떠났고, 선장은 낡은 지도 옆 탁자 위에 놓인 반지를 보았다.",
    "غادرت السفينة الميناء عند الفجر، ورأى القبطان الخاتم على الطاولة بجانب الخريطة القديمة.",
    "जहाज़ भोर में बंदरगाह से निकला और कप्तान ने पुराने नक्शे के पास मेज़ पर अंगूठी देखी।",
    "เรือออกจากท่าตอนรุ่งสาง และกัปตันเห็นแหวนบนโต๊ะข้างแผนที่เก่า",
    "Το πλοίο άφησε το λιμάνι την αυγή, και ο καπετάνιος είδε το δαχτυλίδι δίπλα στον χάρτη.",
]
LETTERS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1)


@pytest.mark.parametrize("answer", ANSWERS)
def test_of_a_good_answer_none_holds_in_any_language(answer: str) -> None:
    assert cheap_truths(answer[:20] + "?", answer, 40, 200) == dict.fromkeys(
        ("empty", "repeats_prompt", "endless_repetition", "cut_by_limit", "other_script"), False
    )


@pytest.mark.parametrize("answer", ["", " \n\t", "\u00a0\u3000", "\u200b\ufeff", "\x00"])
def test_an_answer_in_which_nothing_can_be_read_is_empty(answer: str) -> None:
    assert empty(answer)


@given(LETTERS)
def test_an_answer_with_a_letter_is_not_empty(answer: str) -> None:
    assert not empty(f"  {answer}\n")


@pytest.mark.parametrize("answer", ["42", "👍", ".", "是"])
def test_a_short_answer_is_not_empty(answer: str) -> None:
    assert not empty(answer)


@pytest.mark.parametrize("prompt", [*ANSWERS, "Hi"])
def test_the_prompt_again_is_a_repetition_whatever_its_blanks_and_case(prompt: str) -> None:
    assert repeats_prompt(prompt, f"  {prompt.upper()}\n".replace(" ", "  "))


@pytest.mark.parametrize("prompt", ANSWERS)
def test_an_answer_that_begins_with_the_whole_prompt_repeats_it(prompt: str) -> None:
    assert repeats_prompt(prompt, prompt + " 42 " * 3)
    assert repeats_prompt(prompt, prompt[: len(prompt) * 3 // 4])


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("What is the title of this text? The Ring. " + ENGLISH, "The Ring."),
        ("Say yes", "Yes"),
        ("Hi", "Hi there! How can I help you today?"),
        (ENGLISH, ""),
        ("", ENGLISH),
        ("", ""),
    ],
)
def test_a_quotation_a_greeting_and_nothing_do_not_repeat_the_prompt(prompt: str, answer: str) -> None:
    assert not repeats_prompt(prompt, answer)


@given(LETTERS)
def test_every_text_repeats_itself(text: str) -> None:
    assert repeats_prompt(text, text)


@pytest.mark.parametrize(
    "loop",
    [
        "the ",
        "and so on, ",
        "ha",
        "a",
        "哈哈,",
        "はい、",
        "ครับ",
        "да, да и ",
        "0",
        "I am sorry, but I cannot do that. ",
        ENGLISH + " ",
    ],
)
@pytest.mark.parametrize("head", ["", "Well, to begin with: "])
def test_a_loop_at_the_end_is_endless_in_any_script(loop: str, head: str) -> None:
    assert endless_repetition(head + loop * 60)
    assert endless_repetition(head + loop * 60 + loop[: len(loop) // 2])


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "No, no, no, no!",
        "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream.",
        " ".join(str(number) for number in range(200)),
        "\n".join(f"{number}. Add the {thing}." for number, thing in enumerate(ENGLISH.split(), 1)),
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |",
    ],
)
def test_songs_lists_and_tables_are_not_endless(answer: str) -> None:
    assert not endless_repetition(answer)


@given(loop=LETTERS, times=st.integers(40, 60))
def test_whatever_is_said_forty_times_is_endless(loop: str, times: int) -> None:
    assert endless_repetition(f"{loop} " * times)


@given(st.text())
def test_no_text_breaks_a_truth(text: str) -> None:
    assert set(map(type, cheap_truths(text, text[::-1], 3, 4).values())) == {bool}


def test_an_answer_is_cut_if_it_took_every_token() -> None:
    assert cut_by_limit(200, 200)
    assert not cut_by_limit(199, 200)
    assert not cut_by_limit(0, 1)


@pytest.mark.parametrize(("tokens", "limit"), [(201, 200), (-1, 200), (0, 0)])
def test_a_number_of_tokens_that_cannot_be_is_an_error(tokens: int, limit: int) -> None:
    with pytest.raises(ValueError, match="count the tokens that were generated"):
        cut_by_limit(tokens, limit)


@pytest.mark.parametrize("prompt", ANSWERS)
def test_an_answer_in_another_script_is_seen_and_one_in_the_same_script_is_not(prompt: str) -> None:
    for answer in ANSWERS:
        assert other_script(prompt, answer) is (script(prompt) != script(answer))


def script(text: str) -> int:
    """The first two share Latin letters, the Chinese and the Japanese text share Han."""
    return {0: 0, 1: 0, 3: 3, 4: 3}.get(ANSWERS.index(text), ANSWERS.index(text))


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("2 + 2 = ?", "четыре"),
        ("What is this?", "42 %, 👍"),
        ("What is this?", ""),
        ("写一个Python函数", "def f(x): return x"),
        ("What does привет mean?", "Привет is Russian for hello."),
        ("Is it cold?", "Yes, 5 µm and ＡＢＣ"),
        ("Which word?", "The word is ναι, which means yes."),
    ],
)
def test_numbers_code_and_single_foreign_words_are_not_another_script(prompt: str, answer: str) -> None:
    assert not other_script(prompt, answer)
