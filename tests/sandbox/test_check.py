"""What `verify` leaves behind when a check fails."""

from __future__ import annotations

from pathlib import Path

from sandbox.check import forget_data


def test_the_database_and_the_storage_do_not_stay_and_the_log_does(tmp_path: Path) -> None:
    run = tmp_path / "as-deployed"
    (run / "storage" / "main").mkdir(parents=True)
    for name in ("database.mv.db", "database.trace.db", "application.yaml", "storage/main/output"):
        (run / name).write_text("x")
    (tmp_path / "kestra.log").write_text("x")
    forget_data(tmp_path)
    left = sorted(str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file())
    assert left == ["as-deployed/application.yaml", "kestra.log"]
    forget_data(tmp_path / "nothing")
