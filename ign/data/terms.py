"""The terms of use of the known data sets, for model cards."""

__all__ = ["Terms", "terms_of"]

from typing import NamedTuple


class Terms(NamedTuple):
    """The terms of a data set.

    Attributes:
        title: The name of the data set.
        licence: The identifier of the licence on the Hub: an SPDX identifier in lower case,
            ``other``, or ``unknown``.
        text: A description of the terms, with their source.
        dataset: The name of the data set on the Hub; empty if it has none.
        link: The address of the terms, for the licence ``other``.
    """

    title: str
    licence: str
    text: str
    dataset: str = ""
    link: str = ""


MNIST = Terms(
    "MNIST",
    "cc-by-sa-3.0",
    "MNIST, copyright Yann LeCun and Corinna Cortes, is commonly distributed under"
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
    " [UCI Machine Learning Repository](https://archive.ics.uci.edu/dataset/80), which distributes"
    " its data under [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/).",
    "sklearn-docs/digits",
)
CELEBA = Terms(
    "CelebA",
    "other",
    "CelebA is for **non-commercial research only**: its"
    " [agreement](https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html) forbids commercial use of the"
    " images and of anything derived from them, and forbids redistributing the images. The images"
    " come from the Internet and do not belong to the authors of the data set. The samples look"
    " like photographs of faces: do not present them as pictures of real people.",
    "flwrlabs/celeba",
    "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
)
KNOWN = {"mnist": MNIST, "fashion-mnist": FASHION, "digits": DIGITS}


def terms_of(data: str) -> Terms:
    """Return the terms of the data that a model was trained on, found by the name alone."""
    name = data.lower()
    if name in KNOWN:
        return KNOWN[name]
    if "celeba" in name:
        return CELEBA
    text = (
        f"The program that wrote this card does not know the terms of the data, which are named"
        f" `{data or 'nothing'}`. **To the author: state here what the images are, who is shown or"
        " owns them, and how a model trained on them may be used.**"
    )
    return Terms(data or "unnamed images", "unknown", text)
