"""Layers, under Keras's names."""

from reglib.layers.augmentation import *  # noqa: F403
from reglib.layers.base import Layer as Layer
from reglib.layers.base import Node as Node
from reglib.layers.base import Parameter as Parameter
from reglib.layers.base import deserialize as deserialize
from reglib.layers.base import serialize as serialize
from reglib.layers.convolution import AveragePooling2D as AveragePooling2D
from reglib.layers.convolution import Conv1D as Conv1D
from reglib.layers.convolution import Conv2D as Conv2D
from reglib.layers.convolution import GlobalAveragePooling2D as GlobalAveragePooling2D
from reglib.layers.convolution import MaxPooling2D as MaxPooling2D
from reglib.layers.core import Activation as Activation
from reglib.layers.core import Dense as Dense
from reglib.layers.core import Embedding as Embedding
from reglib.layers.core import Flatten as Flatten
from reglib.layers.core import Reshape as Reshape
from reglib.layers.merging import Add as Add
from reglib.layers.merging import Concatenate as Concatenate
from reglib.layers.merging import Input as Input
from reglib.layers.merging import InputLayer as InputLayer
from reglib.layers.normalization import BatchNormalization as BatchNormalization
from reglib.layers.normalization import LayerNormalization as LayerNormalization
from reglib.layers.normalization import SpectralNormalization as SpectralNormalization
from reglib.layers.recurrent import GRU as GRU
from reglib.layers.recurrent import LSTM as LSTM
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
