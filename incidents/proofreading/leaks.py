"""What must not be public: private addresses, internal names, mail addresses, secrets, stack traces, customers.

Looks at the whole text, code blocks too. Every pattern begins where a word begins and is bounded, so that hostile text
costs no more than any other.
"""

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from incidents.proofreading.facts import PageFacts
from incidents.proofreading.prose import Text
from incidents.proofreading.remarks import Remark, Severity

_PRIVATE = [
    ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10")
]
_PRIVATE_6 = [ip_network(net) for net in ("fc00::/7", "fe80::/10")]
_IPV4 = re.compile(r"(?<![\w.-])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w-]|\.[0-9])(?:/[0-9]{1,2})?", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f]{1,4}:(?:[0-9a-f]{0,4}:){1,7}[0-9a-f]{0,4}(?![\w:])", re.ASCII | re.IGNORECASE)
_VERSION = re.compile(r"\b(?:version|release|build|v)\s*$", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w.@-])[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*", re.ASCII)
_INTERNAL = (
    *("*.internal", "*.local", "*.lan", "*.corp", "*.intra", "*.intranet", "*.localdomain", "*.home.arpa"),
    *("*.svc", "ip-10-*-*-*", "ip-172-*-*-*", "ip-192-168-*-*"),
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.ASCII)
_SHARED_BOXES = {
    *("abuse", "accounts", "billing", "contact", "feedback", "hello", "help", "helpdesk", "incidents", "info", "legal"),
    *("mail", "noc", "noreply", "no-reply", "office", "ops", "postmaster", "press", "privacy", "sales", "security"),
    *("service", "status", "success", "support", "team", "webmaster"),
}
# Where people have addresses of their own, a neighbour is a stranger.
_PUBLIC_MAIL = {
    *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com"),
    *("proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "t-online.de", "fastmail.com", "mail.ru", "qq.com"),
}
_SECRETS = re.compile(
    r"(?<![\w-])(?:"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}(?!\w)"
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|glpat-[\w-]{20,64}|npm_[A-Za-z0-9]{30,64}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,250}|https://hooks\.slack\.com/services/[\w/]{10,100}"
    r"|AIza[\w-]{35}|(?:sk|rk)_live_[A-Za-z0-9]{10,100}|sk-[A-Za-z0-9_-]{20,200}|SG\.[\w-]{16,64}\.[\w-]{16,64}"
    r"|eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,2000}"
    r"|(?:Authorization:\s{0,3})?(?-i:Bearer|Basic)\s{1,3}(?=[A-Za-z._~+/=-]{0,60}[0-9])[\w.~+/=-]{20,500}"
    r"|[a-z][a-z0-9+.]{1,20}://[^\s/:@]{1,100}:(?![*]{3})[^\s/@]{3,100}@[^\s]{1,250}"
    r")"
    r"|-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY-----",
    re.ASCII,
)
_ASSIGNED = re.compile(
    r"(?<![A-Za-z0-9])(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?(?:access[_-]?)?key"
    r"|account[_-]?key|private[_-]?key|client[_-]?secret)[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
    r"(?P<value>[^\s\"'`<>{}$*\[\]]{8,200})",
    re.ASCII | re.IGNORECASE,
)
_TRACE = re.compile(
    r"^[> \t]{0,40}(?:Traceback \(most recent call last\):"
    r"|File \"[^\"\n]{1,200}\", line [0-9]+"
    r"|at [\w$.<>/]{3,200}\([\w$.-]{1,100}:[0-9]{1,6}\)"
    r"|at (?:[^\s(]{1,100} ){0,3}\(?[^\s()]{1,200}:[0-9]{1,6}:[0-9]{1,6}\)?"
    r"|at [^\n]{1,200} in [^\n]{1,200}:line [0-9]{1,6}"
    r"|#[0-9]{1,3} [^\s(]{1,200}\([0-9]{1,6}\)"
    r"|goroutine [0-9]{1,9} \[|panic: runtime error|Exception in thread \""
    r"|Caused by: [\w.$]{1,200}(?:Exception|Error))[^\n]{0,300}"
    r"|(?<![\w./-])[\w./-]{1,200}\.rb:[0-9]{1,6}:in [`'][^\n'`]{1,100}['`]",
    re.ASCII | re.MULTILINE,
)
_TRACE_GAP = 300  # characters between two lines of one stack trace
_WORD = re.compile(r"\w[\w’'-]*")


def check_leaks(text: Text, page: PageFacts) -> Iterator[Remark]:
    yield from _addresses(text.raw)
    yield from _hosts(text.raw, page.options.hosts)
    yield from _emails(text.raw, page)
    yield from _secrets(text.raw)
    yield from _traces(text.raw)
    yield from _customers(text.raw, page.options.customers)


def _remark(span: tuple[int, int], code: str, message: str) -> Remark:
    return Remark(*span, Severity.ERROR, code, message)


def _addresses(raw: str) -> Iterator[Remark]:
    for match in _IPV4.finditer(raw):
        is_version = _VERSION.search(raw, max(0, match.start() - 12), match.start())
        if not is_version and _is_private(match.group().split("/")[0]):
            yield _remark(match.span(), "leak-address", "This is an address of a private network.")
    for match in _IPV6.finditer(raw):
        if _is_private(match.group()):
            yield _remark(match.span(), "leak-address", "This is an address of a private network.")


def _is_private(written: str) -> bool:
    try:
        address = ip_address(written)
    except ValueError:
        return False
    return any(address in net for net in (_PRIVATE if address.version == 4 else _PRIVATE_6))


def _hosts(raw: str, patterns: Sequence[str]) -> Iterator[Remark]:
    wanted = [pattern.lower() for pattern in (*_INTERNAL, *patterns)]
    for match in _HOST.finditer(raw):
        name = match.group().rstrip(".-_")
        if len(name) > 253 or not ("." in name or "-" in name or patterns):
            continue
        if any(matches(pattern, name.lower()) for pattern in wanted) or ".svc.cluster." in name:
            yield _remark(
                (match.start(), match.start() + len(name)), "leak-host", "This is a name of your internal network."
            )


def matches(pattern: str, name: str) -> bool:
    """Whether `name` is `pattern`, in which `*` stands for anything, also nothing. Never slower than their product."""
    at = star = mark = 0
    star = -1
    position = 0
    while position < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, position
            at += 1
        elif at < len(pattern) and pattern[at] == name[position]:
            at, position = at + 1, position + 1
        elif star >= 0:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return not pattern[at:].strip("*")


def _emails(raw: str, page: PageFacts) -> Iterator[Remark]:
    known = {address.lower() for address in page.emails}
    houses = {address.rpartition("@")[2] for address in known} - _PUBLIC_MAIL
    for match in _EMAIL.finditer(raw):
        address = match.group().lower()
        box, _, house = address.rpartition("@")
        if address in known or (house in houses and box not in _SHARED_BOXES):
            yield _remark(match.span(), "leak-email", "This is the address of one of your people.")


def _secrets(raw: str) -> Iterator[Remark]:
    for match in _SECRETS.finditer(raw):
        yield _remark(match.span(), "leak-secret", "This looks like a key or a password. If it is one, replace it too.")
    for match in _ASSIGNED.finditer(raw):
        value = match["value"]
        if any(character.isdigit() for character in value) and len(set(value.lower())) > 3:
            message = "This looks like a key or a password. If it is one, replace it too."
            yield _remark(match.span(), "leak-secret", message)


def _traces(raw: str) -> Iterator[Remark]:
    """One remark for each stack trace, from its first line that is known to its last."""
    spans: list[tuple[int, int]] = []
    for match in _TRACE.finditer(raw):
        if spans and match.start() - spans[-1][1] < _TRACE_GAP:
            spans[-1] = spans[-1][0], match.end()
        else:
            spans.append(match.span())
    for span in spans:
        yield _remark(span, "leak-trace", "A stack trace shows how your software is built. Say what failed instead.")


def _customers(raw: str, names: Sequence[str]) -> Iterator[Remark]:
    by_first: dict[str, list[list[str]]] = {}
    for name in names:
        name_words = [word.lower() for word in _WORD.findall(name)]
        by_first.setdefault(name_words[0], []).append(name_words)
    if not by_first:
        return
    matches = list(_WORD.finditer(raw))
    words_in_text = [_bare(match.group()) for match in matches]
    for number, word in enumerate(words_in_text):
        for name_words in by_first.get(word, ()):
            last = number + len(name_words) - 1
            if words_in_text[number : last + 1] == name_words:
                span = matches[number].start(), matches[last].start() + len(name_words[-1])
                yield _remark(span, "leak-customer", "This is a customer. Do they agree to be named?")


def _bare(word: str) -> str:
    """In small letters, without a possessive `’s`."""
    word = word.lower()
    return word[:-2] if word.endswith(("’s", "'s")) else word
