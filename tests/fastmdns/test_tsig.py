# SPDX-License-Identifier: Apache-2.0
"""TSIG on its own; what the server answers to a bad one stands in test_answer.py. dnspython is the other side."""

import hmac
import time

import dns.message
import dns.name
import dns.tsig
import pytest

from fastmdns import name, tsig
from fastmdns.errors import ConfigError, TsigError
from fastmdns.message import find_tsig
from fastmdns.signer import StreamSigner

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = 1_700_000_000
ALGORITHMS = sorted(tsig.ALGORITHMS)


def key(algorithm="hmac-sha256", text="Key.Example.", secret=SECRET):
    return tsig.Key(text, algorithm, secret)


def other_side(one):
    """The same key as dnspython holds it."""
    algorithm = dns.name.from_text(name.to_text(one.algorithm.wire))
    return dns.tsig.Key(dns.name.from_text(one.name), SECRET, algorithm)


def query(rrtype="SOA"):
    return dns.message.make_query("example.org", rrtype, id=0x1234)


def signed_query(one, **changes):
    message = query()
    message.use_tsig(other_side(one), **changes)
    return message, message.to_wire()


def verdict(wire, *keys, now=None):
    return tsig.verify_request(wire, find_tsig(wire), tsig.Keyring(keys), find_tsig(wire).time if now is None else now)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_dnspython_signs_verifies(algorithm):
    one = key(algorithm)
    _, wire = signed_query(one)
    assert verdict(wire, one)[:2] == (0, one)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_dnspython_verifies_our_request_and_our_reply(algorithm):
    one = key(algorithm)
    clock = time.time()
    wire, mac = tsig.sign_request(query().to_wire(), one, clock)
    received = dns.message.from_wire(wire, keyring=other_side(one))
    assert received.had_tsig
    reply = dns.message.make_response(query()).to_wire()
    record = tsig.reply_record(verdict(wire, one), reply, clock)
    assert dns.message.from_wire(tsig.append(reply, record), keyring=other_side(one), request_mac=mac).had_tsig


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 127, 128, 129, 300])
def test_macs_are_those_of_the_standard_library(algorithm, size):
    secret = bytes(number % 251 for number in range(size))
    expected = hmac.digest(secret, b"one message", tsig.ALGORITHMS[algorithm].digest)
    assert key(algorithm, secret=secret).mac(b"one ", b"", memoryview(b"message")) == expected


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_room_is_what_a_record_takes(algorithm):
    one = key(algorithm)
    plain = query().to_wire()
    wire, _ = tsig.sign_request(plain, one, NOW)
    assert len(wire) - len(plain) == one.room


def test_a_key_is_found_whatever_the_case_of_its_name():
    one = key(text="KEY.example")
    assert tsig.Keyring([key(text="key.EXAMPLE.")]).find(one.wire, one.algorithm.wire) is not None
    assert tsig.Keyring([one]).by_text("kEy.example") is one


def test_a_key_of_another_algorithm_is_not_found():
    _, wire = signed_query(key("hmac-sha512"))
    assert verdict(wire, key("hmac-sha256")).error == tsig.BADKEY


def test_two_keys_are_valid_at_once():
    old, new = key(text="old."), key(text="new.")
    assert verdict(signed_query(old)[1], old, new).key is old
    assert verdict(signed_query(new)[1], old, new).key is new


@pytest.mark.parametrize(("skew", "error"), [(-301, 18), (-300, 0), (0, 0), (300, 0), (301, 18)])
def test_time_may_differ_by_the_fudge_and_not_more(skew, error):
    one = key()
    wire, _ = tsig.sign_request(query().to_wire(), one, NOW)
    assert verdict(wire, one, now=NOW + skew).error == error


def test_a_bad_mac_is_told_before_a_bad_time():
    one = key()
    wire, _ = tsig.sign_request(query().to_wire(), key(secret=b"another"), NOW)
    assert verdict(wire, one, now=NOW + 10_000).error == tsig.BADSIG


@pytest.mark.parametrize("now", [2**31, 2**32, 2**40])
def test_time_is_48_bits(now):
    one = key()
    wire, _ = tsig.sign_request(query().to_wire(), one, now)
    assert find_tsig(wire).time == now
    assert verdict(wire, one, now=now).error == 0


def shortened(wire, count):
    """The signed message with only the first octets of its MAC."""
    record = find_tsig(wire)
    at = record.at + len(record.name) + 8
    head = wire[: record.at] + wire[record.at : at]
    rest = wire[wire.index(record.mac) + len(record.mac) :]
    mac = (record.mac + bytes(100))[:count]
    rdata = wire[at + 2 : at + 2 + len(record.algorithm) + 8] + len(mac).to_bytes(2) + mac + rest
    return head + len(rdata).to_bytes(2) + rdata


@pytest.mark.parametrize(
    ("algorithm", "count", "error"),
    [
        ("hmac-md5", 9, 1),
        ("hmac-md5", 10, 22),
        ("hmac-md5", 15, 22),
        ("hmac-md5", 16, 0),
        ("hmac-md5", 17, 1),
        ("hmac-sha1", 9, 1),
        ("hmac-sha1", 10, 22),
        ("hmac-sha256", 0, 1),
        ("hmac-sha256", 15, 1),
        ("hmac-sha256", 16, 22),
        ("hmac-sha256", 31, 22),
        ("hmac-sha256", 32, 0),
        ("hmac-sha256", 33, 1),
        ("hmac-sha512", 31, 1),
        ("hmac-sha512", 32, 22),
        ("hmac-sha512", 64, 0),
        ("hmac-sha512", 65, 1),
    ],
)
def test_a_mac_must_be_whole(algorithm, count, error):
    one = key(algorithm)
    wire, _ = tsig.sign_request(query().to_wire(), one, NOW)
    assert verdict(shortened(wire, count), one, now=NOW).error == error


def test_a_shortened_mac_that_is_wrong_is_badsig():
    one = key()
    wire, _ = tsig.sign_request(query().to_wire(), key(secret=b"another"), NOW)
    assert verdict(shortened(wire, 16), one, now=NOW).error == tsig.BADSIG


def test_a_shortened_mac_with_a_bad_time_is_badtime():
    one = key()
    wire, _ = tsig.sign_request(query().to_wire(), one, NOW)
    assert verdict(shortened(wire, 16), one, now=NOW + 301).error == tsig.BADTIME


def test_a_forwarders_new_id_does_not_matter():
    one = key()
    wire, _ = tsig.sign_request(query().to_wire(), one, NOW)
    assert verdict(b"\xab\xcd" + wire[2:], one, now=NOW).error == 0


def test_every_changed_octet_is_noticed():
    one = key()
    wire, _ = tsig.sign_request(query().to_wire(), one, NOW)
    for at in range(2, len(wire)):
        changed = wire[:at] + bytes([wire[at] ^ 0x01]) + wire[at + 1 :]
        assert not accepted(changed, one), f"octet {at}"


def accepted(wire, one):
    try:
        record = find_tsig(wire)
    except Exception as error:  # noqa: BLE001  (whatever it is, it must be ours)
        assert type(error).__name__ == "WireError"
        return False
    # The name's case and the algorithm's are not digested as sent: a changed letter case is the same request.
    same = record is not None and (record.name, record.algorithm) == (one.wire, one.algorithm.wire)
    return same and tsig.verify_request(wire, record, tsig.Keyring([one]), NOW).error == 0 and wire.lower() == wire


def stream(one, mac, count, times=None):
    """Messages of an AXFR as StreamSigner signs them."""
    clock = iter(times or [NOW] * count)
    signer = StreamSigner(one, mac, 0x1234, lambda: next(clock))
    body = query("AXFR").to_wire()[12:]
    for index in range(count):
        head = b"\x12\x34\x84\0" + (b"\0\1" if index == 0 else b"\0\0") + bytes(6)
        yield tsig.append(head + (body if index == 0 else b""), signer.sign(head, body if index == 0 else b""))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_our_verifier_follows_our_streams(algorithm):
    one = key(algorithm)
    verifier = tsig.Verifier(one, b"m" * 32, lambda: NOW)
    for message in stream(one, b"m" * 32, 300):
        verifier.check(message)
    verifier.end()


def test_time_never_goes_back_in_a_stream():
    messages = list(stream(key(), b"", 3, [NOW, NOW - 50, NOW + 7]))
    assert [find_tsig(message).time for message in messages] == [NOW, NOW, NOW + 7]


def test_a_stream_out_of_order_is_refused():
    one, two, three = stream(key(), b"m", 3)
    verifier = tsig.Verifier(key(), b"m", lambda: NOW)
    verifier.check(one)
    with pytest.raises(TsigError) as caught:
        verifier.check(three)
    assert caught.value.error == tsig.BADSIG
    assert two != three


def sparse(one, mac, unsigned, *, last_signed=True):
    """A stream as old servers sign it: the first message and the last."""
    head, rest = b"\x12\x34\x84\0\0\1" + bytes(6), query("AXFR").to_wire()[12:]
    first = one.mac(tsig._sized(mac), head + rest, one.variables(NOW, 300))
    yield tsig.append(head + rest, tsig._record(one.wire, one.algorithm.wire, first, 0x1234, NOW))
    plain = b"\x12\x34\x84\0" + bytes(8)
    yield from [plain] * unsigned
    if last_signed:
        last = one.mac(tsig._sized(first), plain * (unsigned + 1), tsig._timers(NOW, 300))
        yield tsig.append(plain, tsig._record(one.wire, one.algorithm.wire, last, 0x1234, NOW))


def test_a_client_bears_99_unsigned_messages_and_not_one_more():
    verifier = tsig.Verifier(key(), b"m", lambda: NOW)
    for message in sparse(key(), b"m", 99):
        verifier.check(message)
    verifier.end()
    with pytest.raises(TsigError, match="must be signed"):
        check_all(sparse(key(), b"m", 100))


def check_all(messages):
    verifier = tsig.Verifier(key(), b"m", lambda: NOW)
    for message in messages:
        verifier.check(message)
    verifier.end()


def test_a_stream_must_end_signed():
    with pytest.raises(TsigError, match="does not end"):
        check_all(sparse(key(), b"m", 3, last_signed=False))


def test_an_unsigned_first_message_is_refused():
    with pytest.raises(TsigError, match="must be signed"):
        check_all([query().to_wire()])


@pytest.mark.parametrize(("error", "words"), [(16, "BADSIG"), (17, "BADKEY")])
def test_an_unsigned_error_of_the_server_is_told(error, words):
    one = key()
    record = tsig._record(one.wire, one.algorithm.wire, b"", 0x1234, NOW, error=error)
    with pytest.raises(TsigError, match=words) as caught:
        check_all([tsig.append(query().to_wire(), record)])
    assert caught.value.error == error


@pytest.mark.parametrize(("error", "server_now"), [(18, NOW + 5000), (22, NOW)])
def test_a_signed_error_of_the_server_is_told(error, server_now):
    one = key()
    wire, mac = tsig.sign_request(query().to_wire(), one, NOW)
    reply = query().to_wire()
    record = tsig.reply_record(tsig.Verdict(error, one, find_tsig(wire)), reply, server_now)
    with pytest.raises(TsigError) as caught:
        tsig.Verifier(one, mac, lambda: NOW).check(tsig.append(reply, record))
    assert caught.value.error == error


def test_a_badtime_that_is_not_signed_is_no_badtime():
    one = key()
    record = tsig._record(one.wire, one.algorithm.wire, b"", 0x1234, NOW, error=18)
    with pytest.raises(TsigError) as caught:
        check_all([tsig.append(query().to_wire(), record)])
    assert caught.value.error == tsig.BADSIG


def test_an_answer_with_another_key_is_refused():
    with pytest.raises(TsigError, match="another key"):
        check_all(stream(key(text="other."), b"m", 1))


def test_a_malformed_answer_is_refused():
    with pytest.raises(TsigError) as caught:
        check_all([b"\0" * 5])
    assert caught.value.error == tsig.FORMERR


@pytest.mark.parametrize(("text", "algorithm"), [("a..b", "hmac-sha256"), ("k.", "hmac-sha3"), ("k.", "")])
def test_a_key_with_a_bad_name_or_algorithm_is_refused(text, algorithm):
    with pytest.raises(ConfigError):
        tsig.Key(text, algorithm, b"secret")


def test_a_secret_is_never_shown():
    assert "0123" not in repr(key()) + repr(vars(tsig.Keyring([key()])))
