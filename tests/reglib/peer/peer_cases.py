"""Which of Keras's installed test files run against reglib, and which cases do not apply.

Each file has its patterns of case names with the reason. A case that a pattern matches must
fail: one that passes has become applicable, and its line goes.
"""

TF_DATA = "maps a TensorFlow data set: reglib works on NumPy arrays alone"
BOXES = "bounding boxes are not part of reglib"
PRIVATE = "calls a private method of Keras"

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
    f"{_IMAGES}random_shear_test.py": {"*tf_data*": TF_DATA, "*bounding_boxes*": BOXES},
    f"{_IMAGES}random_crop_test.py": {"*tf_data*": TF_DATA, "test_dict_input": BOXES},
    f"{_IMAGES}random_contrast_test.py": {"*tf_data*": TF_DATA, "test_dict_input": BOXES},
    f"{_IMAGES}random_brightness_test.py": {
        "*tf_data*": TF_DATA,
        "test_dict_input": BOXES,
        "test_set_factor_*": PRIVATE,
    },
    f"{_IMAGES}random_erasing_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}mix_up_test.py": {"*tf_data*": TF_DATA, "test_mix_up_bounding_boxes": BOXES},
    f"{_IMAGES}cut_mix_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}rand_augment_test.py": {"*tf_data*": TF_DATA, "test_graph_issue": TF_DATA},
    f"{_IMAGES}aug_mix_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}random_color_degeneration_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}random_sharpness_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}random_posterization_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}solarization_test.py": {},
    f"{_IMAGES}auto_contrast_test.py": {},
    f"{_IMAGES}equalization_test.py": {"*tf_data*": TF_DATA},
    "layers/preprocessing/pipeline_test.py": {
        "*tf_data*": TF_DATA,
        "test_correctness": "passes Keras's masks of time steps, which reglib's layers do not know",
        "test_from_config": "crops by CenterCrop, which reglib does not have",
    },
}
