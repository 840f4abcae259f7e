"""Pure physics: functions of arrays in SI units, without state, hidden random numbers or side effects.

Samplers take their generator as an argument.

Every public function broadcasts over leading axes, names its units and cites the document and equation it implements.
Import the subject modules (``from ntn_gym.physics import geometry``); nothing is re-exported here, so that importing
one subject does not load the others.
"""
