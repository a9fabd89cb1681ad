"""What is in no table, and why, by patterns: ``layers.*.call`` is every layer's ``call``."""

STEP = (
    "inside a training step: what calls it, a layer's __call__, a loss's __call__ or fit, has "
    "looked at the data, and looking again would cost every step"
)
HOOK = "called by fit, evaluate and predict at their moments, with logs of their own making"
SHAPES = "given a shape that build, which comes before, has looked at"
BUILD = "every layer's build is wrapped, and the wrapper looks at the shape first"
SAME_DOOR = "the base's method is in the table, and this one comes in through the same check"
OWN_MAKING = "called by the library's own loop with arrays and parameters of its own making"
ANY_LIBRARY = "on the training path, and with tensors of any library: the weights of a model"
RECORD = "a record that authors of exercises fill; every contract in the course is itself tested"
STUDENT = "whatever a student wrote is judged here: what is wrong with it is a verdict, no error"
DOOR = "the check itself: what fit, evaluate and predict take is in the table, and comes by here"
DRAWN = "called by __call__, which has looked at the shape and the generator"

PATTERNS: dict[str, str] = {
    # Layers.
    "layers.*.call": STEP,
    "layers.*.backward": STEP,
    "layers.*.forward": STEP,
    "layers.*.back": STEP,
    "layers.*.backward_linear": STEP,
    "layers.*.effective_kernel": STEP,
    "layers.*.mask_shape": STEP,
    "layers.*.step": STEP,
    "layers.*.step_back": STEP,
    "layers.*.write_gradients": STEP,
    "layers.*.compute_mask": STEP,
    "layers.*.derivatives": STEP,
    "layers.*.merge": STEP,
    "layers.Layer.propagate_back": STEP,
    "layers.Node.hand_out": STEP,
    "layers.*.build": BUILD,
    "layers.*.compute_output_shape": SHAPES,
    "layers.*.shape_after": SHAPES,
    "layers.Layer.seed_from": "called by models, with a SeedSequence of their own",
    "layers.Layer.set_weight_options": "called by constructors, whose arguments are in the table",
    "layers.Layer.add_weight": "called by build, whose shape has been looked at",
    "layers.Parameter.bind": OWN_MAKING,
    "layers.Pipeline.__call__": "hands on to its layers, each of which looks at its inputs",
    "layers.*.get_random_transformation": SAME_DOOR,
    "layers.*.transform_images": SAME_DOOR,
    "layers.*.transform_segmentation_masks": SAME_DOOR,
    # Losses, metrics and optimizers.
    "losses.*.call": STEP,
    "losses.*.derivative": STEP,
    "losses.*.element": STEP,
    "losses.*.slope": STEP,
    "losses.*.both": STEP,
    "losses.*.both_linked": STEP,
    "losses.*.align": SAME_DOOR,
    "metrics.Metric.update_state": "a base without a body: its subclasses say what they take",
    "metrics.Metric.__call__": "hands on to update_state, which looks at what came",
    "optimizers.*.update": OWN_MAKING,
    "optimizers.*.new_slot": OWN_MAKING,
    "optimizers.*.step": OWN_MAKING,
    "optimizers.Block.holds": OWN_MAKING,
    "optimizers.Optimizer.decays": OWN_MAKING,
    "optimizers.*.finalize_variable_values": "takes Keras's argument, and has no use for it",
    "schedules.*.rate": "called by __call__, which has looked at the step",
    # Models.
    "models.*.forward": STEP,
    "models.*.backward": STEP,
    "models.*.train_step": STEP,
    "models.BaseModel.build": "a base without a body: Sequential and Model say what they take",
    "models.Model.build": "the shapes are those of the graph, whose nodes were looked at",
    "models.Nested.build": BUILD,
    "models.Nested.call": STEP,
    "models.Nested.compute_mask": STEP,
    "models.*.compute_output_shape": SHAPES,
    "models.aims": OWN_MAKING,
    "*.check_inputs": DOOR,
    "*.check_targets": DOOR,
    "*.arrange_outputs": "called by predict with the outputs of the model itself",
    "models.*.save": "it is models.save_model, which is in the table",
    # The ground.
    "callbacks.*.on_*": HOOK,
    "callbacks.Monitor.improves": HOOK,
    "callbacks.Monitor.monitored": HOOK,
    "callbacks.Callback.set_params": HOOK,
    "callbacks.Callback.set_model": HOOK,
    "constraints.*.__call__": ANY_LIBRARY,
    "regularizers.*.__call__": ANY_LIBRARY,
    "regularizers.*.gradient": ANY_LIBRARY,
    "initializers.*.draw": DRAWN,
    # Beside.
    "ops.*": "NumPy's functions under other names: NumPy refuses what it cannot use",
    "random.*": "shape and seed are declared; of what they describe, NumPy refuses the rest",
    "saving.serialize_keras_object": "anything may come: what has no config is refused",
    "saving.deserialize_keras_object": "plain data stays as it is; descriptions have their own",
    "utils.clear_session": "takes Keras's argument, and has no use for it",
    "utils.*": "declared beside the functions, and tried in test_utils.py",
    "utils.PyDataset": "takes Keras's arguments, and has no use for them",
    "interop.*": "needs Keras: test_interop_bad_input.py has the cases",
    "exercises.checking.Chapter": RECORD,
    "exercises.checking.Aspect": RECORD,
    "exercises.checking.Exercise": RECORD,
    "exercises.checking.Exercise.examine": STUDENT,
    "exercises.checking.CheckFailed": STUDENT,
    "exercises.normalize.main": "a command line: argparse refuses what it does not know",
}
