"""Models: how layers are connected, trained and saved."""

from reglib.models.functional import Model as Model
from reglib.models.functional import Nested as Nested
from reglib.models.functional import Sequential as Sequential
from reglib.models.functional import aims as aims
from reglib.models.functional import clone_model as clone_model
from reglib.models.functional import load_model as load_model
from reglib.models.functional import model_from_json as model_from_json
from reglib.models.functional import save_model as save_model
from reglib.models.trainer import Trainer as Trainer
