"""On which terms the named data sets may be used: what a card says of a model of them."""

__all__ = ["Terms", "terms_of"]

from typing import NamedTuple


class Terms(NamedTuple):
    """The terms of a data set.

    Attributes:
        title: What the data set is called.
        licence: Its licence as the Hub names it: an SPDX identifier in small letters, ``other``,
            or ``unknown``.
        text: The terms in words, with their source.
        dataset: Its name on the Hub; empty where there is none.
        link: Where the terms are, for the licence ``other``.
    """

    title: str
    licence: str
    text: str
    dataset: str = ""
    link: str = ""


MNIST = Terms(
    "MNIST",
    "cc-by-sa-3.0",
    "MNIST, copyright Yann LeCun and Corinna Cortes, is commonly passed on under"
    " [CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/); its page on the Hub says"
    " MIT.",
    "ylecun/mnist",
)
FASHION = Terms(
    "Fashion-MNIST",
    "mit",
    "Fashion-MNIST, copyright Zalando SE, is under the"
    " [MIT licence](https://github.com/zalandoresearch/fashion-mnist/blob/master/LICENSE).",
    "zalando-datasets/fashion_mnist",
)
DIGITS = Terms(
    "digits of scikit-learn",
    "cc-by-4.0",
    "The small digits inside scikit-learn (BSD 3-Clause) are the test set of Optical Recognition of"
    " Handwritten Digits by E. Alpaydin and C. Kaynak in the"
    " [UCI Machine Learning Repository](https://archive.ics.uci.edu/dataset/80), which passes its"
    " data on under [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/).",
    "sklearn-docs/digits",
)
CELEBA = Terms(
    "CelebA",
    "other",
    "CelebA is for **non-commercial research only**: its"
    " [agreement](https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html) forbids to exploit the images,"
    " or anything derived from them, for commercial purposes, and to pass the images on. The images"
    " are from the Internet and not the property of its makers. The samples look like photographs"
    " of faces: do not present them as pictures of persons.",
    "flwrlabs/celeba",
    "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
)
KNOWN = {"mnist": MNIST, "fashion-mnist": FASHION, "digits": DIGITS}


def terms_of(data: str) -> Terms:
    """The terms of the data that a model names, told by that name alone."""
    name = data.lower()
    if name in KNOWN:
        return KNOWN[name]
    if "celeba" in name:
        return CELEBA
    text = (
        f"The terms of the data, called `{data or 'nothing'}`, are not known to the program that"
        " wrote this card. **To the author: say here what they are, whose images they show, and"
        " what may be done with a model of them.**"
    )
    return Terms(data or "unnamed images", "unknown", text)
