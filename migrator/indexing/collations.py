"""Collations of indexes: which locales MongoDB has, and which collations are the same to it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches

# MongoDB manual, Collation Locales and Default Parameters; the same from 3.4 to 8.
_LOCALES = frozenset(
    (
        *("af", "am", "ar", "as", "az", "be", "bg", "bn", "bo", "bs", "bs_Cyrl", "ca", "chr", "cs", "cy", "da", "de"),
        *("de_AT", "dsb", "dz", "ee", "el", "en", "en_US", "en_US_POSIX", "eo", "es", "et", "fa", "fa_AF", "fi", "fil"),
        *("fo", "fr", "fr_CA", "ga", "gl", "gu", "ha", "haw", "he", "hi", "hr", "hsb", "hu", "hy", "id", "ig", "is"),
        *("it", "ja", "ka", "kk", "kl", "km", "kn", "ko", "kok", "ky", "lb", "lkt", "ln", "lo", "lt", "lv", "mk", "ml"),
        *("mn", "mr", "ms", "mt", "my", "nb", "ne", "nl", "nn", "or", "pa", "pl", "ps", "pt", "ro", "ru", "se", "si"),
        *("sk", "sl", "smn", "sq", "sr", "sr_Latn", "sv", "sw", "ta", "te", "th", "to", "tr", "ug", "uk", "ur", "vi"),
        *("wae", "yi", "yo", "zh", "zh_Hant", "zu"),
    )
)
SIMPLE = "simple"  # text compared byte by byte: no collation
_DEFAULT_STRENGTH = 3


# Those whose language has rules of its own for upper and lower case.
_OTHER_CASE = ("tr", "az", "lt")
# Those that compare Latin letters without accents as Unicode does, with no letter of their own such as å or ñ.
_NO_LETTERS_OF_THEIR_OWN = frozenset(("de", "en", "en_US", "fr", "fr_CA", "it", "nl", "pt"))
_CASE_STRENGTH, _ACCENT_STRENGTH = 3, 2


def is_locale(name: str) -> bool:
    """Whether MongoDB has the locale. Variants (`de@collation=phonebook`) are not looked at."""
    return name == SIMPLE or name.partition("@")[0] in _LOCALES


def near_locale(name: str) -> str:
    """The locale that was probably meant: `en` for `en_GB`; "" for none."""
    language = name.replace("-", "_").partition("_")[0].lower()
    if language in _LOCALES:
        return language
    return next(iter(get_close_matches(name, sorted(_LOCALES), n=1)), "")


def parts(collation: str | None) -> tuple[str, int] | None:
    """Locale and strength of an index's collation, by which MongoDB tells collations apart; None for byte by byte."""
    if collation is None:
        return None
    locale, strength = collation, _DEFAULT_STRENGTH
    if collation.startswith("{"):
        spec = json.loads(collation)
        locale, strength = spec["locale"], spec["strength"]
    return None if locale == SIMPLE else (locale, strength)


def ignores_case(collation: str | None) -> bool:
    """Whether text that differs in case only is surely the same."""
    found = parts(collation)
    return found is not None and found[1] < _CASE_STRENGTH and found[0].partition("_")[0] not in _OTHER_CASE


def ignores_accents(collation: str | None) -> bool:
    """Whether Latin text that differs in accents only is surely the same."""
    found = parts(collation)
    return found is not None and found[1] < _ACCENT_STRENGTH and found[0] in _NO_LETTERS_OF_THEIR_OWN


def text_key(text: str, locale: str, strength: int) -> str:
    """Text in a form that is the same only for texts that are surely the same under a collation."""
    collation = json.dumps({"locale": locale, "strength": strength})
    if ignores_case(collation):
        text = text.casefold()
    if ignores_accents(collation):
        text = "".join(_without_accents(unicodedata.normalize("NFD", text)))
    return unicodedata.normalize("NFC", text)


def _without_accents(decomposed: str) -> Iterator[str]:
    """Of other scripts the marks may make other letters, as of и and й."""
    latin = False
    for character in decomposed:
        if not "\u0300" <= character <= "\u036f":
            latin = unicodedata.name(character, "").startswith("LATIN")
            yield character
        elif not latin:
            yield character
