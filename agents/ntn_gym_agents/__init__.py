"""Learned policies for the environments of ntn_gym: training, checkpoints, trained baselines.

Needs the extra ``agents`` (``pip install "ntn-gym[agents]"``); `ntn_gym` itself never imports it.
"""
