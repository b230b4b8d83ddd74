"""Benchmarks: plain scripts, each with a `main` that prints figures beside their bounds and returns an exit code.

`python -m tests.benchmarks` runs all. Absolute figures depend on the machine and are printed only, but for one; what is
compared side by side in one run can fail.
"""
