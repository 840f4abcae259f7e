"""Which algorithm and which network can decide what: checked before anything is built.

| action of an agent | control | algorithms | networks |
|---|---|---|---|
| ``Discrete`` | shared, or one agent | ppo, maskable-ppo, recurrent-ppo, dqn | plain, slots |
| ``Discrete`` | central: ``MultiDiscrete`` | ppo, maskable-ppo, recurrent-ppo | plain, agents |
| ``Box`` | shared, or one agent | ppo, recurrent-ppo, sac | plain |
| ``Box`` | central: one long ``Box`` | ppo, recurrent-ppo, sac | plain, agents |
"""

from __future__ import annotations

from typing import Any, Literal

from gymnasium import spaces

from ntn_gym.core.registry import find_entry
from ntn_gym.core.task import Task
from ntn_gym.interfaces.actions import central_action_space, central_observation_space
from ntn_gym_agents.hyperparameters import TrainConfig
from ntn_gym_agents.layout import layout_of_task, plain, resolve_layout
from ntn_gym_agents.networks import AGENT_SET_POLICIES, network

Control = Literal["shared", "central"]


def control_of(config: TrainConfig) -> Control:
    """Who decides: every agent by itself, if nothing else is said."""
    return config.control or "shared"


def policy_spaces(task: Task, control: Control) -> tuple[spaces.Box, spaces.Space[Any]]:
    """Observation and action space of the policy."""
    if control == "central":
        return central_observation_space(task), central_action_space(task)
    return task.agent_observation_space, task.agent_action_space


def check_actions(algorithm: str, task: Task, control: Control) -> None:
    """Refuse an algorithm that cannot choose such actions.

    Raises:
        ValueError: Saying which can.
    """
    _, space = policy_spaces(task, control)
    continuous = isinstance(space, spaces.Box)
    if algorithm == "sac" and not continuous:
        raise ValueError(f"sac needs continuous actions, here they are {space}: use ppo, maskable-ppo or dqn")
    if algorithm == "maskable-ppo" and continuous:
        raise ValueError(f"maskable-ppo masks discrete actions, here they are {space}: use ppo or sac")
    if algorithm == "dqn" and continuous:
        raise ValueError(f"dqn chooses one of a few actions, here they are {space}: use ppo or sac")
    if algorithm == "dqn" and isinstance(space, spaces.MultiDiscrete):
        raise ValueError(
            f"dqn cannot choose for {task.n_agents} agents at once ({space}): take control: shared, or ppo or "
            "maskable-ppo"
        )


def complete_policy_kwargs(algorithm: str, config: TrainConfig, task: Task, environment: str) -> dict[str, Any]:
    """Fill in what the task knows: slot layout and number of agents.

    Raises:
        ValueError: If the network cannot see or decide what the task asks for.
    """
    arguments = config.policy_kwargs.model_dump(exclude_none=True)
    control = control_of(config)
    layout = layout_of_task(task)
    match network(algorithm, config.policy).kind:
        case "slots":
            if control == "central" and task.n_agents > 1:
                other = AGENT_SET_POLICIES.get(algorithm)
                hint = f", or {other} with policy_kwargs: {{layout: {environment}}}" if other else ""
                raise ValueError(
                    f"{config.policy} chooses one slot for one agent, with control: central it would have to choose "
                    f"for {task.n_agents}: take control: shared{hint}"
                )
            if layout is None:
                raise ValueError(f"{environment} declares no slot_layout, {config.policy} cannot read it: {_plain()}")
            arguments["layout"] = _layout(arguments.get("layout"), task, environment)
        case "agents":
            if control != "central":
                raise ValueError(
                    f"{config.policy} decides for all agents of a world: it needs the top-level key control: central"
                )
            given = arguments.get("agents", task.n_agents)
            if isinstance(given, int) and given != task.n_agents:
                raise ValueError(f"policy_kwargs.agents = {given}, but the worlds have {task.n_agents} agent(s)")
            arguments["agents"] = task.n_agents
            if "layout" in arguments:
                if layout is None:
                    raise ValueError(f"{environment} declares no slot_layout: leave policy_kwargs.layout out")
                arguments["layout"] = _layout(arguments["layout"], task, environment)
        case "plain":
            pass
    return arguments


def _plain() -> str:
    return "use MlpPolicy (MlpLstmPolicy for recurrent-ppo)"


def _layout(given: Any, task: Task, environment: str) -> dict[str, int | None]:
    layout = layout_of_task(task)
    assert layout is not None
    if isinstance(given, str):
        if find_entry(given).id != environment:
            raise ValueError(f"policy_kwargs.layout = {given!r}: the environment is {environment}")
        given = None
    found = resolve_layout(
        plain(layout) if given is None else given, task.agent_observation_space, task.agent_action_space
    )
    if found != layout:
        raise ValueError(f"policy_kwargs.layout is {plain(found)}, but the observation has {plain(layout)}")
    return plain(layout)
