"""What stays since a build would get another image or Job with it."""

from pathlib import Path

import pytest

from command_line import REGISTRY, read_tree, run, write_tree
from imageshift.charts.solving.last_look import LastLook

CASES = Path(__file__).parent.parent / "fixtures" / "cases"


def test_files_stay_whole_where_no_image_is_to_blame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no image can be found whose move is wrong, every file of the build stays as it is."""
    before = read_tree(CASES / "release-patch-of-a-job" / "before")
    write_tree(tmp_path, {**before})
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(LastLook, "_guilty", lambda *_: [])

    done = run(tmp_path, "migrate", ".", *REGISTRY, "--format", "json")

    assert read_tree(tmp_path)["apps/kustomization.yaml"] == before["apps/kustomization.yaml"]
    rows = done.report["images"]
    kept = [row["reason"] for row in rows if row["file"] == "apps/kustomization.yaml"]
    assert kept == ["unproven"]
