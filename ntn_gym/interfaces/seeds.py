"""Seeds of environments that nobody has seeded."""

from __future__ import annotations

import gymnasium as gym


def own_seed(env: gym.Env | gym.vector.VectorEnv) -> int:
    """Return the seed of the environment's own generator, made from entropy where it has none yet.

    ``env.np_random_seed`` then repeats the worlds of an environment that was reset without a seed.
    """
    seed = env.np_random_seed
    # Gymnasium says -1 when someone has put in a generator of unknown seed.
    return int(env.np_random.integers(2**31)) if seed is None or seed < 0 else int(seed)
