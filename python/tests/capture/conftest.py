import pytest
from recording import program


@pytest.fixture(autouse=True)
def recorder_program(monkeypatch):
    for name in ("PTOKEN_ENDPOINT", "PTOKEN_DISABLE", "PTOKEN_CONFIG", "PTOKEN_DRY_RUN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PTOKEN_RECORD", program("ptoken-record"))
