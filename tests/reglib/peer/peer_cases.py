"""Which of Keras's installed test files run against reglib, and which cases do not apply.

Each file has its patterns of case names with the reason. A case that a pattern matches must
fail: one that passes has become applicable, and its line goes.
"""

TF_DATA = "maps a data set of TensorFlow or Grain: reglib works on NumPy arrays alone"
BOXES = "bounding boxes are not part of reglib"
PRIVATE = "calls a private method of Keras"
TEXT = "compares Keras's words: reglib has words of its own for its errors and messages"
FINITE = "trains on infinite targets, which fit refuses"
VECTORS = "fits vectors: here each example has an axis"
QUANTIZED = "quantizes, or adapts at low rank"
MIXED = "computes in float16"
LATER = "builds at a symbolic call: here a layer waits for its model, which has the seed"
SYMBOLIC = "calls a model on several nodes: a model within another has one input and one output"
OPTIONAL = "has inputs that may be left out: every input is given here"
NESTED_ENDS = "nests the ends of a model: they are one, a list or a dict here"
SUBCLASSED = "subclasses Model to write call: here one writes a layer, with its way back"
INSIDE = "looks into Keras's own attributes"
EARLIER = "expects an error at the first batch: here compile raises it"
STATE = "asks for a tree of a model's state"
CHAIN = "asks a Sequential for its nodes: a Model has them"
CLONING = "clones with options that Keras has for reuse: inputs, calls and recursion"
SPARSE = "declares sparse or ragged inputs, or wraps a tensor: inputs are arrays here"
VARIABLE = "draws shapes without a layer"
KEPT = "forgets an option in the configuration: reglib keeps it, so that a copy is the same"
CONTEXT = "hands an option on to layers within a layer: here its call names them, or it does not"
OWNED = "finds out what a layer owns, and takes it away: here add_weight and sublayers say it"
FLOATS = "wants a float where a whole number would do, and does"
COUNTS = "keeps its state in Keras's variables: a metric's state is plain numbers here"
MEASURED = "measures symbolic tensors"
HINGE = "watches the hinge, a metric that reglib does not have"
OTHERS = "asks by a string for an optimizer that reglib does not have"
AT_ONCE = "lets a compiler take several batches at once"
CUDNN = "chooses a kernel of cuDNN, and there is no GPU here"
FORMAT = "sets a data format for all layers: here each has its own"

_IMAGES = "layers/preprocessing/image_preprocessing/"
_NOISE = "layers/regularization/"

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
    f"{_IMAGES}random_color_degeneration_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}random_sharpness_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}random_posterization_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}solarization_test.py": {},
    f"{_IMAGES}auto_contrast_test.py": {},
    f"{_IMAGES}equalization_test.py": {"*tf_data*": TF_DATA},
    f"{_IMAGES}resizing_test.py": {
        "test_tf_data_compatibility": TF_DATA,
        "*tf_data_bounding_boxes*": TF_DATA,
        "*grain*": TF_DATA,
        "test_resize_bounding_boxes_*": BOXES,
    },
    "layers/preprocessing/rescaling_test.py": {
        "*tf_data*": TF_DATA,
        "*grain*": TF_DATA,
        "test_rescaling_with_channels_first_and_vector_scale": FORMAT,
    },
    "layers/preprocessing/pipeline_test.py": {
        "test_correctness": "passes Keras's masks of time steps, which reglib's layers do not know",
    },
    "regularizers/regularizers_test.py": {
        "test_orthogonal_regularizer_mode_validation": TEXT,
        "test_orthogonal_regularizer_input_rank_validation": TEXT,
    },
    "constraints/constraints_test.py": {},
    f"{_NOISE}dropout_test.py": {},
    f"{_NOISE}spatial_dropout_test.py": {},
    f"{_NOISE}gaussian_dropout_test.py": {},
    f"{_NOISE}gaussian_noise_test.py": {},
    f"{_NOISE}alpha_dropout_test.py": {},
    f"{_NOISE}activity_regularization_test.py": {},
    "optimizers/sgd_test.py": {},
    "optimizers/rmsprop_test.py": {},
    "optimizers/adam_test.py": {},
    "optimizers/adamw_test.py": {},
    "optimizers/lion_test.py": {},
    "optimizers/optimizer_test.py": {
        "test_gradient_accumulation_with_weigth_decay[35689]": OTHERS,
        "test_gradient_accumulation_with_weigth_decay10": OTHERS,
        "test_pickleable_optimizers[35689]": OTHERS,
        "test_pickleable_optimizers10": OTHERS,
        "test_ema_with_model_fit": "lets one target stand for two outputs, which losses refuse",
        "test_empty_gradients": "leaves parameters without gradients out; apply refuses them",
        "test_optimizer_auto_naming": "numbers optimizers: here equal ones have equal configs",
        "test_overwrite_with_gradient*": "writes gradients into weights, for float8 alone",
        "test_static_loss_scaling": "scales losses for float16, which reglib does not have",
    },
    "optimizers/schedules/learning_rate_schedule_test.py": {},
    "callbacks/early_stopping_test.py": {"test_early_stopping": HINGE},
    "callbacks/reduce_lr_on_plateau_test.py": {"test_verbose_logging": TEXT},
    "callbacks/learning_rate_scheduler_test.py": {"test_verbose_logging": TEXT},
    "callbacks/terminate_on_nan_test.py": {
        "test_terminate_on_nan_*": FINITE,
        "test_raise_error_terminate_*": FINITE,
    },
    "callbacks/csv_logger_test.py": {},
    "callbacks/model_checkpoint_test.py": {
        "test_model_checkpoint_options": "takes an unknown mode for 'auto', which is refused",
    },
    "callbacks/monitor_callback_test.py": {"test_monitor_op_logic": HINGE},
    "callbacks/swap_ema_weights_test.py": {},
    "callbacks/lambda_callback_test.py": {
        "test_lambda_callback_with_additional_kwargs": "invents a moment, which is refused",
    },
    "losses/losses_test.py": {
        "HuberLossTest.test_config": KEPT,
    },
    "losses/loss_test.py": {
        "test_d*type*": MIXED,
        "test_get_method": "gets a function: ours is an object, which knows its gradient",
        "test_pickle": "gets a function: ours is an object, which knows its gradient",
    },
    "metrics/accuracy_metrics_test.py": {
        "test_reshape_matches": "has targets (2, 1) for predictions (1, 2, 3), which is refused",
    },
    "metrics/confusion_metrics_test.py": {},
    "metrics/f_score_metrics_test.py": {
        "test_beta_integer_type_raises_value_error": FLOATS,
        "test_threshold_not_float_raises_value_error": FLOATS,
        "test_non_2d_input_shapes_raises_value_error": PRIVATE,
        "test_undefined_output_dim_raises_value_error": PRIVATE,
    },
    "metrics/metric_test.py": {
        "test_d*type*": COUNTS,
        "test_end_to_end_flow": COUNTS,
        "test_serialization": COUNTS,
        "test_stateless_*": COUNTS,
        "test_*_tracking": COUNTS,
    },
    "metrics/probabilistic_metrics_test.py": {},
    "metrics/reduction_metrics_test.py": {
        "test_weighted_dynamic_shape*": MEASURED,
        "test_binary_accuracy_with_boolean_inputs": "compares a symbolic tensor with a number",
    },
    "metrics/regression_metrics_test.py": {},
    "activations/activations_test.py": {},
    "initializers/constant_initializers_test.py": {},
    "initializers/random_initializers_test.py": {},
    "layers/core/dense_test.py": {
        "*quantize*": QUANTIZED,
        "*int4*": QUANTIZED,
        "*int8*": QUANTIZED,
        "*lora*": QUANTIZED,
        "*gptq*": QUANTIZED,
        "*awq*": QUANTIZED,
        "test_dense_without_activation_set": "takes an activation away: a Dense always has one",
        "test_legacy_load_own_variables": "reads the files of an older Keras",
    },
    "layers/core/masking_test.py": {},
    "layers/layer_test.py": {
        "test_*autocast*": MIXED,
        "test_dtype_policy_setter": MIXED,
        "test_mixed_precision": MIXED,
        "test_serialize_dtype": MIXED,
        "*quantiz*": QUANTIZED,
        "*float8*": QUANTIZED,
        "*int8*": QUANTIZED,
        "*remat*": "computes outputs again to save memory, of which there is enough here",
        "test_call_context_args_*": CONTEXT,
        "test_context_arg*": CONTEXT,
        "test_register_call_context_*": CONTEXT,
        "test_training_arg_value_resolution": CONTEXT,
        "test_*_tracking": OWNED,
        "test_tracker_locking": OWNED,
        "test_remove_weight": OWNED,
        "test_stateless_call": OWNED,
        "test_trainable_init_arg": OWNED,
        "test_trainable_setting": OWNED,
        "test_add_loss": "adds a loss in call: a layer here has an activity regularizer",
        "test_add_weight_defaults": "has weights that are whole numbers or truth values",
        "test_custom_layer_add_weight_in_init_name": OWNED,
        "test_build_signature_errors": "builds for several arguments: a layer has one, or a list",
        "test_layer_build_with_attention_mask_arg": "builds for several arguments, one a mask",
        "test_masking": "masks several arguments, or the parts of one: merging layers take a list",
        "test_compute_output_spec": "guesses a layer's shapes by a call: a layer here says them",
        "test_not_implemented_error_compute_output_shape": "asks for the outputs of no shape",
        "test_build_on_call": VARIABLE,
        "test_custom_layer_add_weight_in_build_name": VARIABLE,
        "test_layer_variable_tracking_correct": VARIABLE,
        "test_positional_arg_error": VARIABLE,
    },
    "layers/reshaping/reshape_test.py": {
        "test_reshape_with_dynamic_*_minus_one": VARIABLE,
    },
    "layers/core/embedding_test.py": {
        "*quantize*": QUANTIZED,
        "*int4*": QUANTIZED,
        "*int8*": QUANTIZED,
        "*lora*": QUANTIZED,
        "test_embedding_basics": VECTORS,
        "test_legacy_load_own_variables": "reads the files of an older Keras",
    },
    "layers/core/input_layer_test.py": {
        "test_call_method": "calls an input without an input",
        "test_input_basic_*": SPARSE,
        "test_input_shape_deprecated": "has an argument that Keras deprecates",
        "test_input_tensor_error": SPARSE,
        "testing_input_tensor": SPARSE,
        "test_invalid_arg_combinations": SPARSE,
    },
    "layers/reshaping/flatten_test.py": {
        "test_flatten_with_scalar_channels": VECTORS,
    },
    "layers/reshaping/zero_padding2d_test.py": {"test_zero_padding_2d_get_config*": INSIDE},
    "layers/core/identity_test.py": {},
    "trainers/trainer_test.py": {
        "*tf_dataset*": TF_DATA,
        "*torch_dataloader*": TF_DATA,
        "*grain*": TF_DATA,
        "test_predict_preserve_order_*": TF_DATA,
        "test_max_epochs_and_steps": "limits the epochs of a whole program",
        "*py_dataset*": "makes batches on a device of TensorFlow, JAX or PyTorch",
        "*_adapter_generator": "trains for more epochs than a generator has, which is refused",
        "test_predict_generator_*": AT_ONCE,
        "test_steps_per_execution_steps_*": AT_ONCE,
        "test_retracing*": "counts how often a compiler reads a model: there is none here",
        "test_*compute_loss*": SUBCLASSED,
        "test_*custom_t*_step*": SUBCLASSED,
        "test_callbacks_can_*": SUBCLASSED,
        "test_internal_only_loss": SUBCLASSED,
        "test_nested_input*": SUBCLASSED,
        "*flow_struct*": SUBCLASSED,
        "test_symbolic_build": SUBCLASSED,
        "*loss_scaling*": MIXED,
        "*nested_trainer*": INSIDE,
        "test_metric_tracking": INSIDE,
        "test_multiple_compiles": INSIDE,
        "test_loss_weights": "weighs the losses of a model that is a subclass",
        "test_partial_loss_partial_label": "has no loss for an output: every output has one here",
    },
    "utils/numerical_utils_test.py": {
        "test_build_pos_neg_masks": "pairs examples for the losses of retrieval, which are missing",
    },
    "utils/sequence_utils_test.py": {},
    "saving/object_registration_test.py": {
        "test_serialize_custom_class_with_*": INSIDE,
        "test_serialize_custom_function": INSIDE,
    },
    "trainers/data_adapters/data_adapter_utils_test.py": {
        "test_unsupported_type_multi_worker": "asks for several machines, of which there is one",
        "test_generator_with_y_error": "calls a function of Keras that chooses an adapter of data",
    },
    "layers/preprocessing/normalization_test.py": {
        "test_adapt_grain_dataset": TF_DATA,
        "test_adapt_pydataset_compat*": TF_DATA,
        "test_adapt_tf_dataset_with_labels": TF_DATA,
        "test_normalization_adapt2": TF_DATA,
        "test_tf_data_compatibility": TF_DATA,
    },
    "layers/activations/activation_test.py": {},
    "layers/merging/merging_test.py": {
        "test_concatenate_with_mask_symbolic": "asks for a mask as an output: it has no node here",
    },
    "models/sequential_test.py": {
        "test_bad_layer": "refuses a call that needs to know whether it is training",
        "test_basic_flow_deferred": "sums up a model that is not built, which is refused",
        "test_basic_flow_with_*": INSIDE,
        "test_legacy_flow_with_input_shape": INSIDE,
        "test_dict_inputs": NESTED_ENDS,
        "test_list_inputs": NESTED_ENDS,
        "test_functional_properties": CHAIN,
    },
    "models/cloning_test.py": {
        "test_call_fn": CLONING,
        "test_input_tensors_*": CLONING,
        "test_recursive*": CLONING,
        "test_cloning_correctness_subclassed": SUBCLASSED,
        "test_structured_io_cloning": CLONING,
    },
    "models/functional_test.py": {
        "test_basic_flow_dict_io": SYMBOLIC,
        "test_basic_flow_multi_*": SYMBOLIC,
        "test_named_input_dict_io": SYMBOLIC,
        "test_passing_inputs_by_name": SYMBOLIC,
        "test_restored_multi_output_type_*": SYMBOLIC,
        "test_deeply_nested_model": NESTED_ENDS,
        "test_restored_nested_input": NESTED_ENDS,
        "test_rank_standardization*": "adds or drops an axis of the inputs: here they must fit",
        "test_input_dict_with_extra_field": "hands over inputs that the model does not have",
        "test_training_arg": "says its shapes by a spec: the call that finds them does not train",
        "test_scalar_input": "cuts a node: here that takes a layer",
        "test_unmodified_inputs": SYMBOLIC,
        "test_unused_inputs": "has an input that no output is made of, which is refused",
        "test_layer_getters": "counts layers, of which a sum of nodes is one here",
        "test_functional_slicing": "begins a model in the midst of another",
        "test_*input_spec": "declares what inputs must be: a layer here checks for itself",
        "test_optional_*": OPTIONAL,
        "test_required_input_none_raises": OPTIONAL,
        "test_dtype_standardization": MIXED,
        "test_functional_with_dtype_policy": MIXED,
        "test_for_functional_in_sequential": "needs one of Keras's ready networks",
        "test_serialization": "freezes a model as it is made: its layers are frozen here",
        "test_warning_for_mismatched_inputs_structure": "warns where nothing is wrong here",
    },
    "models/model_test.py": {
        "*quantize*": QUANTIZED,
        "*invalid_keys": EARLIER,
        "*no_output_names": EARLIER,
        "test_export_error": "exports to another program's format",
        "test_functional_*struct_losses*": NESTED_ENDS,
        "test_functional_list_outputs_invalid_nested_list_losses": NESTED_ENDS,
        "test_functional_list_outputs_with_custom_compute_loss": SUBCLASSED,
        "test_functional_optional_inputs*": OPTIONAL,
        "test_*state_tree*": STATE,
        "test_layers_setter": SUBCLASSED,
        "test_reviving_functional_*": "revives classes whose config lacks their arguments",
        "test_tuple_input_model_subclass": SUBCLASSED,
    },
    "layers/convolutional/conv_test.py": {
        "*lora*": QUANTIZED,
    },
    "layers/normalization/layer_normalization_test.py": {
        "test_large_value_within_autocast_scope": MIXED,
        "test_ln_basics": "has an option that Keras 3.15 deprecates, rms_scaling",
        "test_output_with_rms_scaling": "has an option that Keras 3.15 deprecates, rms_scaling",
    },
    "layers/normalization/batch_normalization_test.py": {
        "test_input_fully_masked0": "synchronizes devices, of which there is one here",
        "test_large_value_within_autocast_scope": MIXED,
        "*renorm*": "renormalizes batches, which no chapter needs",
        "test_serialization": "renormalizes batches, which no chapter needs",
    },
    "layers/normalization/spectral_normalization_test.py": {},
    "layers/normalization/group_normalization_test.py": {
        "test_large_value_within_autocast_scope": MIXED,
        "test_mixed_precision_large_input_no_nan": MIXED,
        "test_undefined_dim_error": LATER,
    },
    "layers/activations/relu_test.py": {},
    "layers/activations/leaky_relu_test.py": {},
    "layers/activations/softmax_test.py": {},
    "layers/rnn/bidirectional_test.py": {
        "test_correctness": "merges nothing: a layer around others returns one array here",
        "test_*fused_*": CUDNN,
        "test_keeps_use_cudnn": CUDNN,
        "test_output_shape": "asks for the states of both directions besides",
        "test_return_state": "asks for the states of both directions besides",
    },
    "layers/rnn/time_distributed_test.py": {
        "test_masking": "derives a layer from Wrapper, whose work sublayers do here",
        "test_with_mask_zero": "looks up numbers that are not whole, which is refused",
    },
    "layers/rnn/lstm_test.py": {},
    "layers/rnn/gru_test.py": {},
    "layers/rnn/simple_rnn_test.py": {},
    "layers/pooling/max_pooling_test.py": {},
    "layers/pooling/average_pooling_test.py": {},
    "layers/pooling/global_average_pooling_test.py": {},
    "layers/pooling/global_max_pooling_test.py": {},
}
