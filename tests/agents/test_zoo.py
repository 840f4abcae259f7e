"""Loading trained policies: verified first, never unpickled, for any number of worlds and agents."""

from __future__ import annotations

import base64
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3 import PPO

from ntn_gym.core.registry import make_task
from ntn_gym_agents.checkpoints import MANIFEST, sha256
from ntn_gym_agents.jobs import TrainJob
from ntn_gym_agents.training import train
from ntn_gym_agents.zoo import load_policy

MakeJob = Callable[..., TrainJob]
DQN = {"n_envs": 8, "buffer_size": 256, "learning_starts": 32, "batch_size": 16, "target_update_interval": 64}


@pytest.fixture(scope="module", params=["ppo", "ppo-mlp", "maskable-ppo", "dqn"])
def trained(request: pytest.FixtureRequest, small_job: MakeJob) -> Path:
    changes = {"overrides": DQN} if request.param == "dqn" else {}
    job = small_job(algorithm=request.param, steps=128, eval_every=0, **changes)
    return Path(train(job).out)


@pytest.fixture(scope="module")
def stored(small_job: MakeJob) -> Path:
    return Path(train(small_job(steps=128, eval_every=0)).out)


@pytest.fixture
def copy(stored: Path, tmp_path: Path) -> Path:
    target = tmp_path / "copy"
    target.mkdir()
    for name in ("policy.zip", MANIFEST):
        shutil.copy(stored / name, target / name)
    return target


def observations(n_worlds: int, n_agents: int) -> np.ndarray:
    space = make_task("Handover", "tiny").agent_observation_space
    space.seed(5)
    return np.stack([[space.sample() for _ in range(n_agents)] for _ in range(n_worlds)])


def resign(folder: Path) -> None:
    """Make the manifest agree with a file again, as somebody with bad intentions would."""
    manifest = json.loads((folder / MANIFEST).read_text())
    path = folder / "policy.zip"
    manifest["files"]["policy.zip"] = {"sha256": sha256(path), "bytes": path.stat().st_size}
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_every_kind_of_policy_decides_for_worlds_and_agents(trained: Path) -> None:
    policy = load_policy(trained)
    assert policy.manifest["preset"] == "tiny"
    observation = observations(3, 2)
    mask = np.ones((3, 2, 4), dtype=bool)
    action = policy.act(observation, mask, np.zeros(3, dtype=bool))
    assert action.shape == (3, 2) and action.dtype.kind == "i"
    for world in range(3):
        for agent in range(2):
            alone = policy.act(observation[world, agent][None, None], mask[:1, :1], np.zeros(1, dtype=bool))
            assert alone[0, 0] == action[world, agent]
    np.testing.assert_array_equal(load_policy(trained / "policy.zip").act(observation, mask, np.zeros(3, bool)), action)


def test_a_stochastic_policy_draws(stored: Path) -> None:
    observation = np.repeat(observations(1, 1), 400, axis=0)
    slots = observation[..., : 4 * 15].reshape(400, 4, 15)
    slots[..., 0] = 1.0
    drawn = load_policy(stored, deterministic=False).act(observation, None, np.zeros(400, bool))
    assert len(np.unique(drawn)) > 1
    assert len(np.unique(load_policy(stored).act(observation, None, np.zeros(400, bool)))) == 1


def test_a_maskable_policy_obeys_the_mask(small_job: MakeJob) -> None:
    folder = train(small_job(algorithm="maskable-ppo", steps=128, eval_every=0)).out
    observation = observations(50, 1)
    slots = observation[..., : 4 * 15].reshape(50, 4, 15)
    slots[..., 0] = 1.0
    for only in range(4):
        mask = np.zeros((50, 1, 4), dtype=bool)
        mask[..., only] = True
        assert (load_policy(folder).act(observation, mask, np.zeros(50, bool)) == only).all()


def test_an_observation_of_another_size_is_refused(stored: Path) -> None:
    with pytest.raises(ValueError, match=r"observations of \(67,\) numbers, here they have 127.*preset tiny"):
        load_policy(stored).act(np.zeros((1, 1, 127), np.float32), None, np.zeros(1, bool))


class Trap:
    """A pickle that creates a file when it is read."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.witness,)


def plant(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change one member of a stored model and sign the file again."""
    changed = folder / "changed.zip"
    with zipfile.ZipFile(folder / "policy.zip") as source, zipfile.ZipFile(changed, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            target.writestr(member, change(content) if member == name else content)
    changed.replace(folder / "policy.zip")
    resign(folder)


def test_a_trap_in_place_of_the_weights_is_refused(copy: Path, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    plant(copy, "policy.pth", lambda _: pickle.dumps(Trap(witness), protocol=2))
    with pytest.raises(ValueError, match="does not hold plain arrays"):
        load_policy(copy)
    assert not witness.exists()


def test_a_trap_in_the_settings_is_never_read(copy: Path, tmp_path: Path) -> None:
    witness = tmp_path / "witness"

    def change(content: bytes) -> bytes:
        values = json.loads(content)
        values["policy_class"][":serialized:"] = base64.b64encode(pickle.dumps(Trap(witness))).decode()
        return json.dumps(values).encode()

    plant(copy, "data", change)
    load_policy(copy)
    assert not witness.exists()
    with pytest.raises(Exception):  # noqa: B017  the trap works: who unpickles is caught
        PPO.load(copy / "policy.zip", device="cpu")
    assert witness.exists()


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda folder: (folder / MANIFEST).unlink(), FileNotFoundError, "no trained policy.*manifest.json is missing"),
        (lambda folder: (folder / MANIFEST).write_text("{"), ValueError, "no readable manifest.json"),
        (lambda folder: (folder / "policy.zip").unlink(), ValueError, "policy.zip is missing"),
        (lambda folder: (folder / "policy.zip").write_bytes(b"PK"), ValueError, "cut short"),
    ],
)
def test_damage_is_told(copy: Path, damage: Callable[[Path], object], error: type[Exception], message: str) -> None:
    damage(copy)
    with pytest.raises(error, match=message):
        load_policy(copy)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("algorithm", "sarsa", "does not describe a policy of this version"),
        ("policy", "os.system", "does not describe a policy of this version"),
        ("policy_kwargs", {"net_arch": [5, 5], "layout": "Handover"}, "does not hold the network"),
    ],
)
def test_a_manifest_of_something_else_is_refused(copy: Path, key: str, value: object, message: str) -> None:
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps(manifest | {key: value}))
    with pytest.raises(ValueError, match=message):
        load_policy(copy)


def test_a_folder_that_is_still_in_training_says_so(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match="the training has not finished"):
        load_policy(tmp_path)


ZOO = Path(__file__).parents[2] / "agents" / "zoo"


@pytest.mark.parametrize("folder", sorted(path.parent for path in ZOO.rglob(MANIFEST)), ids=lambda path: path.name)
def test_every_stored_baseline_plays_its_preset(folder: Path) -> None:
    """Also those stored by earlier versions, whose manifests say less."""
    policy = load_policy(folder)
    task = make_task(policy.manifest["environment"], policy.manifest["preset"])
    space = task.agent_observation_space
    observation = np.zeros((2, task.n_agents, *space.shape), dtype=np.float32)
    action = policy.act(observation, None, np.ones(2, dtype=bool))
    assert action.shape[:2] == (2, task.n_agents)
    assert task.agent_action_space.contains(action[0, 0])
