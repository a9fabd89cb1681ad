"""The mistakes that assignment 5, dropout, can name."""

from __future__ import annotations

from reglib.exercises._findings import Mistake

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
    "The comparison points the other way, so keep_prob is the fraction that is dropped.",
    "With keep_prob = 0.9, how many of a thousand uniform numbers should be turned into 1?",
)
ONE_MASK = Mistake(
    "one mask for many",
    "Several examples or units share one coin, so they are always dropped together.",
    "Draw as many random numbers as there are activations.",
)
NOT_RANDOM = Mistake(
    "activations compared with keep_prob",
    "The mask is made of the activations themselves, so the same units are dropped every time.",
    "Compare random numbers with keep_prob, one for each activation.",
)
SCALED_MASK = Mistake(
    "scaled mask returned",
    "The mask holds 1 / keep_prob where it should hold 1, so whoever divides by keep_prob later "
    "does it twice.",
    "Keep the mask at 0 and 1, and divide the activations.",
)
NO_MASK = Mistake(
    "mask not applied",
    "The activations come out whole: the mask is drawn, but never used.",
    "Multiply the activations by the mask.",
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
LEFT_ON = Mistake(
    "dropout left on at evaluation",
    "Units are dropped although training is False, so predictions are noisy.",
    "Return the activations as they are when training is False.",
)
EVALUATION_SCALED = Mistake(
    "scaled at evaluation",
    "Inverted dropout scales during training, so that evaluation needs no factor at all.",
    "Either scale in training or in evaluation. This course scales in training.",
)
FROZEN = Mistake(
    "frozen mask",
    "A seed set inside the function makes every call draw the same mask: the network is pruned "
    "once, and nothing is random any more.",
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
NO_BIAS = Mistake(
    "bias forgotten",
    "The last layer puts out 0.5 whatever its bias is.",
    "Z is W @ A + b.",
)
INPUT_DROPPED = Mistake(
    "dropout on the inputs",
    "Z1 is not W1 @ X + b1 where units are dropped, and is where they are not.",
    "Apply a mask to the hidden layers only.",
)
NOT_PASSED_ON = Mistake(
    "dropped activations not passed on",
    "The second layer computes from A1 as it was before its mask.",
    "Which A1 belongs in W2 @ A1?",
)
CACHED_BEFORE = Mistake(
    "cached before the mask",
    "A1 and A2 stand in the cache as they were before mask and scaling; the way back needs them "
    "as the next layer saw them.",
    "Put the dropped activations into the cache.",
)
OUTPUT_DROPPED = Mistake(
    "dropout on the output layer",
    "Predictions are dropped, so a probability becomes 0 by chance.",
    "Apply a mask to the hidden layers only.",
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
NO_MASK_BACK = Mistake(
    "mask forgotten on the way back",
    "Units that were dropped receive a gradient.",
    "A unit that was silent on the way forward had no effect on the cost.",
)
NO_SCALE_BACK = Mistake(
    "scaling forgotten on the way back",
    "The forward pass divides by keep_prob, and so does its derivative.",
    "Differentiate a * mask / keep_prob with respect to a.",
)
MASKS_SWAPPED = Mistake(
    "masks of two layers exchanged",
    "Each layer has its own mask: D2 belongs to A2 and D1 to A1.",
    "Follow the gradient backwards: which layer does it reach first?",
)
NO_RELU_BACK = Mistake(
    "derivative of ReLU forgotten",
    "A gradient flows through units whose input was negative.",
    "Multiply dA by 1 where A is positive and by 0 elsewhere.",
)
LABELS_FIRST = Mistake(
    "Y - A3 for A3 - Y",
    "Every gradient points the other way, so the cost would grow.",
    "The task says what dZ3 is.",
)
NO_M_BACK = Mistake(
    "1/m missing",
    "The cost is a mean over m examples, and so is its gradient.",
    "Divide dW and db by the number of columns.",
)
TWICE_M = Mistake(
    "1/m twice",
    "1/m sits in dZ and again in dW, so hidden layers learn too slowly.",
    "Divide by m in dW and db only.",
)
SAME_NOISE = Mistake(
    "the same noise n times",
    "All n predictions are equal, because each starts from the same seed.",
    "Pass the one rng on to every call of f; it moves on by itself.",
)
ONE_CALL = Mistake(
    "f not called n times",
    "Each of the n predictions is one call of f with dropout on.",
    "Collect f(x, rng) in a loop of n rounds.",
)
VARIANCE = Mistake(
    "variance for standard deviation",
    "The variance has the square of the prediction's unit.",
    "Take the square root, or use std.",
)
STANDARD_ERROR = Mistake(
    "standard error for standard deviation",
    "Dividing by the square root of n tells how well the mean is known, not how much single "
    "predictions differ.",
    "Return the spread of the n predictions themselves.",
)
WRONG_AXIS = Mistake(
    "averaged over everything",
    "One number came out where each entry of the prediction has its own.",
    "Stack the predictions and average over the first axis only.",
)
OTHER_AXIS = Mistake(
    "averaged along the prediction",
    "The entries of each prediction were averaged; the n predictions should be.",
    "Stack the predictions and use axis=0, which counts them.",
)
SUM = Mistake(
    "sum for mean",
    "The sum of the predictions grows with n.",
    "Divide by the number of predictions, or use mean.",
)
MEDIAN = Mistake(
    "median for mean",
    "The middle prediction is not the average one.",
    "Use mean over the first axis.",
)
OTHER_GENERATORS = Mistake(
    "two generators compared",
    "A training loop uses one generator for all steps. Masks from two generators say nothing "
    "about a function that copies the one it is given.",
    "Call forward twice with the same rng and compare the masks.",
)
SAME_SEED = Mistake(
    "the same seed twice",
    "Two generators with one seed give equal masks in any correct dropout.",
    "Call forward twice with the same rng, without seeding in between.",
)
PARTLY_EQUAL = Mistake(
    "alike taken for equal",
    "Two masks of zeros and ones agree in many entries and in their means; that makes them no "
    "less different.",
    "All entries must be equal: np.array_equal.",
)
NEGATED = Mistake(
    "answer negated",
    "True and False are exchanged.",
    "Return True if the masks are equal.",
)
ALWAYS_SAME_ANSWER = Mistake(
    "one answer for all",
    "The function returns the same answer for frozen and for working dropout.",
    "Compare what two calls of forward return.",
)
