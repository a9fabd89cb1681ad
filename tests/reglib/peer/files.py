"""Which of Keras's installed test files run against reglib, and which cases do not apply.

Each file has its patterns of case names with the reason. A case that a pattern matches must
fail: one that passes has become applicable, and its line goes.
"""

TF_DATA = "maps a TensorFlow data set: reglib works on NumPy arrays alone"
BOXES = "bounding boxes are not part of reglib"

_IMAGES = "layers/preprocessing/image_preprocessing/"

FILES: dict[str, dict[str, str]] = {
    f"{_IMAGES}random_flip_test.py": {
        "*tf_data*": TF_DATA,
        "test_random_flip_bounding_boxes_*": BOXES,
    },
    f"{_IMAGES}random_translation_test.py": {
        "*tf_data*": TF_DATA,
        "test_random_flip_bounding_boxes_*": BOXES,
    },
    f"{_IMAGES}random_zoom_test.py": {
        "*tf_data*": TF_DATA,
        "test_random_flip_bounding_boxes_*": BOXES,
    },
    f"{_IMAGES}random_rotation_test.py": {"*tf_data*": TF_DATA},
}
