from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from migrator.errors import SettingsError
from migrator.target.url import FilesUrl, MongoUrl, parse_target_url


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mongodb://localhost/shop", "mongodb://localhost/shop"),
        ("mongodb://u:p%40ss@h1:27017,h2:27018/shop?replicaSet=rs0", "mongodb://u@h1:27017,h2:27018/shop"),
        (
            "mongodb+srv://u:secret@cluster.example.net/shop?retryWrites=true",
            "mongodb+srv://u@cluster.example.net/shop",
        ),
        ("mongodb://%2Ftmp%2Fmongodb-27017.sock/shop", "mongodb://%2Ftmp%2Fmongodb-27017.sock/shop"),
        ("mongodb://[::1]:27017/shop", "mongodb://[::1]:27017/shop"),
    ],
)
def test_mongodb(text: str, address: str) -> None:
    url = parse_target_url(text)
    assert isinstance(url, MongoUrl)
    assert (url.uri, url.address, str(url), url.database) == (text, address, address, "shop")
    assert pickle.loads(pickle.dumps(url)) == url


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_target_url("file:out") == FilesUrl(tmp_path / "out")
    assert parse_target_url("file:100%25") == FilesUrl(tmp_path / "100%25")
    assert parse_target_url("file:/srv/out") == FilesUrl(Path("/srv/out"))
    assert parse_target_url("file:///srv/my%20out") == FilesUrl(Path("/srv/my out"))
    assert parse_target_url("file://localhost/srv/out") == FilesUrl(Path("/srv/out"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mongodb://u:S3cret@localhost", "names no database"),
        ("mongodb://u:S3cret@localhost:27017/?replicaSet=rs0", "names no database"),
        ("mongodb://u:S3cret@localhost/admin", "own database"),
        ("mongodb://u:S3cret@localhost/a.b", "holds '.'"),
        ("mongodb://u:S3cret@localhost/" + "a" * 64, "longer than 63"),
        ("mongodb://u:S3cret@localhost:port/shop", "can't be read"),
        ("mongodb://u:S3cret/x@localhost/shop", "can't be read"),
        ("mongodb://u:S3cret@x@localhost/shop", "can't be read"),
        ("mongodb://u:S3cret@localhost/shop?replicaset=a&repliccaSet=b", "unknown option repliccaSet"),
        ("mongodb://u:S3cret@localhost/shop?tls=true&S3cret", "can't be read"),
        ("mongodb://u:S3cret@localhost/shop?tls=S3cret", "the option tls of the target URL can't have"),
        ("mongodb://u:S3cret@localhost/shop?maxPoolSize=S3cret", "the option maxPoolSize of the target URL can't have"),
        ("mongodb://u:S3cret@localhost:99999/shop", "hosts or ports of the target URL can't be read"),
        ("mongodb://localhost/shop?tls=true&tlsCAFile=/not/there.pem", "that the target URL names can't be read"),
        ("mongodb+srv://u:S3cret@localhost:1/shop", "no port"),
        ("mongodb:/S3cret", "doesn't begin with"),
        ("mysql://u:S3cret@localhost/shop", "doesn't begin with"),
        ("S3cret", "doesn't begin with"),
        ("file:", "names no folder"),
        ("file://server/share", "another machine"),
        ("file://relative", "another machine"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        parse_target_url(text)
    assert "S3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nothing_printed_shows_a_password() -> None:
    url = parse_target_url("mongodb://u:S3cret@localhost/shop")
    assert "S3cret" not in f"{url} {url!r}"
