"""What Checkbox's providers cost: `python tests/bench/checkbox.py`.

It loads the five providers in `../shared/data`, beside the checkout, and selects
each of their 780 plans, one after the other, on the records that lie there too. It
prints CPU seconds, and the largest plan by itself, in a context that is new.
"""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdall import IOLogRecord, JobResult, SessionDeviceContext, load_provider
from holdall.session.selection import planned_jobs
from holdall.units import TestPlan

if TYPE_CHECKING:
    from holdall.units import Provider

DATA = Path(__file__).parents[3] / "shared" / "data"
PROVIDERS = ("base", "certification-client", "docker", "genio", "resource")


def loaded() -> list[Provider]:
    providers = [load_provider(DATA / "checkbox-providers" / name) for name in PROVIDERS]
    for provider in providers:
        assert provider.unit_list
    return providers


def context_of(providers: list[Provider], resources: dict[str, str]) -> SessionDeviceContext:
    context = SessionDeviceContext()
    for provider in providers:
        context.add_provider(provider)
    states = context.state.job_state_map
    for job_id, output in resources.items():
        log = (IOLogRecord(0.0, "stdout", output.encode()),)
        context.state.update_job_result(states[job_id].job, JobResult(outcome="pass", io_log=log))
    return context


def selected(context: SessionDeviceContext, plan_id: str) -> int:
    plan = context.get_unit(plan_id, "test plan")
    assert isinstance(plan, TestPlan)
    context.set_test_plan_list([plan])
    context.state.update_desired_job_list(planned_jobs(context))
    return context.state.run_count


def main() -> None:
    with gzip.open(DATA / "checkbox-plans" / "plans.json.gz") as file:
        data: dict[str, Any] = json.load(file)
    start = time.process_time()
    providers = loaded()
    print(f"load five providers            {time.process_time() - start:6.2f} s (goal 0.3)")
    context = context_of(providers, data["resources"])
    start = time.process_time()
    sizes = {plan_id: selected(context, plan_id) for plan_id in data["plans"]}
    print(f"select {len(sizes)} plans in turn      {time.process_time() - start:6.2f} s (goal 10)")
    largest = max(sizes, key=sizes.__getitem__)
    context = context_of(loaded(), data["resources"])
    start = time.process_time()
    count = selected(context, largest)
    print(f"select one plan of {count} jobs   {time.process_time() - start:6.2f} s (goal 0.1)")


if __name__ == "__main__":
    main()
