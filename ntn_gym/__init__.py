"""ntn_gym: reinforcement-learning environments for non-terrestrial networks.

Importing this package registers every environment with Gymnasium and PettingZoo::

    import gymnasium as gym
    import ntn_gym

    env = gym.make("NTN/Handover-v0", preset="beams")
"""

__version__ = "0.1.0"

from ntn_gym.interfaces.registration import register_environments

register_environments()
