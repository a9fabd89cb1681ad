"""Layers, under Keras's names."""

from reglib.layers.augmentation import *  # noqa: F403
from reglib.layers.base import Layer as Layer
from reglib.layers.base import Parameter as Parameter
from reglib.layers.core import Activation as Activation
from reglib.layers.core import Dense as Dense
from reglib.layers.core import Flatten as Flatten
from reglib.layers.core import Reshape as Reshape
from reglib.layers.recurrent import GRU as GRU
from reglib.layers.recurrent import LSTM as LSTM
from reglib.layers.recurrent import SimpleRNN as SimpleRNN
from reglib.layers.regularization import Dropout as Dropout
