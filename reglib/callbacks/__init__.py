"""What happens beside training: Keras's callback protocol, and the callbacks that regularize."""

from __future__ import annotations

from functools import partial

from reglib._absent import refuse
from reglib.callbacks.averaging import SWA as SWA
from reglib.callbacks.averaging import SwapEMAWeights as SwapEMAWeights
from reglib.callbacks.base import Callback as Callback
from reglib.callbacks.base import Logs as Logs
from reglib.callbacks.callback_list import CallbackList as CallbackList
from reglib.callbacks.moments import LambdaCallback as LambdaCallback
from reglib.callbacks.moments import LearningRateScheduler as LearningRateScheduler
from reglib.callbacks.moments import TerminateOnNaN as TerminateOnNaN
from reglib.callbacks.monitors import EarlyStopping as EarlyStopping
from reglib.callbacks.monitors import ModelCheckpoint as ModelCheckpoint
from reglib.callbacks.monitors import Monitor as Monitor
from reglib.callbacks.monitors import ReduceLROnPlateau as ReduceLROnPlateau
from reglib.callbacks.monitors import monitor_comparison as monitor_comparison
from reglib.callbacks.records import CSVLogger as CSVLogger
from reglib.callbacks.records import History as History

__getattr__ = partial(refuse, __name__)
