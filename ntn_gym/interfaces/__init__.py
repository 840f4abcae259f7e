"""Faces of the engine: Gymnasium Env and VectorEnv, PettingZoo ParallelEnv, SB3 VecEnv."""
