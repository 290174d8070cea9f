"""The incident templates and the postmortem outline that a new page starts with.

Placeholders mark what the author has to fill in.
"""

from dataclasses import dataclass

from incidents.models.states import Status

# What a postmortem begins with, where the page has no outline of its own.
OUTLINE = "\n\n\n\n".join(
    f"## {heading}" for heading in ("What happened", "Impact", "Why it was not noticed", "What we do now")
)


@dataclass(frozen=True)
class DefaultTemplate:
    group: str
    name: str
    status: Status
    title: str
    body: str


INCIDENTS, MAINTENANCE = "Incidents", "Maintenance"

DEFAULT_TEMPLATES = (
    DefaultTemplate(
        INCIDENTS,
        "Investigating: errors",
        Status.INVESTIGATING,
        "{{component}}: requests fail",
        "Since {{started}}, some requests to {{component}} fail. We see about {{share}} of them affected and are "
        "looking for the cause.\n\nNext update by {{next update}}.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Investigating: slow",
        Status.INVESTIGATING,
        "{{component}} is slow",
        "Since {{started}}, {{component}} answers slowly: {{how slow}} instead of {{usual}}. Nothing is lost. We are "
        "looking for the cause.\n\nNext update by {{next update}}.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Identified: cause known",
        Status.IDENTIFIED,
        "{{component}}: requests fail",
        "We know the cause: {{cause}}. We are {{what we do}} and expect {{component}} to recover by {{expected}}.\n\n"
        "Until then: {{workaround}}.\n\nNext update by {{next update}}.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Identified: a provider",
        Status.IDENTIFIED,
        "{{component}} is affected by an outage at a provider",
        "The cause lies with {{provider}}, who report {{what they say}}. Affected here: {{components}}. We are "
        "{{what we do}} meanwhile.\n\nNext update by {{next update}}.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Monitoring: a fix is in place",
        Status.MONITORING,
        "{{component}}: requests fail",
        "At {{fixed at}} we {{what we did}}. {{component}} works again; we watch it for {{how long}} before we call "
        "this resolved.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Resolved",
        Status.RESOLVED,
        "{{component}}: requests fail",
        "{{components}} work normally again. The impact lasted from {{started}} to {{ended}}. The cause was {{cause}}. "
        "{{what about lost work}}\n\nWe will publish what we learned here.",
    ),
    DefaultTemplate(
        MAINTENANCE,
        "Maintenance: announced",
        Status.SCHEDULED,
        "Maintenance of {{component}}",
        "We will {{what we do}}. During this time {{component}} {{what visitors notice}}. You need not do anything.",
    ),
    DefaultTemplate(
        MAINTENANCE,
        "Maintenance: begun",
        Status.IN_PROGRESS,
        "Maintenance of {{component}}",
        "We have begun. {{component}} {{what visitors notice}} until about {{expected}}.",
    ),
    DefaultTemplate(
        MAINTENANCE,
        "Maintenance: takes longer",
        Status.IN_PROGRESS,
        "Maintenance of {{component}}",
        "This takes longer than planned, because {{reason}}. We now expect to end by {{expected}}. {{component}} "
        "{{what visitors notice}} until then.",
    ),
    DefaultTemplate(
        MAINTENANCE,
        "Maintenance: completed",
        Status.COMPLETED,
        "Maintenance of {{component}}",
        "The maintenance is completed. {{components}} work normally.",
    ),
)
