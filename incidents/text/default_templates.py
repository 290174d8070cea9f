"""The incident templates and the postmortem outline that a new page starts with.

Placeholders mark what the author has to fill in.
"""

from dataclasses import dataclass

from incidents.models.states import Status

# The outline of a postmortem if the page has none.
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
        "{{component}}: requests are failing",
        "Since {{started}}, some requests to {{component}} have been failing. About {{share}} of them are affected. "
        "We are investigating the cause.\n\nNext update by {{next update}}.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Investigating: slow",
        Status.INVESTIGATING,
        "{{component}} is slow",
        "Since {{started}}, {{component}} has been slow: {{how slow}} instead of {{usual}}. No data is lost. We are "
        "investigating the cause.\n\nNext update by {{next update}}.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Identified: cause known",
        Status.IDENTIFIED,
        "{{component}}: requests are failing",
        "We have identified the cause: {{cause}}. We are {{what we do}} and expect {{component}} to recover by "
        "{{expected}}.\n\n"
        "Until then: {{workaround}}.\n\nNext update by {{next update}}.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Identified: a provider",
        Status.IDENTIFIED,
        "{{component}} is affected by an outage at a provider",
        "The cause is an outage at {{provider}}, who report {{what they report}}. This affects {{components}}. "
        "Meanwhile, we are {{what we do}}.\n\nNext update by {{next update}}.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Monitoring: a fix is in place",
        Status.MONITORING,
        "{{component}}: requests are failing",
        "At {{fixed at}} we {{what we did}}. {{component}} is working again. We will monitor it for {{how long}} "
        "before we resolve this incident.",
    ),
    DefaultTemplate(
        INCIDENTS,
        "Resolved",
        Status.RESOLVED,
        "{{component}}: requests are failing",
        "{{components}} are working normally again. The impact lasted from {{started}} to {{ended}}. The cause was "
        "{{cause}}. {{data loss}}\n\nWe will publish a postmortem here.",
    ),
    DefaultTemplate(
        MAINTENANCE,
        "Maintenance: scheduled",
        Status.SCHEDULED,
        "Maintenance of {{component}}",
        "We will {{what we do}}. During this time {{component}} {{what visitors notice}}. You do not need to do "
        "anything.",
    ),
    DefaultTemplate(
        MAINTENANCE,
        "Maintenance: started",
        Status.IN_PROGRESS,
        "Maintenance of {{component}}",
        "The maintenance has started. {{component}} {{what visitors notice}} until about {{expected}}.",
    ),
    DefaultTemplate(
        MAINTENANCE,
        "Maintenance: takes longer",
        Status.IN_PROGRESS,
        "Maintenance of {{component}}",
        "The maintenance is taking longer than planned, because {{reason}}. We now expect to finish by {{expected}}. "
        "{{component}} {{what visitors notice}} until then.",
    ),
    DefaultTemplate(
        MAINTENANCE,
        "Maintenance: completed",
        Status.COMPLETED,
        "Maintenance of {{component}}",
        "The maintenance is complete. {{components}} are working normally.",
    ),
)
