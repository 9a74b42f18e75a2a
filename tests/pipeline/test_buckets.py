"""Crowds from an object store and exports into it, against a real local S3-compatible server."""

import gzip
import hashlib

import pytest

from crowdselect import pipeline
from crowdselect.access import opened_data
from crowdselect.buckets import read_bucket_address
from crowdselect.cli import main
from crowdselect.errors import InputError, NotFoundError
from crowdselect.settings import open_workspace
from crowdselect.values import Recipe
from tests.pipeline import tiny
from tests.s3 import serve


@pytest.fixture
def store(monkeypatch):
    with serve() as (endpoint, held):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "who")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-key-1234")
        monkeypatch.setenv("AWS_REGION", "eu-test-1")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield held


def test_a_crowd_comes_from_a_bucket_and_an_export_goes_there(store, tmp_path, capsys):
    data = tiny.write_tidy(tmp_path).read_bytes()
    here = open_workspace(tmp_path / "here")
    want = pipeline.ingest(here, "table", [tmp_path / "tidy.csv"], name="tiny")
    store.objects["bucket/data/a b/tidy.csv.gz"] = gzip.compress(data)
    store.objects["bucket/data/other.txt"] = b"not it"
    there = open_workspace(tmp_path / "there")
    for number, address in enumerate(("data/a b/tidy.csv.gz", "data/a b", "data/*/*.gz")):
        crowd = pipeline.ingest(there, "table", [f"s3://bucket/{address}"], name=f"t{number}")
        assert crowd.fingerprint == want.fingerprint
        (came,) = crowd.report.fetched
        assert came.address == "s3://bucket/data/a b/tidy.csv.gz"
        packed = store.objects["bucket/data/a b/tidy.csv.gz"]
        assert came.sha256 == hashlib.sha256(packed).hexdigest()
    assert all("Credential=who/" in key for _, key in store.seen)
    recipe = {"crowd": "t0", "clusters": 0, "budget": 5, "strategy": "random"}
    saved = pipeline.save_selection(
        there, pipeline.select(pipeline.open_crowd(there, "t0"), Recipe(**recipe)), "five"
    )
    where = ["--workspace", str(there.root)]
    assert main(["export", "five", "--out", "s3://bucket/out/five", *where]) == 0
    assert capsys.readouterr().out.strip() == "s3://bucket/out/five"
    local = saved.path / "exports" / "messages"
    sent = {k.removeprefix("bucket/out/five/"): v for k, v in store.objects.items() if "/out/" in k}
    assert sent == {p.name: p.read_bytes() for p in local.iterdir()}
    assert list(sent)[-1] == "manifest.json"


def test_what_is_not_there_or_no_address_is_said(store, tmp_path):
    workspace = open_workspace(tmp_path)
    with pytest.raises(NotFoundError, match=r"There is no s3://bucket/nothing\.csv"):
        pipeline.ingest(workspace, "table", ["s3://bucket/nothing.csv"])
    assert not workspace.crowd_names()
    for wrong in ("s3://who:key@bucket/x", "s3://bucket/a/../b", "gs://", "s3://B/x"):
        with pytest.raises(InputError, match="no address in an object store"):
            read_bucket_address(wrong)


def test_a_store_that_refuses_is_told_without_the_key(store, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(InputError, match=r"s3://bucket/x\.csv cannot be used") as told:
        pipeline.ingest(open_workspace(tmp_path), "table", ["s3://bucket/x.csv"])
    assert "hidden-key-1234" not in str(told.value)


def test_pages_read_what_is_opened_only(tmp_path, monkeypatch):
    workspace = open_workspace(tmp_path)
    with pytest.raises(InputError, match="no address that the dashboard may read"):
        opened_data(workspace, "s3://bucket/data/x.csv")
    monkeypatch.setenv("CROWDSELECT_BUCKETS", "gs://other, s3://bucket/data")
    assert opened_data(workspace, "s3://bucket/data/x.csv") == "s3://bucket/data/x.csv"
    for text in ("s3://bucket/database/x.csv", "s3://bucket/data/../x.csv", "s3://bucket"):
        with pytest.raises(InputError):
            opened_data(workspace, text)
