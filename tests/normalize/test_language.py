"""The language of each comment, read together with its thread."""

from __future__ import annotations

import polars as pl
import pytest

from discourse.errors import UsageError
from discourse.normalize.language import detect_languages
from discourse.normalize.language_models import LanguageModels, sure_languages
from discourse.normalize.scripts import left_by_script

ENGLISH = [
    "I think that the council should have asked us before they put up those cameras.",
    "Nobody on our street wanted this, and the mayor knew it from the start.",
    "My neighbour says it is only about traffic, but I do not believe a word of it.",
    "They said the same thing about the lamp posts two years ago, remember?",
    "Honestly I would rather have a working bus line than another pilot project.",
    "This is the third time that they have changed the story in a single month.",
]
CANDIDATES = ("en", "es", "fr", "de", "it", "tr", "pl")


def detect(texts: list[str | None], candidates: tuple[str, ...] = CANDIDATES) -> list[tuple[str | None, float | None]]:
    """Detect the languages of one thread."""
    frame = pl.DataFrame({"thread_id": ["t"] * len(texts), "text": pl.Series(texts, dtype=pl.String)})
    return list(detect_languages(frame, candidates).iter_rows())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("lol yes", "en"),
        ("ok", "en"),
        ("no", "en"),
        ("Creo que el gobierno nos oculta la verdad sobre esto.", "es"),
        ("Das ist doch Unsinn", "de"),
        ("これは日本語です", "ja"),
        ("한국어 댓글입니다", "ko"),
        ("Это по-русски", "ru"),
    ],
)
def test_short_texts_follow_their_thread_and_clear_ones_do_not(text: str, language: str) -> None:
    """Short texts follow their thread and clear ones do not."""
    found, confidence = detect([*ENGLISH, text])[-1]
    assert found == language
    assert confidence is not None
    assert 0 < confidence <= 1


def test_short_texts_are_less_sure_than_long_ones() -> None:
    """Short texts are less sure than long ones."""
    found = detect([*ENGLISH, "ok"])
    assert found[-1][1] is not None
    assert found[0][1] is not None
    assert found[-1][1] < found[0][1]


@pytest.mark.parametrize("text", ["😂😂", "42", "https://example.org/les-gens-de-la-rue", "B", "@someone"])
def test_what_has_no_words_gets_the_language_of_its_thread_without_confidence(text: str) -> None:
    """What has no words gets the language of its thread without confidence."""
    assert detect([*ENGLISH, text])[-1] == ("en", 0.0)


def test_no_text_has_no_language() -> None:
    """No text has no language."""
    assert detect([None, *ENGLISH])[0] == (None, None)


def test_threads_do_not_speak_for_each_other() -> None:
    """Threads do not speak for each other."""
    spanish = ["Creo que el gobierno nos oculta la verdad sobre esto y nadie dice nada."] * 6
    texts = [*ENGLISH, "no", *spanish, "no"]
    frame = pl.DataFrame({"thread_id": ["a"] * 7 + ["b"] * 7, "text": texts})
    found = detect_languages(frame, CANDIDATES)["language"]
    assert (found[6], found[13]) == ("en", "es")


def test_one_candidate_is_enough() -> None:
    """One candidate is enough."""
    assert [language for language, _ in detect([*ENGLISH, "これは日本語です"], ("en",))] == ["en"] * 6 + ["ja"]


@pytest.mark.parametrize("candidates", [(), ("english",), ("en", "zz")])
def test_unknown_or_no_candidates_are_usage_errors(candidates: tuple[str, ...]) -> None:
    """Unknown or no candidates are usage errors."""
    with pytest.raises(UsageError, match="languages"):
        detect(["hello"], candidates)


def test_no_comments_have_no_languages() -> None:
    """No comments have no languages."""
    empty = pl.DataFrame(schema={"thread_id": pl.String, "text": pl.String})
    assert len(detect_languages(empty, CANDIDATES)) == 0


SENTENCES = {
    "en": "If they had published the figures last year, nobody would be arguing about them today.",
    "es": "Si hubieran publicado las cifras el año pasado, hoy nadie estaría discutiendo sobre ellas.",
    "fr": "S'ils avaient publié les chiffres l'année dernière, personne n'en discuterait aujourd'hui.",
    "de": "Hätten sie die Zahlen im letzten Jahr veröffentlicht, würde heute niemand darüber streiten.",
    "it": "Se avessero pubblicato i dati l'anno scorso, oggi nessuno ne starebbe discutendo.",
    "pt": "Se tivessem publicado os números no ano passado, hoje ninguém estaria a discutir isso.",
    "nl": "Als ze de cijfers vorig jaar hadden gepubliceerd, zou er vandaag niemand over ruziën.",
    "pl": "Gdyby opublikowali liczby w zeszłym roku, dziś nikt by się o nie nie kłócił.",
    "ru": "Если бы они опубликовали цифры в прошлом году, сегодня никто бы о них не спорил.",
    "ar": "لو نشروا الأرقام في العام الماضي لما تجادل أحد حولها اليوم.",
    "he": "אם היו מפרסמים את המספרים בשנה שעברה, אף אחד לא היה מתווכח עליהם היום.",
    "tr": "Rakamları geçen yıl açıklasalardı bugün kimse bunları tartışmazdı.",
}
SHORT = {"de": "wen kümmert das", "he": "לא שוב", "it": "grazie mille", "pl": "kogo to obchodzi", "ru": "опять"}


def test_every_default_language_is_read_by_itself() -> None:
    """A plain sentence is read with near certainty, a few words at least rightly."""
    models = LanguageModels(tuple(SENTENCES))
    found = models.confidences(pl.Series(SENTENCES.values()))
    assert [models.codes[place] for place in found.argmax(axis=1)] == list(SENTENCES)
    assert found.max(axis=1).min() > 0.99
    few = models.confidences(pl.Series(SHORT.values()))
    assert [models.codes[place] for place in few.argmax(axis=1)] == list(SHORT)


def test_confidences_sum_to_one_or_are_none_at_all() -> None:
    """Whatever answers, a row is a distribution; a script of no candidate gives zeros."""
    models = LanguageModels(CANDIDATES)
    found = models.confidences(pl.Series([*SENTENCES.values(), *SHORT.values(), "これは日本語です ok then"]))
    total = found.sum(axis=1)
    assert ((abs(total - 1) < 1e-9) | (total == 0)).all()
    assert (total == 0).sum() == 5


@pytest.mark.parametrize(
    ("text", "candidates", "left"),
    [
        ("Это по-русски, 100%!", ("en", "ru"), "ru"),
        ("Это по-русски", ("en", "ru", "uk"), None),
        ("Это по-русски", ("en", "he"), ""),
        ("لـــكن", ("en", "ar", "he"), "ar"),
        ("カレーを食べる", ("zh", "ja"), "ja"),
        ("食事", ("zh", "ja"), None),
        ("食事", ("zh", "en"), "zh"),
        ("これは食事です", ("zh", "en"), ""),
        ("plain words", ("en", "ru", "he"), "en"),
        ("plain words", ("en", "fr", "ru"), None),
        ("plain words", ("ru",), ""),
        ("plain слова", ("en", "ru"), None),
        ("⠓⠑⠇ ᚠᚢᚦ", ("en", "ru"), None),
    ],
)
def test_a_script_leaves_the_candidates_written_in_it(text: str, candidates: tuple[str, ...], left: str | None) -> None:
    """A script leaves the candidates written in it; mixed and unknown scripts leave it to the models."""
    assert left_by_script(pl.Series([text]), candidates).to_list() == [left]


def test_close_languages_and_few_letters_are_left_to_lingua() -> None:
    """CLD2 is not believed where it confuses two candidates, on a handful of letters, or in a mix of languages."""
    slovak = "Nemyslím si, že nám mesto povedalo všetko o nových kamerách na našej ulici, a pochybujem o tom."
    mix = SENTENCES["es"] + " " + SENTENCES["en"]
    texts = pl.Series([slovak, "Nemyslím", mix, "\x01\ufdd0" * 20 + "hello", SENTENCES["en"]])
    assert sure_languages(texts, ("en", "es", "sk")).tolist() == [2, -1, -1, -1, 0]
    assert sure_languages(texts, ("en", "es", "sk", "cs")).tolist() == [-1, -1, -1, -1, 0]
