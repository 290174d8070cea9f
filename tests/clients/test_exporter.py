"""An exporter for Prometheus, as its author published it, polls a live server of ours."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from incidents.models import Incident, Page

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


@pytest.fixture(scope="session")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the exporter and what it needs, as locked."""
    folder = tmp_path_factory.mktemp("exporter")
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, "--require-hashes"]
    command += ["--target", str(folder), "--requirement", str(REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    return folder


def exported(exporter: Path, folder: Path, url: str) -> list[Sample]:
    """All samples of one round, from the file that it writes for Prometheus."""
    (folder / "services.json").write_text(json.dumps({"acme": {"url": f"{url}/api/v2/summary.json", "name": "Acme"}}))
    options = {"RUN_MODE": "once", "SERVICES_JSON_PATH": "services.json", "METRICS_TEXTFILE_PATH": "acme.prom"}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(exporter), **options}
    command = [sys.executable, "-m", "statuspage_prometheus_exporter.status_monitoring"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    matches = _SAMPLE.findall((folder / "acme.prom").read_text())
    return [Sample(name, dict(_LABEL.findall(labels)), float(value)) for name, labels, value in matches]


def test_the_exporter_sees_components_incidents_and_maintenances(
    page: Page, exporter: Path, live_server: Any, tmp_path: Path
) -> None:
    samples = exported(exporter, tmp_path, live_server.url)

    def values_by_label(name: str, label: str) -> dict[str, float]:
        return {sample.labels[label]: sample.value for sample in samples if sample.name == name}

    assert values_by_label("statuspage_probe_check", "service_name") == {"Acme": 1}
    assert values_by_label("statuspage_service_status", "service_name") == {"Acme": 0}
    components = values_by_label("statuspage_component_status", "component_name")
    assert (components["API"], components["Website"]) == (0, 1)
    (incident,) = [sample.labels for sample in samples if sample.name == "statuspage_incident_info"]
    row = Incident.objects.get(title="Slow answers")
    assert (incident["incident_id"], incident["incident_name"]) == (row.public_id, "Slow answers")
    assert (incident["impact"], incident["affected_components"]) == (row.impact, "API")
    assert incident["shortlink"].endswith(f"/incidents/{row.public_id}")
    (maintenance,) = [sample.labels for sample in samples if sample.name == "statuspage_maintenance_info"]
    assert maintenance["maintenance_name"] == "Upgrade"


def test_the_exporter_sees_that_all_is_well(page: Page, exporter: Path, live_server: Any, tmp_path: Path) -> None:
    page.incidents.all().delete()
    page.components.update(status="operational")
    samples = exported(exporter, tmp_path, live_server.url)
    statuses = [sample.value for sample in samples if sample.name == "statuspage_service_status"]
    assert statuses == [1]
    (nothing,) = [sample for sample in samples if sample.name == "statuspage_incident_info"]
    assert (nothing.labels["incident_name"], nothing.value) == ("No Active Incidents", 0)
