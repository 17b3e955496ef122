"""The model itself against the examples of the specification's page on queries."""

import pytest

from .glob import glob
from .permissions import View, may_read
from .query import answer, page, select
from .selectors import Bad, selectors
from .store import Store
from .values import Number, equal, parse, write


@pytest.fixture
def store():
    made = Store()
    made.post("data_center", [parse('{"id":"dc","name":"Default DC","version":"3.5"}')])
    made.post("cluster", [parse('{"id":"c1","name":"Default","version":"3.6","data_center":"dc"}')])
    made.post("vm", [parse('{"id":"v1","name":"vm1","status":"up","cluster":"c1","disk":[2,"1",2]}')])
    made.post("disk", [parse('{"id":1,"name":"one","vm":"v1"}'), parse('{"id":2,"name":"two"}')])
    return made


@pytest.mark.parametrize("collection, query, expected", [
    ("vm", '["id","@cluster.name","@cluster.@data_center.name"]',
     '[{"id":"v1","@cluster.name":"Default","@cluster.@data_center.name":"Default DC"}]'),
    ("vm", '["name","@cluster(name, @data_center.name)"]',
     '[{"name":"vm1","@cluster":{"name":"Default","@data_center.name":"Default DC"}}]'),
    ("cluster", '"@[vm].name"', '[{"@[vm].name":["vm1"]}]'),
    ("vm", '"@[disk].name"', '[{"@[disk].name":["two","one"]}]'),
    ("vm", '"@[disk:vm].name"', '[{"@[disk:vm].name":["one"]}]'),
    ("data_center", '["@[cluster].@[vm].name", "@[cluster](@[vm](name))"]',
     '[{"@[cluster].@[vm].name":[["vm1"]],"@[cluster]":[{"@[vm]":[{"name":"vm1"}]}]}]'),
    ("vm", '["@cluster.*"]', '[{"@cluster.id":"c1","@cluster.name":"Default","@cluster.version":"3.6","@cluster.data_center":"dc"}]'),
    ("vm", '["@cluster(name)","@cluster(version)","@template.name","@[nic]"]',
     '[{"@cluster":{"name":"Default","version":"3.6"},"@[nic]":[]}]'),
])
def test_selects_are_answered_as_the_page_shows(store, collection, query, expected):
    assert write(answer(View(store), collection, {"select": parse(query)})) == expected


@pytest.mark.parametrize("where, holds", [
    ('{"status":"U*"}', True), ('{"status":"U"}', False), ('{"@cluster.name":"def*"}', True),
    ('{"@cluster.name":{"$eq":"def*"}}', False), ('{"absent":null}', True), ('{"absent":{"$ne":1}}', True),
    ('{"@[disk].name":{"$ne":"one"}}', False), ('{"@[nic]":{"$exists":false}}', True), ('{"@[disk]":{"name":"t*"}}', True),
    ('{"disk":1}', False), ('{"disk":"1"}', True), ('{"disk":{"$gt":1}}', True), ('{"disk":[2,"1",2.0]}', True),
    ('{"@[disk].id":1}', True), ('{"$nor":[{"status":"up"}]}', False), ('{"$or":[]}', False), ('{"$and":[]}', True),
])
def test_conditions_hold_as_the_page_says(store, where, holds):
    assert bool(answer(View(store), "vm", {"where": parse(where)})) == holds


def test_the_same_key_with_another_limit_is_no_query():
    store = Store()
    with pytest.raises(Bad):
        answer(View(store), "vm", {"select": ["@[disk]", {"many_ref": "disk", "limit": Number(1)}]})
    with pytest.raises(Bad):
        selectors("@[vm].@cluster.*")


@pytest.mark.parametrize("pattern, text, holds", [
    ("a*", "A", True), ("?", "é", True), ("[]", "", False), ("[!]", "x", True), ("{a,b{c,d}}", "BD", True), ("a\\*", "a*", True),
    ("a\\*", "ab", False), ("[x", "[X", True), ("{a", "{a", True), ("x\\", "x\\", True), ("[!a-c]", "B", False), ("ς", "Σ", True),
])
def test_globs_match_as_the_page_says(pattern, text, holds):
    assert glob(pattern, text) == holds


def test_numbers_are_equal_by_value_and_ids_by_text():
    assert equal(Number("1.0"), Number("1e0")) and not equal(Number("1"), "1")
    assert may_read({"vm": [Number(5)]}, "vm", "5") and not may_read({"vm": ["*"]}, "vm", "5")


def test_pages_skip_and_then_limit():
    assert page([1, 2, 3, 4], {"skip": "1", "limit": Number(2)}) == [2, 3] and page([1], {"limit": Number(0)}) == [1]


def test_a_select_of_one_document(store):
    assert select(View(store), "vm", store.get("vm", "v1"), selectors([])) == {}
