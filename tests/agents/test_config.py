"""Training configurations: rl-zoo3's format, read without evaluating anything."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ntn_gym.core.registry import entries, find_entry
from ntn_gym.evaluation.problem import preset_names
from ntn_gym_agents.config import TOP_LEVEL, algorithm_of, check_config, config_folder, config_names, load_config
from ntn_gym_agents.networks import NETWORKS, SLOT_POLICIES

SHIPPED = [(entry.id, name) for entry in entries().values() for name in config_names(entry.name)]
HANDOVER = "NTN/Handover-v0"


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yml"
    path.write_text(text, encoding="utf-8")
    return path


def section(**changes: object) -> dict[str, object]:
    return {"n_timesteps": 1000, "policy": "MlpPolicy", **changes}


@pytest.mark.parametrize(("environment", "name"), SHIPPED)
def test_every_shipped_configuration_is_valid_for_every_preset(environment: str, name: str) -> None:
    for preset in preset_names(environment):
        load_config(environment, name, preset)


@pytest.mark.parametrize(("environment", "name"), SHIPPED)
def test_rl_zoo_can_read_every_shipped_configuration(environment: str, name: str) -> None:
    """The conventions of rl-zoo3's ``ExperimentManager``: see its read_hyperparameters and _preprocess_*."""
    package = find_entry(environment).task.split(".")[2]  # ntn_gym.envs.handover.task:HandoverTask
    content = yaml.safe_load((config_folder() / package / f"{name}.yml").read_text(encoding="utf-8"))
    values = content[environment]
    assert int(values["n_timesteps"]) > 0 and isinstance(values["n_envs"], int)
    for key, value in values.items():
        if isinstance(value, str) and key != "policy":
            # The only text it does not hand to eval() is a schedule in one of these two keys; SAC reads "auto".
            if key == "ent_coef" and value.startswith("auto"):
                continue
            assert key in ("learning_rate", "clip_range"), key
            kind, number = value.split("_")
            assert kind == "lin" and float(number) > 0
    kind = NETWORKS[algorithm_of(name)][values["policy"]].kind
    if kind == "plain":
        # SB3's own policies take a class here, which YAML cannot name; the slot policies take a name, too.
        assert "activation_fn" not in values.get("policy_kwargs", {})
    for key in content:
        assert key in (environment, *TOP_LEVEL) or key.startswith(f"{environment}/")


def test_handover_ships_the_four_configurations_that_are_promised() -> None:
    assert {"ppo", "ppo-mlp", "dqn", "maskable-ppo"} <= set(config_names("Handover"))


def test_a_section_of_a_preset_replaces_single_values(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        f"{HANDOVER}: {{n_timesteps: 1000, policy: MlpPolicy, gamma: 0.9, "
        "policy_kwargs: {net_arch: [8], ortho_init: true}}\n"
        f"{HANDOVER}/tiny: {{gamma: 0.5, policy_kwargs: {{net_arch: [4, 4]}}}}\n",
    )
    assert load_config(HANDOVER, "ppo", "beams", file).gamma == 0.9
    tiny = load_config(HANDOVER, "ppo", "tiny", file)
    assert tiny.gamma == 0.5 and tiny.n_timesteps == 1000
    assert tiny.policy_kwargs.model_dump(exclude_none=True) == {"net_arch": [4, 4], "ortho_init": True}


def test_pretraining_stands_where_rl_zoo_does_not_look(tmp_path: Path) -> None:
    base = f"{HANDOVER}: {{n_timesteps: 1000, policy: MlpPolicy"
    file = written(tmp_path, base + "}\npretrain: {heuristic: composite, steps: 500}\n")
    config = load_config(HANDOVER, "ppo", None, file)
    assert config.pretrain is not None and config.pretrain.steps == 500
    assert "pretrain" not in config.hyperparameters()
    with pytest.raises(ValueError, match="pretrain stands at the top level"):
        load_config(HANDOVER, "ppo", None, written(tmp_path, base + ", pretrain: {heuristic: composite}}\n"))


def test_only_values_that_are_given_reach_the_algorithm() -> None:
    config = check_config("ppo", section(gamma=0.9, learning_rate="lin_1e-3", n_envs=4), "test")
    assert config.hyperparameters() == {"gamma": 0.9, "learning_rate": "lin_1e-3"}


def test_step_counts_may_be_written_as_rl_zoo_writes_them(tmp_path: Path) -> None:
    file = written(tmp_path, f"{HANDOVER}: {{n_timesteps: !!float 1e6, policy: MlpPolicy}}\n")
    assert load_config(HANDOVER, "ppo", None, file).n_timesteps == 1_000_000


@pytest.mark.parametrize(
    ("algorithm", "changes", "message"),
    [
        ("ppo", {"gama": 0.9}, "unknown key gama for ppo; allowed are .*gamma"),
        ("ppo", {"buffer_size": 10}, "unknown key buffer_size for ppo"),
        ("dqn", {"n_epochs": 10}, "unknown key n_epochs for dqn"),
        ("ppo", {"callback": "os.system"}, "unknown key callback"),
        ("ppo", {"gamma": 1.5}, "gamma = 1.5: .*less than or equal to 1"),
        ("ppo", {"gamma": "0.9"}, "gamma = '0.9': .*number"),
        ("ppo", {"learning_rate": -1e-3}, "learning_rate = -0.001: needed is a number above 0"),
        ("ppo", {"learning_rate": "cos_1e-3"}, "learning_rate = 'cos_1e-3'"),
        ("ppo", {"learning_rate": "1e-3"}, "learning_rate = '1e-3'"),
        ("ppo", {"learning_rate": "lin_exit()"}, "lin_exit"),
        ("ppo", {"learning_rate": True}, "learning_rate = True"),
        ("ppo", {"ent_coef": float("nan")}, "ent_coef"),
        ("ppo", {"n_timesteps": 0}, "n_timesteps = 0"),
        ("ppo", {"n_timesteps": 10.5}, "n_timesteps = 10.5"),
        ("ppo", {"n_envs": "8"}, "n_envs = '8'"),
        ("ppo", {"policy": "CnnPolicy"}, "policy = 'CnnPolicy'; allowed for ppo are MlpPolicy"),
        ("ppo", {"policy": SLOT_POLICIES["dqn"]}, "allowed for ppo"),
        ("ppo", {"policy_kwargs": "dict(net_arch=[8])"}, "policy_kwargs"),
        ("ppo", {"policy_kwargs": {"activation_fn": "nn.Tanh"}}, "activation_fn = 'nn.Tanh'"),
        ("ppo", {"policy_kwargs": {"net_arch": [0]}}, "net_arch"),
        ("ppo", {"policy_kwargs": {"context": True}}, "policy_kwargs.context belongs to"),
        ("dqn", {"policy_kwargs": {"net_arch": {"pi": [8], "vf": [8]}}}, "of dqn is one list"),
        ("ppo", {"normalize": True}, "normalize"),
        ("ppo", {"normalize": {"norm_obs": True}}, "norm_obs"),
        ("ppo", {"env_kwargs": {"n_worlds": 0}}, "n_worlds = 0"),
        ("ppo", {"env_kwargs": {"render_mode": "human"}}, "render_mode"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(algorithm: str, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_config(algorithm, section(**changes), "test")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not readable YAML"),
        ("!!python/object/apply:os.getcwd []", "not readable YAML"),
        ("- 1", "needs the top-level key NTN/Handover-v0"),
        ("NTN/Other-v0: {}", "needs the top-level key NTN/Handover-v0"),
        (f"{HANDOVER}: {{n_timesteps: 10, policy: MlpPolicy}}\n{HANDOVER}/tiny: 3", "section NTN/Handover-v0/tiny"),
        (f"{HANDOVER}: {{policy: MlpPolicy}}", "n_timesteps"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_config(HANDOVER, "ppo", "tiny", written(tmp_path, text))


def test_a_section_for_a_preset_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    text = f"{HANDOVER}: {{n_timesteps: 10, policy: MlpPolicy}}\n{HANDOVER}/beems: {{gamma: 0.9}}"
    with pytest.raises(ValueError, match=r"beems.*known are .*beams"):
        load_config(HANDOVER, "ppo", "tiny", written(tmp_path, text))


def test_names_of_configurations() -> None:
    assert [algorithm_of(name) for name in ("ppo", "ppo-mlp", "maskable-ppo", "maskable-ppo-x", "dqn-big")] == [
        "ppo", "ppo", "maskable-ppo", "maskable-ppo", "dqn",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="names no algorithm; known are ppo"):
        algorithm_of("ppox")
    with pytest.raises(ValueError, match=r"has no configuration .ppo-secret.; it has .*dqn"):
        load_config("Handover", "ppo-secret")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_config("Handover", "ppo", file="nowhere.yml")
    with pytest.raises(ValueError, match="unknown environment"):
        load_config("Handoff", "ppo")
