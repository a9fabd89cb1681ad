"""What Keras 3.15 has and this library has not, and what it does otherwise: all in one place.

``NAMES`` says for each module which of Keras's public names are missing, and what to use instead
or why there is nothing; ``from reglib.layers import Conv3D`` answers with that sentence. ``PARTS``
are modules of which only a part is there. Arguments that are missing are in ``ARGUMENTS``, the
rest is in ``BEHAVIOUR``. Where Keras contradicts its own
documentation its numbers count, and the docstring of the layer says so.
"""

from __future__ import annotations

_VOLUMES = "volumes are out of scope; images and sequences have layers"
_ATTENTION = "attention is out of scope; LSTM and GRU read sequences"
_CELLS = "a cell by itself is out of scope; LSTM, GRU and SimpleRNN are whole layers"
_MOVING = "write a Layer whose call moves the numbers and whose backward moves them back"
_IN_NUMPY = "prepare the data with NumPy or pandas before training"
_OTHER_LIBRARIES = "other libraries' layers are out of scope; reglib.interop goes to Keras and back"
_SEPARABLE = "use Conv2D or Conv1D; with groups it is depthwise"
_COLORS = "use RandomBrightness, RandomContrast or RandomColorDegeneration"
_BENT = "use RandomRotation, RandomShear, RandomTranslation or RandomZoom"
_MERGED = "use Add, Average, Multiply or Concatenate; nodes can be subtracted, a - b"
_ODD_ACTIVATION = "use relu, elu, gelu, silu or tanh, or an Activation with its derivative"
_ODD_LOSS = "write a Loss of your own, with its derivative"
_OWN_METRIC = "write a function of y_true and y_pred, or a Metric of your own"
_CURVE = "use AUC, or Precision and Recall at several thresholds"
_SEGMENTATION = "segmentation and boxes are out of scope"
_LOSS_FUNCTION = "use the function of the same name in reglib.losses"
_DTYPE = "there is one precision for all, float32 or float64: see reglib.config"

NAMES: dict[str, dict[str, str]] = {
    "": {
        "DTypePolicy FloatDTypePolicy Quantizer dtype_policies mixed_precision quantizers": _DTYPE,
        "device distribution": "there is one device, the processor",
        "Function KerasTensor Operation name_scope tree": "models are made of layers.Node",
        "RematScope StatelessScope SymbolicScope remat": "nothing is traced: every call computes",
        "InputSpec": "a layer checks its inputs in build and call",
        "applications": "ready networks are out of scope",
        "distillation": "train on losses.KLDivergence with the teacher's predictions as targets",
        "export": "models.save_model and interop.to_keras take a model elsewhere",
        "legacy src": "there is nothing of older versions",
        "preprocessing": _IN_NUMPY,
        "version": "use reglib.__version__",
        "visualization": "use model.summary and reglib.plotting",
        "wrappers": "scikit-learn's wrappers are out of scope",
    },
    "activations": {
        "celu hard_silu hard_swish hard_tanh mish relu6 squareplus tanh_shrink": _ODD_ACTIVATION,
        "hard_shrink soft_shrink threshold": "textbook.soft_threshold has the lasso's step",
        "log_sigmoid": "use softplus: log_sigmoid(z) is -softplus(-z)",
        "glu": "it halves its inputs, and an activation keeps their shape",
        "sparse_plus sparse_sigmoid sparsemax": "use softplus, sigmoid and softmax",
    },
    "callbacks": {
        "BackupAndRestore": "use ModelCheckpoint and models.load_model",
        "OrbaxCheckpoint": "use ModelCheckpoint",
        "ProgbarLogger": "fit shows its progress: see verbose",
        "RemoteMonitor TensorBoard": "use CSVLogger, History.to_frame and reglib.plotting",
    },
    "initializers": {
        "STFT STFTInitializer stft": "sound is out of scope",
    },
    "layers": {
        "AveragePooling3D AvgPool3D Conv3D Conv3DTranspose ConvLSTM3D Convolution3D "
        "Convolution3DTranspose Cropping3D GlobalAveragePooling3D GlobalAvgPool3D GlobalMaxPool3D "
        "GlobalMaxPooling3D MaxPool3D MaxPooling3D SpatialDropout3D UpSampling3D "
        "ZeroPadding3D": _VOLUMES,
        "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D "
        "AdaptiveMaxPooling1D AdaptiveMaxPooling2D "
        "AdaptiveMaxPooling3D": "use pooling with a pool_size, or global pooling",
        "AdditiveAttention Attention GroupQueryAttention MultiHeadAttention": _ATTENTION,
        "GRUCell LSTMCell RNN SimpleRNNCell StackedRNNCells": _CELLS,
        "ConvLSTM1D ConvLSTM2D": "use TimeDistributed(Conv2D(...)) before LSTM",
        "Conv1DTranspose Conv2DTranspose Convolution1DTranspose "
        "Convolution2DTranspose": "networks that make images are out of scope",
        "DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D SeparableConvolution1D "
        "SeparableConvolution2D": _SEPARABLE,
        "Cropping1D Cropping2D Permute RepeatVector UpSampling1D UpSampling2D": _MOVING,
        "ZeroPadding1D": "use padding='same' or padding='causal' of Conv1D",
        "Dot Maximum Minimum Subtract dot maximum minimum subtract": _MERGED,
        "ELU": "use Activation('elu')",
        "PReLU": "use LeakyReLU, whose slope is given",
        "RMSNormalization UnitNormalization": "use LayerNormalization",
        "EinsumDense": "use Dense, which works along the last axis, and Reshape",
        "ReversibleEmbedding": "use Embedding and Dense",
        "Lambda": "write a Layer of your own, with backward",
        "Wrapper": "write a Layer whose sublayers are those around which it is",
        "InputSpec": "a layer checks its inputs in build and call",
        "CategoryEncoding Discretization HashedCrossing Hashing IntegerLookup StringLookup "
        "TextVectorization": _IN_NUMPY,
        "MelSpectrogram STFTSpectrogram": "sound is out of scope",
        "MaxNumBoundingBoxes": _SEGMENTATION,
        "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper": _OTHER_LIBRARIES,
        "AugMix": "use RandAugment",
        "CenterCrop": "use RandomCrop, whose crop is central at prediction, or Resizing",
        "ContrastLimitedAdaptiveHistogramEqualization": "use Equalization",
        "RandomElasticTransform RandomPerspective": _BENT,
        "RandomColorJitter RandomGrayscale RandomHue RandomSaturation": _COLORS,
        "RandomGaussianBlur": "use GaussianNoise, or RandomSharpness",
        "RandomInvert": "use Solarization",
    },
    "losses": {
        "CategoricalHinge Hinge SquaredHinge categorical_hinge hinge "
        "squared_hinge": "use a cross-entropy; " + _ODD_LOSS,
        "BinaryFocalCrossentropy CategoricalFocalCrossentropy binary_focal_crossentropy "
        "categorical_focal_crossentropy": "use a cross-entropy with class_weight in fit",
        "CategoricalGeneralizedCrossEntropy "
        "categorical_generalized_cross_entropy": "use label_smoothing against wrong labels",
        "LogCosh log_cosh": "use Huber",
        "MeanSquaredLogarithmicError "
        "mean_squared_logarithmic_error": "use MeanSquaredError of the targets' logarithms",
        "CosineSimilarity Poisson cosine_similarity poisson": _ODD_LOSS,
        "CTC Circle Dice Tversky circle ctc dice tversky": _SEGMENTATION,
    },
    "metrics": {
        "PrecisionAtRecall RecallAtPrecision SensitivityAtSpecificity "
        "SpecificityAtSensitivity": _CURVE,
        "CategoricalHinge ConcordanceCorrelation CosineSimilarity Hinge KLDivergence LogCoshError "
        "MeanSquaredLogarithmicError PearsonCorrelation Poisson SquaredHinge "
        "binary_focal_crossentropy categorical_focal_crossentropy categorical_hinge "
        "concordance_correlation hinge log_cosh "
        "mean_squared_logarithmic_error pearson_correlation poisson squared_hinge": _OWN_METRIC,
        "binary_crossentropy categorical_crossentropy huber kl_divergence mean_absolute_error "
        "mean_absolute_percentage_error mean_squared_error "
        "sparse_categorical_crossentropy": _LOSS_FUNCTION,
        "BinaryIoU IoU MeanIoU OneHotIoU OneHotMeanIoU": _SEGMENTATION,
    },
    "optimizers": {
        "Adadelta Adafactor Adagrad Adamax Ftrl Lamb Muon Nadam "
        "ScheduleFreeAdamW": "use SGD, RMSprop, Adam, AdamW or Lion",
        "LossScaleOptimizer": "there is no float16, whose gradients would have to be scaled",
        "MultiOptimizer OptimizerMap": "one optimizer trains all weights of a model",
        "legacy": "there is nothing of older versions",
    },
    "schedules": {
        "CosineDecayRestarts": "use CosineDecay",
        "InverseTimeDecay PolynomialDecay": "use ExponentialDecay, or any function of the step",
    },
}

# Modules that have only a part of Keras's names, too many to list the others.
PARTS = {
    "backend": "what custom layers ask for",
    "config": "the precision and the smallest number; nothing else is global",
    "datasets": "data that ship with it or are generated; nothing is downloaded",
    "ops": "what custom layers, losses and metrics need; on arrays NumPy has the rest",
    "saving": "registering, and saving and loading of whole models; weights are a model's methods",
    "utils": "seeds, categories, sequences of batches and custom objects",
}

ARGUMENTS = {
    "lora_alpha": "low-rank adaptation is out of scope",
    "lora_rank": "low-rank adaptation is out of scope",
    "loss_scale_factor": "there is no float16",
    "quantization_config": "quantization is out of scope",
    "renorm": "batch renormalization is out of scope",
    "renorm_clipping": "batch renormalization is out of scope",
    "renorm_momentum": "batch renormalization is out of scope",
    "synchronized": "there is one device",
    "unroll": "loops are always plain",
    "use_cudnn": "there is no GPU",
    "weights": "set_weights sets them",
}

BEHAVIOUR: dict[str, str] = {
    "a number of NumPy": "np.float32(0.5) is a number; some of Keras's constructors refuse it.",
    "a whole number": "A whole number will do for a float: learning_rate=1, momentum=0.",
    "thresholds in a tuple": "A tuple of thresholds is as good as a list.",
    "a table of lists": "Embedding takes a list of rows as its weights; Keras fails on it.",
    "brightness of integers": "RandomBrightness turns whole numbers into floats and then adds; "
    "Keras rounds down what it adds to them.",
    "shear from its config": "RandomShear is rebuilt from its config; Keras's fails on it.",
    "shear config": "The config of RandomShear has the factors as given, not as pairs.",
    "resized integers": "Resizing gives floats for whole numbers; Keras rounds them back.",
    "mixed masks": "MixUp blends masks image by image; Keras flattens the batch of masks.",
    "misspelled mode": "RandomFlip refuses a misspelled mode; Keras then flips nothing.",
    "unknown fill": "RandomZoom refuses an unknown fill_mode; Keras fails when it is called.",
    "mixing without weight": "MixUp refuses alpha=0, with which nothing can be drawn.",
    "empty pipeline": "Pipeline refuses an empty list; Keras fails when it is called.",
}
