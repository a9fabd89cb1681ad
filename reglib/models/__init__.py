"""Models: how layers are connected, trained and saved."""

from reglib.models.base import BaseModel as BaseModel
from reglib.models.batch_statistics import renew_batch_statistics as renew_batch_statistics
from reglib.models.cloning import clone_model as clone_model
from reglib.models.functional import Model as Model
from reglib.models.nested import Nested as Nested
from reglib.models.saving import aims as aims
from reglib.models.saving import load_model as load_model
from reglib.models.saving import model_from_json as model_from_json
from reglib.models.saving import save_model as save_model
from reglib.models.sequential import Sequential as Sequential
from reglib.models.trainer import Trainer as Trainer
