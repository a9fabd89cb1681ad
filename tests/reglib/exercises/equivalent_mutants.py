"""Changes of right answers that are right answers too: what they look like, and why.

Pairs of a pattern of ``line before -> line after`` and a reason: for all functions, and for each.
"""

_AT_THE_THRESHOLD = "where |w| equals the threshold, both sides of the comparison give 0"

#: The number of examples is the length of X, Y and A3, and -1 is the last of two axes.
_EXAMPLES = (
    r"^(.*)\b\w+(\)|\.shape)\[1\](.*) -> \1\w+\2\[-?1\]\3$|^(.*)axis=1(.*) -> \4axis=-1\5$",
    "the number of examples, and their axis, are the same",
)
_NARROWED = (
    r"^(.*)np\.float32\((.*)\)(.*) -> \1\2\3$|^(.*), dtype=np\.float32(.*) -> \4\5$"
    r"|astype\(.*-> pass$",
    "an answer in float64 is right as well",
)
_CHECKED = (r"^_check_\w+\(", "what comes in is as it should be")
_FIRST = "the first loss always improves, which sets all of them"
_COUNTERS = (
    (
        r"^(.*)\b(inf|inf'\)|None|_epoch), -?\d.* -> |^(count|self\._epoch) = -?\d",
        "the first loss always improves, so that counting begins there",
    ),
    (
        r"([>=<!]= |< )\w*(self\.)?(options\[')?(patience|len\(losses\)|0|self\.epoch|best_epoch)",
        "a counter that goes up by one meets its bound exactly",
    ),
    (r"deepcopy\(weights\) -> ", "the caller's arrays are never changed by the test"),
)

_INTEGER_SHIFTS = "pixels move by whole numbers, so that nothing lies between them"

_INSIDE = (
    (r"^inside = .*& .*-> .*(\*|//) ", "for truth values, &, * and // are the same"),
    (r"(rows|columns)\.shape\[[01]\]", "the indices have the image's height and width"),
    (r"clip\([ab], 0, .*-> .*clip\([ab], -1, ", "what lies outside is set to 0 afterwards"),
)

_CLASSES = (
    r"^(.*)(axis=|\.shape\[)-{0,2}1(.*) -> \1\2-{0,2}1\3$",
    "classes are the second axis, and the last",
)
_AS_MANY = (
    r"^(.*)\b(x|y|logits|labels|probabilities)\b(.*) -> \1(x|y|logits|labels|probabilities)\3$",
    "there are as many targets as examples, and as many classes as logits",
)
_TRUTH = (r"^(.*) & (.*) -> \1 (\*|//) \2$", "for truth values, &, * and // are the same")
_HALF_OF_ODD = (
    r"^(.*)size // 2(.*) -> \1size / 2\2$",
    "no whole number lies between half of an odd size and the same rounded",
)

_BOUND = (
    r"^(.*[^<>=] [<>])=?( .*) -> \1=?\2$",
    "no random number, and no Z, is exactly at the bound",
)
_UNSEEN = (
    r"^return [(\[](.+?), (np\.ones|None|1).* -> return [(\[]\1, ",
    "no mask is looked at in evaluation",
)
_FAMILY = (
    _BOUND,
    _NARROWED,
    _UNSEEN,
    (r"spawn\(1\)\[0\].*-> .*(spawn\(2\)\[0\]|spawn\(1\)\[-1\])", "one child is like another"),
    (
        r"dtype=np\.float32\).*-> .*|np\.float32\((.*)\).*-> .*\1|^x, .*astype.* -> pass",
        "an answer in float64 is right as well",
    ),
)
_OTHER_CALLS = (
    r"\[1\].*-> .*\[-1\]|\)\[1\].*-> .*\)\[0\]|range\([34].*-> .*range\([2-5]",
    "masks and outputs of any few calls tell the same",
)

_SAME_SHAPE = ((r"(empty_like|ndindex)\((grad|m|v)\b", "all arrays of a step have the same shape"),)

ANYWHERE: tuple[tuple[str, str], ...] = (
    (r"^(.*), strict=True(.*) -> \1(, strict=False)?\2$", "the lengths are equal"),
    (r"^\w+ = check_array\(", "what comes in is checked, and is as it should be"),
)

EQUIVALENT: dict[str, tuple[tuple[str, str], ...]] = {
    "relative_error": (
        _NARROWED,
        (
            r"^largest = .*-> |^if largest == 0|^a, b = .*largest.*-> ",
            "what both are divided by first cancels; it keeps squares within the range of floats",
        ),
        (
            r"(> 0|== 0|!= 0).*-> .*(!= 0|<= 0)|^return np\.float64\(0\) ->",
            "norms are not negative",
        ),
        (r"a, b = .*-> a, b = .*(b.*a|float32)|^a, b = .*float32.*-> pass", "it is symmetric"),
        (r"else np\.float32\(0\) -> .*else 0$", "the same number"),
    ),
    "numerical_gradient": (
        (r"np\.zeros\(w\.shape\).*-> .*np\.ones\(w\.shape\)", "every entry is set"),
        (r"asarray\(w, float\).*-> |order='F'\) -> ", "w + step is an array of float64 as well"),
        (r"op_flags", "nothing is written through the iterator"),
    ),
    "directional_check": (
        (r"^u = .*rng\..*-> u = .*rng\.|^u /= .*-> pass", "any random direction serves"),
        (r"eps / u\)|grad / u\)", "where u is 1 or -1, to divide by it is to multiply"),
        (r"> 0 else.*-> .*!= 0 else|slopes\[-1\]", "the same number"),
        (r"^return relative_error\(.*-> return relative_error\(", "both are symmetric"),
        (r"\* sign for.*-> .*(/ sign for|\(-1, 1\))", "signs, in any order"),
        (r"zip\(step\.ravel\(\), grad", "a product of two"),
    ),
    "frozen": ((r"np\.float32\(loss\(.*-> ", "rounding alone"),),
    "layer_backward": (
        _NARROWED,
        (r"> 0.*-> .*>= 0|heaviside", "no z is exactly 0"),
        (r"kind == '(\w+)'.*-> .*kind [<>]= '\1'", "the others come before it, or behind"),
        (r"errstate|-> t = 2 / \(1 \+ np\.exp\(-?-?2 \* z", "neither warnings nor signs count"),
        (r"np\.float32\(0\.5\).*-> |^x, W, d = .*float32", "float64 is right as well"),
        (r"\[z \* 0 \+ 1.*-> .*\[(0 \+ )?1,", "one number for all"),
        (r"1e-06.*-> .*-1e-06", "the two points are exchanged twice"),
    ),
    "cutout": (
        _TRUTH,
        _HALF_OF_ODD,
        _NARROWED,
        (r"spawn\(1\)\[0\] -> .*(spawn\(2\)\[0\]|\[-1\])$", "the first child, of one or two"),
        (r"\*= 0 -> .* = 0$|\(1,\) \* .* -> .*\(-1,\)", "0 times a number; an axis of length 1"),
    ),
    "cutmix": (
        _NARROWED,
        _TRUTH,
        (r"spawn\(1\)\[0\] -> .*(spawn\(2\)\[0\]|\[-1\])$", "the first child, of one or two"),
        (r"np\.floor\((.*)\)\.astype.* -> .*\(\1\)\.astype", "astype(int) rounds down"),
        (r"rng\.random\(.* -> .*standard_normal", "the order of any numbers is a permutation"),
        (
            r"len\(images\).* -> .*len\(y\)|images\.shape\[0\].* -> .*y\.shape",
            "one target an image",
        ),
        (
            r"^side = .* -> side = (np\.sqrt\((1 \* )?lam\)|\(?(1 \* )?rng\.beta\(.*\*\* 0\.5)$"
            r"|^bh, bw = .*floor.* -> .*np\.sqrt\((1 \* )?lam\)",
            "lam and 1 - lam have the same distribution, and the area counts",
        ),
        (r"[hw] // 2 -> .*[hw] / 2$", "no whole number lies between half of an odd side and it"),
        (r"\*\[1\] .* -> .*\*\[-1\]|== 4.* -> .*>= 4", "there is one axis of channels at most"),
        (r"^rng = rng\.spawn.* -> pass", "the generator itself will do as well as its child"),
        (
            r"min\(.*\b(height|width|h|w)\).* -> .*",
            "a slice ends with the array, and so does its area",
        ),
    ),
    "mixup": (
        _AS_MANY,
        _NARROWED,
        (r"^x, y = \(x\.astype.* -> pass$", "an answer in float64 is right as well"),
        (r"dirichlet", "lam and 1 - lam have the same distribution, and are the only two"),
        (r"rng\.random\(.* -> .*standard_normal", "the order of any numbers is a permutation"),
    ),
    "smooth_labels": (
        _CLASSES,
        _NARROWED,
        (r"np\.ones\(\(K, K\)\)\)$", "to divide by 1, or to leave 1 out, changes nothing"),
        (r"eps / K \* np\.ones.* -> .*eps / K\)$", "a number is added to every entry"),
    ),
    "smoothed_crossentropy_gradient": (
        _CLASSES,
        _AS_MANY,
        _NARROWED,
        (r"z - np\.max\(z,.* -> .*\b(logits)\b", "z is logits there"),
        (r"eps \* np\.ones\(K\) / K", "to multiply by 1, or raise to it, changes nothing"),
        (r"reshape\(-1, 1\) -> .*reshape\(-2", "NumPy takes any negative number for the rest"),
    ),
    "expected_calibration_error": (
        _CLASSES,
        _AS_MANY,
        _TRUTH,
        _NARROWED,
        (r"^labels = _classes\(", "what comes in is checked, and is as it should be"),
        (r"edges\[:-1\].* -> .*edges\[:\]", "zip ends with the shorter of the two"),
        (r"low\) & .*|edges\[b\] <= conf", "no confidence lies on an edge, but 1 in the last bin"),
        (r"edges\[-1\] [+/]= ", "the last edge is above 1"),
        (r"inside\.sum\(\) > 0|len\(here\) == 0|^continue", "an empty bin adds nothing"),
        (r"np\.floor\((.*)\)\.astype.* -> .*\(\1\)\.astype", "astype(int) rounds down"),
        (
            r"digitize.* -> .*(digitize|clip)\(.*, (-1|0), bins|-> which = np\.dig",
            "nothing to clip",
        ),
        (r"append\(\(said == label, p\[said\]\)\)", "the distance is the same from either side"),
        (r"flatnonzero\((.*)\) -> .*= \1$", "a mask picks what its indices pick"),
        (r"np\.equal\(", "equality has no order"),
        (r"np\.arange\(1, bins\) / bins\) -> .*arange\((0|-1), ", "a split before all is empty"),
    ),
    "augmented_set": (
        _NARROWED,
        (
            r"parts\[::-1\].*->|\+ \[\[f\(image\)",
            "the order of the images is free; so is their type",
        ),
        (r"reshape\(-1.*-> .*reshape\(-2", "NumPy takes any negative number for the rest"),
        (r"len\(images\).*-> .*len\(labels\)|np\.empty\(len\(out\)\)$", "labels are as many"),
    ),
    "generalization_gap": (_NARROWED,),
    "accuracy_standard_error": (_NARROWED,),
    "paired_difference": (_CHECKED,),
    "split_and_scale": (
        _NARROWED,
        (r"== 1 -> .*<= 1", "each row agrees with itself at least"),
        (r"axis=1\).*-> .*axis=-1\)", "the last of two axes"),
    ),
    "fit_with_early_stopping": (
        *_COUNTERS,
        _NARROWED,
        (
            r"^(best_epoch, best, kept|best, wait|w, records, wait) = |w, np\.inf, patience\) -> ",
            _FIRST,
        ),
        (r"epochs == 0.*-> .*<= 0|wait == 0.*-> .*<= 0", "neither is ever negative"),
        (r"!= epochs|left <= 0|wait == patience|epoch == patience", "they go by one at a time"),
        (r"np\.float32\(lr\).*-> .* lr \*|\[-1\]\[1\] -> .*\[-1\]\[-1\]", "the same values"),
    ),
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
    "lasso_fit": (
        _EXAMPLES,
        _NARROWED,
        (r"len\(y\).*-> .*len\(X\)|-> .*y\.shape\[0\]", "there are as many labels as examples"),
        (r"0 \* X\[0\] -> .*(/ X\[0\]|\* X\[-?1\])", "0 times or by what is not 0 is 0"),
        (
            r"np\.float32\((.*)\).*-> .*\1|float32.*-> pass|, 'float32'\)",
            "float64 is right as well",
        ),
        (r"\[0\.0\] \* X\.shape\[-1\]", "-1 is the last of two axes"),
    ),
    "adam_l2_step": _SAME_SHAPE,
    "adamw_step": _SAME_SHAPE,
    "max_norm_project": (
        (r"norms? > c.*-> .*norms? >= c", "at the limit the factor is 1"),
        (r"clip\(norms, -1, c\)", "a norm is never negative"),
        (r"\(norms [-+] -?1e-09\)$", "a billionth is rounding, and keeps 0 / 0 away as well"),
    ),
    "non_negative_fit": (
        _EXAMPLES,
        (r"len\(y\).*-> .*len\(X\)|-> .*y\.shape\[0\]", "there are as many labels as examples"),
        (r"0 \* X\[0\] -> .*(/ X\[0\]|\* X\[-?1\])", "0 times or by what is not 0 is 0"),
        (r"X\.shape\[-1\]", "-1 is the last of two axes"),
        (r"w <= 0\] = 0|v >= 0, v, 0", "where a weight is 0, both sides give 0"),
    ),
    "l2_penalty": (_NARROWED,),
    "compute_cost_with_regularization": (
        _EXAMPLES,
        _NARROWED,
        (r"-> def |-> .*'W2', 'W1', 'W3'", "neither a type nor the order of a sum counts"),
        (r"Y == 1.*-> .*Y >= 1", "no label is above 1"),
        (r"^return np.squeeze\((.*)\) -> return \1$", "an array of one number is a number"),
    ),
    "backward_propagation_with_regularization": (
        _EXAMPLES,
        _NARROWED,
        (
            r"^(.*)np\.int64\((.*)\)(.*) -> \1\2\3$|copy=True.*-> .*dZ2\)(, copy=False)?\)$",
            "a copy",
        ),
        (r"-> def |d @ A.*-> .*d \* A", "the values are the same"),
        (r"> 0.*-> .*!= 0|> 1.*-> .*!= 1|Z1 <= 0.*-> .*Z1 < 0", "activations are not negative"),
        (r"f'dA\{.*-> .*= dA = W\.T @ dZ$", "other entries of the dict are of no account"),
        (r"-> for .* in (\(2, 1, 3\)|\(\(2, dZ2, A1, W2, b2\), \(1)", "the order is of no account"),
        (r"cache\[6\].*-> .*cache\[-6\]", "the sixth of twelve, from either end"),
    ),
    "penalized_step": (
        _NARROWED,
        (r"== 'W'.*-> .*<= 'W'|len\(parameters\).*-> .*len\(gradients\)", "W comes before b"),
        (r"np\.float32\((.*)\).*-> .*\1", "an answer in float64 is right as well"),
    ),
    "ridge_closed_form": (
        _EXAMPLES,
        _NARROWED,
        (r"np.linalg.cond|^size = |^raise ", "the problems are far from those that are refused"),
        (r"len\(y\).*-> .*len\(X\)", "X and y have as many rows"),
        (r"^(.*), rcond=None(.*) -> \1\2$", "no singular value is small"),
    ),
    "map_lambda": (_NARROWED,),
    "stop_epoch": (
        _NARROWED,
        *_COUNTERS,
        (r"min_delta=0\.0\)", "min_delta is always given"),
        (r"range\(1, .*-> .*range\(0, ", "epoch 0 is the best one so far"),
        (r"^return np\.int64\(epoch\)|after\(0, np\.inf, 0\)", "the same number"),
    ),
    "EarlyStopping": (
        _NARROWED,
        *_COUNTERS,
        (r"self\.left, self\.weights = \(None, patience, None\) -> ", "set by the first loss"),
        (r"best_epoch, weights = \(np\.inf, -1, -1, None\) -> ", "set by the first loss"),
        (r"^loss = np\.float32|^return np\.bool_|\(self\.best_epoch or 0\)", "the same value"),
    ),
    "shift": (
        _NARROWED,
        (r"abs\(d[yx]\) < (height|width).*-> .*abs\(d[yx]\) <= ", "a part of no pixels is 0"),
        (r"d([yx]) > 0 else.*-> .*d\1 (>= 0|> -1) else", "for 0, slice(0, None) is set to 0 first"),
        (r"^inside = .*& .*-> .*\* ", "for truth values, & and * are the same"),
        (r"ndimage\.shift\(.*order=0\) -> ", _INTEGER_SHIFTS),
    ),
    "horizontal_flip": ((r"zeros_like.*-> .*ones_like", "every pixel is set"),),
    "random_crop": (
        _NARROWED,
        (r"choice\(range\((.*)\)\) -> .*choice\(\1\)$", "choice takes a number for its range"),
        (r"^rng = rng\.spawn", "one child, another or none: all are random"),
        (r"permutation\(.*\[0\] -> .*\[-1\]$", "the last of a permutation is as random"),
        (r"ascontiguousarray\((.*), np\.float32\) -> .*\1", "the same values"),
        (r"ndim == 2 .*-> .*ndim <= 2", "an image has two axes or three"),
    ),
    "zoom": (
        _NARROWED,
        *_INSIDE,
        (r"np\.pad\(.*\(1, 2\)|clip\([ab], -1, .*-> .*clip\([ab], -2, ", "a wider frame of 0"),
        (r"\*\[1\] \* .*-> .*\*\[-1\] \*", "NumPy works one length out"),
        (r"np\.float32\(\(", "the same number"),
    ),
    "rotate": (
        _NARROWED,
        *_INSIDE,
        (r"degrees % 360\) -> .*\(degrees( [-+] 360| % -360)?\)$", "360 degrees are none"),
        (r"ndim == 2 .*-> .*ndim <= 2", "an image has two axes or three"),
        (r"np\.float32\(degrees\)", "the same number"),
        (r"reshape\(.*-> .*reshape\((-2, 1|2, -[12])\)", "NumPy works one length out"),
    ),
    "adjust_contrast": (
        (r"\(0, 1\).*-> .*\(1, 0\)", "the order of the axes of a mean is of no account"),
        (r"keepdims=True.*-> ", "the remaining axes broadcast as well"),
        (r"ndim == 2.*-> .*ndim <= 2", "an image has two axes or three"),
        (r", -1\) -> .*, -2\)$", "NumPy takes any negative length for the one to work out"),
        (r"\[out (< 0|> 1)\].*-> .*\[out (<= 0|>= 1)\]", "what is 0 or 1 stays so"),
    ),
    "label_safe": (
        (r"List\('images', Image\(\)\)", "what comes in is checked"),
        (r"task\[1\].*-> .*task\[-1\]", "the second of two is the last"),
        (r"^safe &= .*-> safe \*= ", "for truth values, & and * are the same"),
        (r"== len\(images\) -> .*>= len\(images\)", "no more than all can be safe"),
    ),
    "gradient_descent_shrinkage": (
        _NARROWED,
        (r"np\.zeros\(1\)", "where a sum begins makes no difference"),
        (r"np\.float32\(lr\)", "the same number"),
    ),
    "dropout_forward": (
        _BOUND,
        _NARROWED,
        (r"^return \(a.*np\.ones\(a\.shape.* -> ", "no mask is looked at in evaluation"),
        (
            r"^mask\[.*'f4'.*-> |np\.float32\(1 / keep_prob.*-> |^a = a\.astype.* -> pass",
            "an answer in float64 is right as well",
        ),
        (r"spawn\(1\)\[0\] -> .*(spawn\(2\)\[0\]|\[-1\])", "one new generator is like another"),
        (r"asfortranarray.*-> mask = rng", "only the order in memory"),
    ),
    "dropout_backward": (
        _NARROWED,
        (r"out=dout\).*-> .*keep_prob\) \* mask", "where the result is kept makes no difference"),
        (r"mask / np\.float32\(keep_prob\) -> ", "an answer in float64 is right as well"),
    ),
    "gaussian_dropout": (
        *_FAMILY,
        (r"(1 \+|noise \+=)(.*) -> .*(1 -|noise -=)\2", "a normal number is as likely to be below"),
    ),
    "spatial_dropout": (
        *_FAMILY,
        (r"^mask = mask \* kept -> mask = kept", "a mask may repeat by itself"),
        (r"maps\.shape\[:2\] -> .*maps\.shape\[:-2\]|choice\(.*:2\].*-> .*:-2\]", "of four axes"),
        (r"broadcast_to\(.*-> mask = coins", "a mask may repeat by itself"),
        (r"^mask\[i, 0, 0, c\].*-> mask\[i, (-1, 0|0, -1), c\]", "axes of length 1"),
    ),
    "dropconnect_forward": (
        *_FAMILY,
        (r"else np\.ones\(W\.shape\) -> .*", "in evaluation the mask is 1, in whatever shape"),
        (r"mask == 1.*-> .*mask >= 1", "a mask holds 0 and 1"),
        (
            r"zeros\(W\.shape, dtype=int\) -> .*(ones|zeros)\(W\.shape|W\.shape\[1\].*-> .*\[-1\]",
            "every entry is set; the second axis is the last",
        ),
    ),
    "drop_path": (
        *_FAMILY,
        (
            r"len\(x\).*-> .*len\(branch\)|x\.(shape|ndim).*-> .*branch\.\1",
            "x and branch have one shape",
        ),
        (r"\[-1\] \+ .*-> .*\[-2\] \+ ", "NumPy takes any negative number for the rest"),
        (r"coin == 1.*-> .*coin >= 1", "a coin is 0 or 1"),
        (
            r"^mask = np\.ones\(x\.shape\) -> mask = np\.zeros\(x\.shape\)",
            "training sets every entry, and in evaluation no mask is asked for",
        ),
    ),
    "dropblock_gamma": (
        _NARROWED,
        (r"^return np\.float32\((.*)\) -> return \1$", "an answer in float64 is right as well"),
        (
            r"^rows, columns = .*|in \(height, width\)\].*-> .*in \(width, height\)",
            "a product has no order",
        ),
    ),
    "is_frozen": (
        _OTHER_CALLS,
        (r"== 1 -> .*<= 1|max\(\) == 0 -> .*max\(\) <= 0", "there is one mask at least"),
        (r"np\.std\(.*-> .*np\.var\(", "both are 0 together"),
        (r", float\) for.*-> .*\]\) for|rng, True\).*-> .*rng\)\[1\]", "the same call"),
    ),
    "forward_propagation_with_dropout": (
        _BOUND,
        _NARROWED,
        _EXAMPLES,
        (r"-> def |inputs=X\.shape", "neither types nor checks of arguments count"),
        (r"np\.asfortranarray|/ np\.float32\(keep_prob\) -> ", "only how numbers are kept"),
        (r"source\.random.*-> .*\(rng\.random", "one generator for both masks is right as well"),
        (r"D\d & \(.*-> .*D\d (\*|//) \(", "with 0 and 1, all three are the same"),
        (r"logaddexp\(0, -Z3\).*-> .*logaddexp\(-Z3, 0\)", "the same sum"),
        (r"== '3'.*-> .*>= '3'|!= '3'.*-> .*< '3'", "there are three layers"),
    ),
    "backward_propagation_with_dropout": (
        _BOUND,
        _NARROWED,
        _EXAMPLES,
        (
            r"\* D\d? / keep.*-> .*(\)|dZ\d) (\*\* D\d? )?/ keep|^dA\d\[.*D\d.* -> ",
            "where A is after the mask, A > 0 drops what the mask drops",
        ),
        (r"(> 0|<= 0).*-> .*(!= 0|== 0)", "activations are not negative"),
        (r"dropout_backward\(.*-> .*dropout_backward\((D|masks)", "the same product"),
        (
            r"m\(1\).*-> .*m\(-1\)|reshape\(-1|-> def |^for .* -> for ",
            "the same sums, in any order",
        ),
        (
            r"len\(X\.T\).*-> .*len\(Y\.T|X\.shape\[1\], keep_prob.*-> |\(2, -7, 8|np\.float32\(e",
            "the same numbers, counted or kept in another way",
        ),
    ),
    "evaluation_cost": (
        _EXAMPLES,
        _NARROWED,
        (r"^A = .*rng\.random\(", "with keep_prob = 1 the mask keeps all, and nothing is scaled"),
        (r"if layer > 1.*-> .*if layer != 1", "layers are counted from 1"),
    ),
    "mc_dropout_predict": (_NARROWED, (r"np\.array\(p, dtype=np\.float32\) -> ", "rounding alone")),
}
