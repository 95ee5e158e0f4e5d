from __future__ import annotations

import pickle

import pytest

from migrator.errors import SettingsError
from migrator.source.connection.url import SourceUrl, parse_source_url


def test_every_part_is_read_and_decoded() -> None:
    url = parse_source_url(
        "mysql://an%40na:p%2Fw%23%C3%A9@db.example.org:3307/shop?databases=crm,shop,logs"
        "&ssl-mode=verify_identity&ssl-ca=/etc/ca.pem&ssl-cert=/c.pem&ssl_key=/k+.pem&socket=/run/my%20sql.sock"
    )
    assert url == SourceUrl(
        host="db.example.org",
        port=3307,
        user="an@na",
        password="p/w#é",
        database="shop",
        databases=("shop", "crm", "logs"),
        socket="/run/my sql.sock",
        ssl_mode="VERIFY_IDENTITY",
        ssl_ca="/etc/ca.pem",
        ssl_cert="/c.pem",
        ssl_key="/k+.pem",
    )


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql", "MySQL"])
def test_schemes(scheme: str) -> None:
    assert parse_source_url(f"{scheme}://u@h/d").port == 3306


@pytest.mark.parametrize(
    ("options", "mode"),
    [("", "PREFERRED"), ("?ssl-ca=/a", "VERIFY_CA"), ("?ssl-cert=/a", "REQUIRED"), ("?ssl-mode=disabled", "DISABLED")],
)
def test_tls_is_stricter_when_asked_for(options: str, mode: str) -> None:
    assert parse_source_url(f"mysql://u@h/d{options}").ssl_mode == mode


def test_first_of_the_databases_is_the_default_one() -> None:
    url = parse_source_url("mysql://u@h?databases=a,b")
    assert (url.database, url.databases) == ("a", ("a", "b"))


def test_replica_has_its_own_login_or_the_sources() -> None:
    url = parse_source_url("mysql://u:p@h/d?ssl-mode=REQUIRED&replica=watch:se%2Fcret%26@r:3310")
    assert url.replica is not None
    assert (url.replica.host, url.replica.port, url.replica.user) == ("r", 3310, "watch")
    assert (url.replica.password, url.replica.database, url.replica.ssl_mode) == ("se/cret&", "d", "REQUIRED")
    same = parse_source_url("mysql://u:p@h/d?replica=r").replica
    assert same is not None
    assert (same.user, same.password, same.port) == ("u", "p", 3306)


def test_password_is_never_printed_and_the_url_travels() -> None:
    url = parse_source_url("mysql://u:hush1@[::1]/d?replica=w:hush2@r")
    assert "hush" not in repr(url)
    assert str(url) == "mysql://u:***@[::1]:3306/d"
    assert pickle.loads(pickle.dumps(url)) == url


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("postgres://u:hush@h/d", "doesn't begin with mysql://", "percent-encod"),
        ("mysq://u:hush@h/d", "unknown scheme mysq://", "mysql://?"),
        ("u:hush@h/d", "doesn't begin with mysql://", ""),
        ("mysql://u:hush@h/d?databses=a", "unknown option databses", "Did you mean databases?"),
        ("mysql://u:hush@h/d?charset=latin1", "unknown option charset", "ssl-mode"),
        ("mysql://u:hush@h/d?ssl-mode=VERIFY", "unknown ssl-mode VERIFY", "VERIFY_CA"),
        ("mysql://u:hush@h/d?socket=", "option socket in the source URL is empty", ""),
        ("mysql://u:hush@h/d?socket=/a&socket=/b", "occurs twice", ""),
        ("mysql://u:hush@h", "names no database", "mysql://user"),
        ("mysql://:hush@h/d", "names no user", ""),
        ("mysql://u:hush@h:70000/d", "port", ""),
        ("mysql://u:hu/sh@h/d", "port", "%2F"),
        ("mysql://u:hu#sh@h/d", "#", "%23"),
        ("mysql://u:12?hush@h/d", "database", ""),
        ("mysql://u:hush@h/d?hush@x/y", "can't be read", ""),
        ("mysql://u:hush@h/d/e", "second /", ""),
        ("mysql://u:hush@h/d?replica=w:hush@r:x", "replica", "replica=host:3306"),
        ("mysql://u:hush@[h/d", "can't be read", ""),
    ],
)
def test_what_cant_be_read_is_said_without_the_password(text: str, what: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_source_url(text)
    assert what in str(caught.value)
    assert hint in caught.value.hint
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None
