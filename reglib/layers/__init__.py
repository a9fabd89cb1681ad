"""Layers, under Keras's names."""

from functools import partial

from reglib._absent import refuse
from reglib.layers.activation_layers import LeakyReLU as LeakyReLU
from reglib.layers.activation_layers import ReLU as ReLU
from reglib.layers.activation_layers import Softmax as Softmax
from reglib.layers.augmentation import *  # noqa: F403
from reglib.layers.base import Layer as Layer
from reglib.layers.base import Node as Node
from reglib.layers.base import Parameter as Parameter
from reglib.layers.base import deserialize as deserialize
from reglib.layers.base import serialize as serialize
from reglib.layers.convolution import Conv1D as Conv1D
from reglib.layers.convolution import Conv2D as Conv2D
from reglib.layers.core import Activation as Activation
from reglib.layers.core import Dense as Dense
from reglib.layers.core import Embedding as Embedding
from reglib.layers.core import Flatten as Flatten
from reglib.layers.core import Masking as Masking
from reglib.layers.core import Reshape as Reshape
from reglib.layers.gated import GRU as GRU
from reglib.layers.gated import LSTM as LSTM
from reglib.layers.inputs import Input as Input
from reglib.layers.inputs import InputLayer as InputLayer
from reglib.layers.merging import Add as Add
from reglib.layers.merging import Average as Average
from reglib.layers.merging import Concatenate as Concatenate
from reglib.layers.merging import Multiply as Multiply
from reglib.layers.merging import add as add
from reglib.layers.merging import average as average
from reglib.layers.merging import concatenate as concatenate
from reglib.layers.merging import multiply as multiply
from reglib.layers.normalization import BatchNormalization as BatchNormalization
from reglib.layers.normalization import GroupNormalization as GroupNormalization
from reglib.layers.normalization import LayerNormalization as LayerNormalization
from reglib.layers.normalization import SpectralNormalization as SpectralNormalization
from reglib.layers.pooling import AveragePooling1D as AveragePooling1D
from reglib.layers.pooling import AveragePooling2D as AveragePooling2D
from reglib.layers.pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from reglib.layers.pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from reglib.layers.pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from reglib.layers.pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from reglib.layers.pooling import MaxPooling1D as MaxPooling1D
from reglib.layers.pooling import MaxPooling2D as MaxPooling2D
from reglib.layers.preprocessing import Normalization as Normalization
from reglib.layers.recurrent import SimpleRNN as SimpleRNN
from reglib.layers.regularization import ActivityRegularization as ActivityRegularization
from reglib.layers.regularization import AlphaDropout as AlphaDropout
from reglib.layers.regularization import DropBlock as DropBlock
from reglib.layers.regularization import DropConnect as DropConnect
from reglib.layers.regularization import Dropout as Dropout
from reglib.layers.regularization import DropPath as DropPath
from reglib.layers.regularization import GaussianDropout as GaussianDropout
from reglib.layers.regularization import GaussianNoise as GaussianNoise
from reglib.layers.regularization import SpatialDropout1D as SpatialDropout1D
from reglib.layers.regularization import SpatialDropout2D as SpatialDropout2D
from reglib.layers.reshaping import Identity as Identity
from reglib.layers.reshaping import ZeroPadding2D as ZeroPadding2D
from reglib.layers.wrapping import Bidirectional as Bidirectional
from reglib.layers.wrapping import TimeDistributed as TimeDistributed

# Keras's shorter names.
AvgPool1D, AvgPool2D = AveragePooling1D, AveragePooling2D
MaxPool1D, MaxPool2D = MaxPooling1D, MaxPooling2D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
Convolution1D, Convolution2D = Conv1D, Conv2D
Variable = Parameter

__getattr__ = partial(refuse, __name__)
