"""Bounce messages of real mail servers. `TO` is the placeholder for the return path."""

POSTFIX = b"""\
Return-Path: <>
X-Original-To: TO
Delivered-To: TO
Date: Wed, 21 Sep 2022 14:20:11 +0000 (UTC)
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: TO
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4MXk6T0bQxz9.1663770011/mx.example.net"

This is a MIME-encapsulated message.

--4MXk6T0bQxz9.1663770011/mx.example.net
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

--4MXk6T0bQxz9.1663770011/mx.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4MXk6T0bQxz9
X-Postfix-Sender: rfc822; TO
Arrival-Date: Wed, 21 Sep 2022 14:20:10 +0000 (UTC)

Final-Recipient: rfc822; ada@example.com
Original-Recipient: rfc822;ada@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; in.example.com
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.com>: Recipient address rejected:
    User unknown in virtual mailbox table

--4MXk6T0bQxz9.1663770011/mx.example.net
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <TO>
From: Acme <status@example.com>
Subject: [Acme] Investigating: API outage

--4MXk6T0bQxz9.1663770011/mx.example.net--
"""

# The status says little, the diagnostic more, over several lines; the mail itself is attached whole.
EXIM = b"""\
Return-path: <>
Envelope-to: TO
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.net>
To: TO
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=1663770011-eximdsn-1
Subject: Mail delivery failed: returning message to sender

--1663770011-eximdsn-1
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

--1663770011-eximdsn-1
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Action: failed
Final-Recipient: rfc822;ada@example.com
Status: 5.0.0
Remote-MTA: dns; gmail-smtp-in.l.google.com
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.
 550-5.1.1 Please try double-checking the recipient's email address for typos
 550 5.1.1 or unnecessary spaces. gsmtp

--1663770011-eximdsn-1
Content-type: message/rfc822

Return-path: <TO>
From: Acme <status@example.com>
Subject: [Acme] Investigating: API outage

We are looking.

--1663770011-eximdsn-1--
"""

DELAYED = POSTFIX.replace(b"Action: failed\nStatus: 5.1.1", b"Action: delayed\nStatus: 4.4.1")
FULL = POSTFIX.replace(b"Status: 5.1.1", b"Status: 5.2.2").replace(b"550 5.1.1", b"552 5.2.2")
LISTED = POSTFIX.replace(b"Status: 5.1.1", b"Status: 5.7.1").replace(b"550 5.1.1", b"554 5.7.1")
UTF8 = POSTFIX.replace(b"message/delivery-status", b"message/global-delivery-status").replace(
    b"rfc822; ada@", "utf-8; adä@".encode()
)

VACATION = b"""\
From: Ada <ada@example.com>
To: TO
Subject: Out of office: [Acme] Investigating: API outage
Auto-Submitted: auto-replied
Content-Type: text/plain

I am away. My deputy had error 550 5.1.1 last week, too.
"""

COMPLAINT = b"""\
From: <feedback@isp.example.net>
Date: Wed, 21 Sep 2022 17:40:36 +0000
Subject: Abuse report
To: <abuse@example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1_13d.2e68ed54"

--part1_13d.2e68ed54
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report for an email message received from IP 192.0.2.1.

--part1_13d.2e68ed54
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <TO>
Original-Rcpt-To: <ada@example.com>
Source-IP: 192.0.2.1

--part1_13d.2e68ed54
Content-Type: message/rfc822
Content-Disposition: inline

From: Acme <status@example.com>
To: <ada@example.com>
Subject: [Acme] Investigating: API outage

We are looking.
--part1_13d.2e68ed54--
"""


def returned(report: bytes, to: str) -> bytes:
    """Return `report` addressed to the return path `to`."""
    return report.replace(b"TO", to.encode())
