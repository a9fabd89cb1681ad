"""What goes wrong in dropout wherever it is written: in one layer, in a network, on the way back.

The edits fit every model answer that draws its masks with ``rng.random(...) < keep_prob`` and
scales with ``/ keep_prob``.
"""

from __future__ import annotations

from reglib.exercises._findings import HARD_CODED, Mistake

RANDN = Mistake(
    "randn for rand",
    "Normal variates lie below keep_prob with probability Φ(keep_prob), not keep_prob.",
    "Compare uniform numbers from [0, 1) with keep_prob: rng.random gives them.",
)
NOT_THRESHOLDED = Mistake(
    "mask never compared with keep_prob",
    "The raw random numbers multiply the activations, so every unit is shrunk at random and none "
    "is dropped.",
    "A mask answers yes or no for each unit. Which comparison turns a random number into that?",
)
REVERSED = Mistake(
    "keep and drop exchanged",
    "What should be dropped is kept and the other way round, so keep_prob is the fraction that is "
    "dropped.",
    "With keep_prob = 0.9, how many of a thousand uniform numbers should be turned into 1?",
)
ONE_MASK = Mistake(
    "one mask for many",
    "Several examples or units share one coin, so they are always dropped together.",
    "Draw as many random numbers as there are activations.",
)
SAME_NUMBER = Mistake(
    "always the same number kept",
    "Exactly the fraction keep_prob is kept at every call, so units are not dropped independently "
    "of each other: each entry has a coin of its own.",
    "Compare one random number for each entry with keep_prob.",
)
NO_MASK = Mistake(
    "mask not applied",
    "The activations come out whole: the mask is drawn, but never used.",
    "Multiply the activations by the mask.",
)
SCALED_MASK = Mistake(
    "scaled mask returned",
    "The mask holds 1 / keep_prob where it should hold 1, so whoever divides by keep_prob later "
    "does it twice.",
    "Keep the mask at 0 and 1, and divide the activations.",
)
NO_SCALE = Mistake(
    "scaling forgotten",
    "The kept units are as large as before, so the mean of the layer shrinks by keep_prob.",
    "What must the kept units be divided by to make the mean what it was?",
)
MULTIPLIED = Mistake(
    "multiplied by keep_prob",
    "The kept units shrink once more, where they should grow.",
    "The mean after the mask is keep_prob times too small. Undo that.",
)
SCALED_TWICE = Mistake(
    "scaled twice",
    "Two divisions by keep_prob make the mean of the layer too large.",
    "Divide once.",
)
DROP_RATE = Mistake(
    "divided by the drop rate",
    "The factor is 1 / (1 - keep_prob); at keep_prob = 0.5 nobody notices.",
    "The mean after the mask is keep_prob times what it was. Which factor undoes that?",
)
FROZEN = Mistake(
    "frozen mask",
    "Every call draws the same mask, as with a seed that is set inside the function: the network "
    "is pruned once, and nothing is random any more.",
    "Seed once, outside; inside, only draw from the rng that you are given.",
)
NOT_ADVANCED = Mistake(
    "generator copied",
    "The function draws from a copy of rng, so rng itself never moves on and every step of a "
    "training loop gets the same mask.",
    "Draw from rng itself.",
)
OTHER_SOURCE = Mistake(
    "random numbers from elsewhere",
    "The numbers do not come from rng (np.random.rand has a state of its own), so no seed can "
    "repeat a run.",
    "Call a method of rng: rng.random(shape).",
)
NO_SCALE_BACK = Mistake(
    "scaling forgotten on the way back",
    "The forward pass divides by keep_prob, and so does its derivative.",
    "Differentiate the forward pass with respect to the activations: which factor stays?",
)
NO_MASK_BACK = Mistake(
    "mask forgotten on the way back",
    "Units that were dropped receive a gradient.",
    "A unit that was silent on the way forward had no effect on the cost.",
)
NEW_MASK = Mistake(
    "mask drawn anew on the way back",
    "The gradient passes through other units than the activations did, so it is that of no "
    "forward pass at all.",
    "Use the mask that you are given; the way back draws no random numbers.",
)

HIDDEN_ACTIVATION = Mistake(
    "other activation in a hidden layer",
    "Hidden layers use ReLU; another function in one of them makes another network.",
    "Compare each layer's activation with the task.",
)
LAST_ACTIVATION = Mistake(
    "other activation in the last layer",
    "The last layer uses the sigmoid: its outputs are probabilities.",
    "Compare the last layer's activation with the task.",
)
UNKNOWN_ACTIVATION = Mistake(
    "activation that does not exist",
    "The function calls an activation that neither you nor the course has defined.",
    "The hidden layers use relu and the last one sigmoid; both are imported at the top.",
)
NO_CACHE = Mistake(
    "masks not returned",
    "Without the masks in the cache the way back cannot drop the same units.",
    "Return (A3, cache) with the cache that the task describes.",
)
CACHE_LAYOUT = Mistake(
    "other order in the cache",
    "The function for the way back reads the cache by position.",
    "The order is Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3.",
)
NO_PARAMETERS = Mistake(
    "parameters from outside",
    "The weights are read from a variable outside the function, so it can serve one network only.",
    "Take the weights from the argument parameters.",
)
COPIED = Mistake(
    "copied with its faults",
    "A much-copied program that looks like this has more of them: its masks are never compared "
    "with keep_prob, hidden layer 2 uses sigmoid and the last layer srelu, its random numbers do "
    "not come from rng, and it does not return its masks.",
    "Go through your function line by line with the task beside it.",
)

#: Mistakes of the factor, on the way forward and back.
OF_THE_FACTOR = (
    MULTIPLIED.written(("/ keep_prob", "* keep_prob")),
    DROP_RATE.written(("/ keep_prob", "/ (1 - keep_prob)")),
    SCALED_TWICE.written(("/ keep_prob", "/ keep_prob**2")),
)
_NORMAL = ("rng.random(", "rng.standard_normal(")
#: Mistakes of masks and of the factor on the way forward.
OF_THE_MASK = (
    RANDN.written(_NORMAL, (_NORMAL, ("< keep_prob", "> 1 - keep_prob"))),
    NOT_THRESHOLDED.written((" < keep_prob", "")),
    REVERSED.written(("< keep_prob", "> keep_prob")),
    *OF_THE_FACTOR,
    HARD_CODED.written(
        ("< keep_prob", "< 0.5"),
        ("/ keep_prob", "/ 0.5"),
        (("< keep_prob", "< 0.5"), ("/ keep_prob", "/ 0.5")),
    ),
)
#: The edits of those who draw from a generator of their own.
SEEDED, UNSEEDED = "np.random.default_rng(1)", "np.random.default_rng()"
