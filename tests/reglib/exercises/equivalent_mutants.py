"""Changes of right answers that are right answers too: what they look like, and why.

Pairs of a pattern of ``line before -> line after`` and a reason: for all functions, and for each.
"""

_AT_THE_THRESHOLD = "where |w| equals the threshold, both sides of the comparison give 0"

ANYWHERE: tuple[tuple[str, str], ...] = (
    (r"^\w+ = check_array\(", "what comes in is checked, and is as it should be"),
)

EQUIVALENT: dict[str, tuple[tuple[str, str], ...]] = {
    "l1_penalty": (
        (r"W\.tolist\(\) -> .* in W for|for row in W for x in row", "rows of arrays are iterable"),
    ),
    "soft_threshold": (
        (r"> t.*-> .*>= t|< -t.*-> .*<= -t", _AT_THE_THRESHOLD),
        (r"-> .* / np.sign\(w\)", "1 / sign(w) is sign(w), and w = 0 takes the other branch"),
    ),
    "proximal_step": (
        (r"> lr \* lam.*-> .*>= lr|< -lr \* lam.*-> .*<= -lr", _AT_THE_THRESHOLD),
        (r"-> .* / \(1 if x > 0 else -1\)", "to divide by a sign is to multiply by it"),
        (r"1 if x > 0.*-> .*1 if x >= 0", "the sign of 0 is of no account"),
        (r"-> .*reshape\(grad\.shape\)", "grad has the shape of w"),
        (
            r"out=w\).*-> .*(out=grad\)|lr \* grad\))",
            "where the result is kept makes no difference",
        ),
    ),
}
