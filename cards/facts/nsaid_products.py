"""Products of the four NSAIDs whose daily dose is judged, by RxNorm code.

Of value set nsaid-oral; every row there that names one of the four ingredients is listed here once.
"""

from __future__ import annotations

from cards.codes import RXNORM
from cards.record import Concept

# Ingredient, or its salt where labels count the salt → products of it alone.
_PRODUCTS: dict[str, str] = {
    "ibuprofen": """
        5640 141993 153008 197803 197804 197805 197806 197807 198405 201126 201142 201152
        202098 204442 206878 206886 206905 206913 206917 227159 250418 310963 310964 310965
        314047 380813 541713 544393 606990 643102 644386 731529 731531 731533 731535 731536
        792242 806013 850424 854760 854762 900434 1190622 1300267 2673691
    """,
    "naproxen": """
        7258 105898 105899 105914 105918 198012 198013 198014 199490 207093 245420 311913
        311915 603103 608793 835560 1116320 1116331 1116339 1116341 1116349 1116351 1608797
    """,
    "naproxen sodium": """
        142442 849398 849400 849431 849438 849574 849728 849737 849752 1112231 1112233
    """,
    "diclofenac": """
        3355 40968 81997 203214 411846 411848 855657 855659 855664 855666 855906 855907
        855926 855928 855942 855944 857689 857696 857698 857702 857703 857709 857713 858342
        858346 859063 859066 1088257 1088258 1234493 1442116 1442122 1442128 1442130 2584350
    """,
    "celecoxib": """
        140587 205322 205323 213468 213469 349514 352314 686379 686381 2373454 2373460
        2721529 2721535
    """,
}
# Products that hold one of them beside another drug: whose milligrams are stated is not known.
_COMBINED = """
    214502 214627 214652 284641 401976 404789 484259 644895 797426 849450 849452 855918
    857706 858770 858772 858778 858780 858784 858798 858838 859315 859317 859331 895664
    895666 901814 901818 902633 994005 994007 994008 994010 994202 997164 997165 997280
    1007329 1049589 1049591 1100065 1100066 1100070 1292323 1297369 1297390 1297392 1299018
    1299020 1299021 1299022 1299089 1310487 1310502 1310503 1310509 1359105 1359107 1359109
    1367426 1367428 1369775 1369777 1372705 1373034 1542988 1550956 1550957 1550963 1653765
    2047715 2047716 2047717 2049593 2184152 2266816 2266818 2387532 2588474 2588478 2588484
    2600046 2669475 2675760 2675765 2688461
"""

PRODUCTS = {name: frozenset(codes.split()) for name, codes in _PRODUCTS.items()}
COMBINED = frozenset(_COMBINED.split())


def ingredient(drug: Concept) -> str | None:
    """Which of the four NSAIDs (naproxen by salt) a product is; None for any other drug."""
    codes = _codes(drug)
    return next((name for name, products in PRODUCTS.items() if codes & products), None)


def is_combined(drug: Concept) -> bool:
    """Whether a product holds one of the four NSAIDs beside another drug."""
    return bool(_codes(drug) & COMBINED)


def _codes(drug: Concept) -> set[str]:
    return {coding.code for coding in drug.codings if coding.system == RXNORM}
