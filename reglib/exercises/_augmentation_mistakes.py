"""The mistakes that assignment 8, data augmentation, can name."""

from __future__ import annotations

from reglib.exercises._findings import Mistake

OTHER_WAY = Mistake(
    "moved the other way",
    "Positive dy moves down and positive dx moves right.",
    "Where should the pixel at [0, 0] be afterwards?",
)
AXES_SWAPPED = Mistake(
    "rows and columns exchanged",
    "The first axis counts rows, downwards; the second counts columns, to the right.",
    "Try an image that is wider than high.",
)
WRAPPED = Mistake(
    "wrapped around",
    "What leaves the image on one side comes back on the other, as np.roll does.",
    "Pixels that have moved in from outside are 0.",
)
REPEATED = Mistake(
    "rim repeated",
    "The pixels of the rim fill what should be empty.",
    "Pixels that have moved in from outside are 0.",
)
UPSIDE_DOWN = Mistake(
    "flipped upside down",
    "Top and bottom are exchanged instead of left and right.",
    "Which axis runs from left to right?",
)
BOTH_FLIPPED = Mistake(
    "flipped both ways",
    "Top and bottom are exchanged as well.",
    "Reverse one axis only.",
)
CHANNELS_FLIPPED = Mistake(
    "channels flipped",
    "The last axis of a color image holds its channels, not its columns.",
    "Reverse axis 1, whatever the number of axes is.",
)
TRANSPOSED = Mistake(
    "transposed",
    "Rows have become columns.",
    "A flip keeps every row a row.",
)
READ_TOO_LATE = Mistake(
    "overwritten before it is read",
    "The columns are exchanged one after the other in the same array, so the second half copies "
    "what the first half has already overwritten.",
    "Write into a new array, or reverse an axis with a slice.",
)
NOTHING_DONE = Mistake(
    "nothing changed",
    "The image comes back as it was.",
    "Return the transformed image.",
)
TOO_SMALL = Mistake(
    "window smaller than asked for",
    "The slice ends too early, or it begins so late that it runs over the rim, where NumPy cuts it "
    "off.",
    "It ends at top + height. Which is the largest top for which that is still inside?",
)
CENTER = Mistake(
    "always the center",
    "The window is cut from the middle every time, so a crop adds no variety.",
    "Draw the upper left corner from rng.",
)
ONE_NUMBER = Mistake(
    "one number for row and column",
    "Row and column of the corner are always the same number, so most places are never drawn.",
    "Draw twice: a row and a column.",
)
ONE_PLACE = Mistake(
    "always the same place",
    "Every crop is cut at one place, so it adds no variety.",
    "Draw the upper left corner from rng.",
)
LAST_PLACE_MISSED = Mistake(
    "last place never drawn",
    "The crop never reaches the lower or the right rim: rng.integers leaves out its upper end.",
    "How many places are there for a window of 3 in a row of 5?",
)
NO_WINDOW = Mistake(
    "no window of the image",
    "The pixels of the crop do not lie together in the image.",
    "Draw one row and one column, then slice.",
)
CROP_SWAPPED = Mistake(
    "height and width exchanged",
    "The window is as wide as it should be high.",
    "The first axis counts rows.",
)
CROP_SEEDED = Mistake(
    "seed inside",
    "Two calls with one rng, or with different ones, always cut at the same place.",
    "Only draw from the rng that you are given.",
)
CROP_SOURCE = Mistake(
    "random numbers from elsewhere",
    "The place does not come from rng, so no seed can repeat a run.",
    "Call a method of rng: rng.integers.",
)
INVERSE = Mistake(
    "factor used the other way",
    "The image shrinks where it should grow: the way back from output to input divides.",
    "Which input pixel lies under the output's corner when the image is magnified twice?",
)
CORNER = Mistake(
    "around the corner instead of the center",
    "The upper left pixel stays in place; the center should.",
    "Measure rows and columns from the center (H - 1) / 2, (W - 1) / 2.",
)
ONE_CENTER = Mistake(
    "one center for both axes",
    "Columns are measured from the middle of the rows; in a square image nobody notices.",
    "Each axis has a center of its own: (H - 1) / 2 and (W - 1) / 2.",
)
CENTER_LOST = Mistake(
    "center not added back",
    "Rows and columns are measured from the center and then taken as they are.",
    "Add the center again before you look the pixel up.",
)
NEGATIVE = Mistake(
    "negative indices",
    "An index of -1 is the last row, so pixels from the other side come in.",
    "Ask for both ends: 0 <= i and i < H.",
)
BLENDED = Mistake(
    "values computed, not copied",
    "The result holds values that no pixel of the image has: neighbors were averaged, or pixels "
    "multiplied.",
    "Copy the nearest pixel. Functions that resize or rotate images interpolate by default.",
)
HALF_PIXEL = Mistake(
    "center half a pixel off",
    "The center of pixels 0 to H - 1 is (H - 1) / 2, not H / 2.",
    "Where is the center of an image of one pixel?",
)
FORWARD = Mistake(
    "mapped forwards",
    "Input pixels are sent to the output, which leaves holes and overwrites.",
    "Go through the output pixels and ask each where it comes from.",
)
FLOORED = Mistake(
    "rounded down",
    "The nearest pixel is wanted, and the place is cut to an integer instead.",
    "np.rint rounds to the nearest integer; int() and // cut.",
)
CLOCKWISE = Mistake(
    "turned clockwise",
    "A positive angle turns counter-clockwise.",
    "Rows count downwards: check the sign of the sine with a quarter turn.",
)
DEGREES = Mistake(
    "degrees taken for radians",
    "np.cos and np.sin expect radians.",
    "np.deg2rad converts.",
)
NO_CLIP = Mistake(
    "not clipped",
    "Values leave [0, 1].",
    "np.clip keeps them inside.",
)
CLIPPED_BELOW = Mistake(
    "clipped on one side",
    "Values below 0 are cut off, and values above 1 are not.",
    "The values of an image lie in [0, 1] here, not in [0, 255].",
)
NOT_ADDED_BACK = Mistake(
    "mean not added back",
    "The distance from the mean is multiplied and returned without the mean, so the image is dark.",
    "The formula begins with the mean.",
)
COLUMN_MEAN = Mistake(
    "mean of each column",
    "The mean runs over the rows only, so every column keeps one of its own.",
    "Average over rows and columns: axis=(0, 1).",
)
BRIGHTNESS = Mistake(
    "image multiplied",
    "The whole image is multiplied, so its mean, the brightness, changes too.",
    "Multiply the distance from the mean.",
)
ABOUT_HALF = Mistake(
    "contrast around 0.5",
    "The distance from 0.5 is multiplied, not that from the image's own mean.",
    "Compute the mean of the image.",
)
ONE_MEAN = Mistake(
    "one mean for all channels",
    "Each channel has a mean of its own; one mean for all changes the color.",
    "Average over rows and columns only: axis=(0, 1).",
)
PIXEL_MEAN = Mistake(
    "mean of each pixel",
    "The mean runs over the channels of a pixel, so the color is changed, not the contrast.",
    "Average over rows and columns only: axis=(0, 1).",
)
ONE_IMAGE = Mistake(
    "only the first image tried",
    "One image that keeps its label says nothing about the others.",
    "Go through all images.",
)
ANY_IMAGE = Mistake(
    "any for all",
    "A transform is safe if every image keeps its label, not if some do.",
    "all, not any.",
)
PIXELS_COMPARED = Mistake(
    "images compared instead of labels",
    "A safe transform may change every pixel; only the label has to stay.",
    "Ask label_of before and after.",
)
NEGATED = Mistake(
    "answer negated",
    "True and False are exchanged.",
    "Return True if the labels stay.",
)
ONE_ANSWER = Mistake(
    "one answer for all",
    "The result does not depend on the transform and the task.",
    "Compare the labels before and after the transform.",
)
