"""docs/mqtt-conformance.md tells the truth."""

from . import table
from .clause import clause, doctors_own


@doctors_own
@clause("5.0 §7", "3.1.1: MQTT-7.0.0-2")
def test_every_statement_has_a_test_or_a_reason_and_the_table_is_up_to_date():
    text = table.render()
    assert table.DOCUMENT.read_text() == text, "run tests/mqtt_conformance/table.py"
